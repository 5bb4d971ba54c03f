"""The rules about projects that need no service: ids, words and queries, ranks, who may make keys, runs that go on."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keyadmin.cloud.policies import AllowPolicy, Binding, Condition
from keyadmin.cloud.projects import Project
from keyadmin.keys.validate import looks_like_key_id
from keyadmin.local.creations import KEPT_FOR, TAKEN_OVER_FOR, Creations
from keyadmin.model.problem import Problem
from keyadmin.projects import apis, describe, names, search
from keyadmin.projects.create import first_key_id

NOW = datetime.now(UTC)


# --- ids ------------------------------------------------------------------------------------------------------------------


def test_new_ids_are_in_ai_studios_style_and_fit_googles_rule() -> None:
    made = {names.new_id() for _ in range(200)}
    assert len(made) == 200
    assert all(names.project_id(each) == each and len(each) == len("gen-lang-client-0123456789") for each in made)


@pytest.mark.parametrize("name", ["my first key", "Ключ", "123", "-", "x" * 63, "Ä b", "a--b"])
def test_the_first_keys_id_is_the_same_each_time_and_fits_googles_rule(name: str) -> None:
    made = first_key_id("my-project", name)
    assert made == first_key_id("my-project", name)
    assert looks_like_key_id(made)
    assert made not in (first_key_id("other-project", name), first_key_id("my-project", name + "x"))


# --- search ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("shop", False),
        ("web shop", False),
        ("gen-lang-client", False),
        ("it's", False),
        ("Rock AND Roll", True),
        ("name:how*", True),
        ("labels.team:blue", True),
        ("(id:a OR id:b)", True),
        ("-state:ACTIVE", True),
        ("NOT id:x", True),
        ("parent=folders/1", True),
        ("and", False),
    ],
)
def test_words_and_queries_are_told_apart(text: str, is_one: bool) -> None:
    assert search.is_query(text) is is_one
    assert (search.query_of(text) == text) is is_one


def test_what_means_something_in_the_language_is_taken_out_of_words() -> None:
    assert search.query_of('a"b') == '(name:"*a*" OR id:"*a*") AND (name:"*b*" OR id:"*b*")'
    assert search.query_of(" * ") == ""


def project(project_id: str, name: str = "", state: str = "ACTIVE") -> Project:
    return Project(project_id, "1", name or project_id, state)


def test_ranks() -> None:
    in_order = [
        project("prod"),
        project("zz", "Prod"),
        project("prod-a"),
        project("zzz", "production"),
        project("prod-0", state="DELETE_REQUESTED"),
        project("a-prod"),
        project("nonprod"),
    ]
    assert list(search.ranked("PROD", reversed(in_order))) == in_order


# --- who may make keys ----------------------------------------------------------------------------------------------------

WHEN = Condition("request.time < timestamp('2027-01-01T00:00:00Z')")


def found(*policies: tuple[str, list[Binding]]) -> dict[str, bool]:
    return {
        each.member: each.sure for each in describe.makers([(on, AllowPolicy(tuple(bindings))) for on, bindings in policies])
    }


def test_roles_of_several_places_add_up() -> None:
    # The first role holds the keys, the second the service accounts, the third the bindings; none of them all of it.
    bindings = [("projects/p", [Binding("roles/serviceusage.apiKeysAdmin", ("user:a",))]), ("folders/1", [])]
    assert found(*bindings) == {}
    bindings[1] = ("folders/1", [Binding("roles/editor", ("user:a",))])
    assert found(*bindings) == {"user:a": True}


def test_conditions_and_custom_roles_are_not_for_certain() -> None:
    assert found(("projects/p", [Binding("roles/owner", ("user:a",), WHEN)])) == {"user:a": False}
    assert found(("projects/p", [Binding("projects/p/roles/mine", ("user:a",))])) == {"user:a": False}
    both = [Binding("roles/owner", ("user:a",), WHEN), Binding("roles/owner", ("user:a",))]
    assert found(("projects/p", both)) == {"user:a": True}


def test_deleted_members_and_viewers_are_left_out() -> None:
    bindings = [Binding("roles/owner", ("deleted:user:a?uid=1",)), Binding("roles/viewer", ("user:b",))]
    assert found(("projects/p", bindings)) == {}


# --- APIs -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "service"),
    [
        ("translate", "translate.googleapis.com"),
        ("translate.googleapis.com", "translate.googleapis.com"),
        ("brand-new-thing.googleapis.com", "brand-new-thing.googleapis.com"),
        ("api.endpoints.my-project.cloud.goog", "api.endpoints.my-project.cloud.goog"),
    ],
)
def test_apis_by_name(word: str, service: str) -> None:
    assert apis.service_named(word) == service


@pytest.mark.parametrize("word", ["translte", "no such thing", "", "zzzzzz"])
def test_what_is_no_api(word: str) -> None:
    with pytest.raises(Problem, match="there is no API"):
        apis.service_named(word)


# --- runs that go on ------------------------------------------------------------------------------------------------------


@pytest.fixture
def creations(tmp_path: Path) -> Creations:
    return Creations("me@example.com", sandbox=True, directory=tmp_path)


def begin(creations: Creations, *ids: str, finish: bool = False) -> tuple[tuple[str, ...], bool]:
    with creations.run(["request"], lambda: ids) as run:
        if finish:
            run.finish()
        return run.ids, run.resumed


def test_an_unfinished_run_is_taken_over_and_a_finished_one_is_not(creations) -> None:
    assert begin(creations, "first-id") == (("first-id",), False)
    assert begin(creations, "second-id", finish=True) == (("first-id",), True)
    assert begin(creations, "third-id") == (("third-id",), False)


def test_a_run_at_work_is_left_to_its_process(creations, tmp_path: Path) -> None:
    with creations.run(["request"], lambda: ["first-id"]):
        other = Creations("me@example.com", sandbox=True, directory=tmp_path)
        assert begin(other, "second-id") == (("second-id",), False)


def test_another_request_account_or_world_is_another_run(creations, tmp_path: Path) -> None:
    begin(creations, "first-id")
    assert creations.unfinished(["request"]) is not None
    assert creations.unfinished(["another"]) is None
    assert Creations("you@example.com", sandbox=True, directory=tmp_path).unfinished(["request"]) is None
    assert Creations("me@example.com", sandbox=False, directory=tmp_path).unfinished(["request"]) is None


def test_an_id_that_was_swapped_is_gone_on_with(creations) -> None:
    with creations.run(["request"], lambda: ["first-id", "second-id"]) as run:
        run.swap("first-id", "other-id")
    assert begin(creations, "x") == (("other-id", "second-id"), True)


def test_only_what_was_made_since_is_ones_own(creations) -> None:
    now = datetime.now(UTC)  # not NOW: that was when the tests were collected
    begin(creations, "first-id", finish=True)
    assert creations.owns("first-id", now + timedelta(seconds=5))
    assert not creations.owns("first-id", now - timedelta(days=1))
    assert not creations.owns("first-id", None)
    assert not creations.owns("second-id", now + timedelta(seconds=5))


def age(tmp_path: Path, by: timedelta) -> None:
    for path in (tmp_path / "sandbox-creations").glob("*.json"):
        data = json.loads(path.read_text())
        data["began"] = (datetime.fromisoformat(data["began"]) - by).isoformat()
        path.write_text(json.dumps(data))


def test_old_runs_are_not_taken_over_and_older_ones_removed(creations, tmp_path: Path) -> None:
    begin(creations, "first-id")
    age(tmp_path, TAKEN_OVER_FOR + timedelta(minutes=1))
    assert begin(creations, "second-id") == (("second-id",), False)
    age(tmp_path, KEPT_FOR)
    begin(creations, "third-id")
    assert len(list((tmp_path / "sandbox-creations").glob("*.json"))) == 1


def test_damaged_records_are_no_hindrance(creations, tmp_path: Path) -> None:
    begin(creations, "first-id")
    for path in (tmp_path / "sandbox-creations").glob("*.json"):
        path.write_text("{")
    assert not creations.owns("first-id", NOW)
    assert begin(creations, "second-id") == (("second-id",), False)


def test_records_are_for_their_owner_alone(creations, tmp_path: Path) -> None:
    begin(creations, "first-id")
    (path,) = (tmp_path / "sandbox-creations").glob("*.json")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
