"""`projects search`: words and Resource Manager's own language, ranked, in one call."""

from __future__ import annotations

import pytest

OWNER = {"roles/owner": ["user:owner@example.com"]}


@pytest.fixture
def shop(served) -> None:
    """Projects of a shop."""
    named = {
        "shop-prod": "Web shop",
        "shop-test": "Web shop (test)",
        "backend-shop": "Backend",
        "webshop-old": "Archive",
        "nothing-like-it": "The shop of old",
        "shop-gone": "Gone",
        "workshop-notes": "Notes",
    }
    served.seed(
        projects=[{"projectId": name, "displayName": title, "iam": OWNER} for name, title in named.items()]
        + [{"projectId": "shop-gone", "state": "DELETE_REQUESTED", "displayName": "Gone", "iam": OWNER}]
    )


def test_in_one_round_trip(served, projects) -> None:
    served.seed(fleet={"projects": 1200, "keysPerProject": 0})
    for query in ("demo", "Fleet 00", "id:fleet-0000* AND state:ACTIVE", "fleet"):
        before = len(served.methods())
        assert projects("search", query).code == 0
        assert served.methods()[before:] == ["SearchProjects"], query


def test_anywhere_in_id_or_name_whatever_the_case(shop, listed) -> None:
    assert set(listed("search", "SHOP")) == {
        "shop-prod",
        "shop-test",
        "backend-shop",
        "webshop-old",
        "nothing-like-it",
        "shop-gone",
        "workshop-notes",
    }
    assert listed("search", "archive") == ["webshop-old"]


def test_ranked(shop, listed) -> None:
    found = listed("search", "shop")
    assert found[:3] == ["shop-prod", "shop-test", "shop-gone"]  # beginnings of the id; what is being deleted last
    assert set(found[3:5]) == {"backend-shop", "nothing-like-it"}  # the beginning of a word
    assert set(found[5:]) == {"webshop-old", "workshop-notes"}
    assert listed("search", "backend-shop")[0] == "backend-shop"
    assert listed("search", "web shop")[0] == "shop-prod"


def test_several_words_all_have_to_be_there(shop, listed) -> None:
    assert listed("search", "shop", "test") == ["shop-test"]
    assert listed("search", "shop nowhere") == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name:web*", ["shop-prod", "shop-test"]),
        ("id:shop-prod", ["shop-prod"]),
        ("state:DELETE_REQUESTED", ["shop-gone"]),
        ("id:*shop* AND NOT state:ACTIVE", ["shop-gone"]),
        ("parent:folders/1001 AND name:demo*", ["demo-project"]),
    ],
)
def test_resource_managers_language_is_passed_on(shop, listed, query: str, found: list[str]) -> None:
    assert listed("search", query) == found


@pytest.mark.parametrize("query", ['"', "\\", "a(b", "it's", "a,b", "--", "shop)", "*", "NOT", "AND OR", "ä", "'; --"])
def test_odd_words_are_words(projects, query: str) -> None:
    done = projects("search", "--", query)
    assert done.code in (0, 2), done.err
    assert "Traceback" not in done.err


def test_a_query_that_the_service_does_not_understand_is_its_to_refuse(projects) -> None:
    done = projects("search", "colour:red", "--format", "json")
    assert (done.code, done.error["cause"]) == (1, "invalid-argument")
    assert "colour" in done.error["message"]


def test_50_are_shown_and_the_rest_is_said(served, projects, listed) -> None:
    served.seed(fleet={"projects": 60, "keysPerProject": 0})
    done = projects("search", "fleet", "--format", "json", "--quiet")
    assert len(done.json) == 50
    assert "10 more hits are not shown; --all shows them." in done.err
    assert len(listed("search", "fleet", "--all")) == 60


def test_beyond_500_hits_it_is_said_that_there_may_be_more(served, projects, listed) -> None:
    served.seed(fleet={"projects": 510, "keysPerProject": 0})
    assert "the first 500 hits" in projects("search", "fleet").err
    assert len(listed("search", "fleet", "--all")) == 510


def test_nothing_found(projects) -> None:
    done = projects("search", "nowhere", "--format", "json")
    assert (done.code, done.out) == (0, "[]\n")
    assert "may not be found yet" in done.err
    assert projects("search", " ").code == 2
