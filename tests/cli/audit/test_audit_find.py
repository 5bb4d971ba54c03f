"""What `audit` finds: scopes, both inventories, rules chosen, the report's form, the exit code, and what is asked for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from keyadmin.audit.rules import chosen

from .conftest import GEMINI, MAPS, ON, Audited, ago, key, project

Audit = Callable[..., Audited]
BY_DEFAULT = [rule.id for rule in chosen(None)]


def test_the_report_has_the_contracts_form(organization: Any, audit: Audit) -> None:
    organization(project("web-one", key("open"), key("good", GEMINI)))
    done = audit("--projects", "web-one")
    assert set(done.report["summary"]) == {"projects", "keys", "findings", "bySeverity", "byRule", "errors", "accepted"}
    assert done.report["summary"] == {
        "projects": 1,
        "keys": 2,
        "findings": 1,
        "bySeverity": {"high": 1, "medium": 0, "low": 0, "info": 0},
        "byRule": {rule: int(rule == "gemini-exposed-key") for rule in BY_DEFAULT},
        "errors": 0,
        "accepted": 0,
    }
    assert done.report["schemaVersion"] == 1
    [finding] = done.report["findings"]
    number = finding["key"].split("/")[1]
    assert finding == {
        "rule": "gemini-exposed-key",
        "severity": "high",
        "project": "web-one",
        "key": f"projects/{number}/locations/global/keys/open",
        "keyName": "the open key",
        "message": "the key has no API restriction, and the Gemini API is on in web-one: whoever has it can call Gemini",
        "fix": "keyadmin keys restrict open -p web-one --api-target SERVICE",
    }
    assert done.report["errors"] == []
    assert done.report["sandbox"] is True
    assert done.report["scan"]["inventory"] == "api"
    assert done.code == 3


def test_what_is_to_be_typed_can_be_typed(organization: Any, audit: Audit, run: Callable[..., Any]) -> None:
    organization(project("web-one", key("old", GEMINI, age=200), key("wide", GEMINI, MAPS), key("tired", GEMINI, age=40)))
    for finding in audit("--projects", "web-one").report["findings"]:
        words = finding["fix"].replace("SINK", "env-file:.env").replace("SERVICE", MAPS).replace("ADDRESS", "192.0.2.1").split()
        assert words[0] == "keyadmin"
        dry = [] if words[1:3] in (["keys", "describe"], ["keys", "list"]) else ["--dry-run"]
        done = run("--sandbox", *words[1:], *dry)
        assert done.code == 0, (finding["fix"], done.err)


def test_exposed_or_unrestricted_by_the_state_of_the_api(organization: Any, audit: Audit) -> None:
    organization(
        project("on-project", key("a", project="on-project")),
        project("off-project", key("b", project="off-project"), services=ON[:1]),
    )
    for inventory in ("api", "asset"):
        done = audit("--organization", "77", "--inventory", inventory)
        assert (done.of("gemini-exposed-key"), done.of("unrestricted-key")) == (["a"], ["b"]), inventory


@pytest.mark.parametrize("per_project", [5, 3])
def test_a_fleet_trips_every_rule_and_both_inventories_agree(
    organization: Any, served: Any, audit: Audit, per_project: int
) -> None:
    organization()
    served.seed(fleet={"projects": 12, "keysPerProject": per_project, "parent": "organizations/77"})
    asked, searched = (audit("--organization", "77", "--inventory", each) for each in ("api", "asset"))
    assert asked.report["findings"] == searched.report["findings"]
    assert asked.report["summary"] == searched.report["summary"]
    assert asked.report["summary"]["keys"] == 12 * per_project
    tripped = {rule for rule, count in asked.report["summary"]["byRule"].items() if count}
    assert tripped == set(BY_DEFAULT) - {"too-many-keys"}
    assert (asked.report["scan"]["inventory"], searched.report["scan"]["inventory"]) == ("api", "asset")


def test_the_last_rule_needs_many_keys(organization: Any, served: Any, audit: Audit) -> None:
    organization()
    served.seed(fleet={"projects": 1, "keysPerProject": 300, "parent": "organizations/77"})
    done = audit("--organization", "77", "--rule", "too-many-keys")
    assert done.report["summary"]["byRule"] == {"too-many-keys": 1}
    assert (done.report["findings"][0]["key"], done.report["findings"][0]["keyName"]) == (None, None)
    assert done.code == 0


def test_findings_come_worst_first_then_by_project(organization: Any, served: Any, audit: Audit) -> None:
    organization()
    served.seed(fleet={"projects": 9, "keysPerProject": 5, "parent": "organizations/77"})
    order = ["high", "medium", "low", "info"]
    places = [(order.index(each["severity"]), each["project"]) for each in audit("--organization", "77").report["findings"]]
    assert len(places) > 50
    assert places == sorted(places)


def test_only_the_rules_that_were_chosen(organization: Any, audit: Audit) -> None:
    organization(project("web-one", key("old", GEMINI, age=200), key("open", age=200, auth=False)))
    done = audit("--projects", "web-one", "--rule", "key-too-old", "--rule", "standard-key")
    assert done.found == {("key-too-old", "old"), ("key-too-old", "open"), ("standard-key", "open")}
    assert set(done.report["summary"]["byRule"]) == {"key-too-old", "standard-key"}


def test_only_what_the_chosen_rules_need_is_asked_and_what_the_advice_rests_on(
    organization: Any, served: Any, audit: Audit
) -> None:
    organization(project("web-one", key("open", age=200)), project("web-two", key("open", age=10, project="web-two")))
    served.control("requests")
    audit("--projects", "web-two", "--rule", "key-too-old")
    assert Counter(served.methods("owner@example.com")) == {"ListKeys": 1}
    audit("--projects", "web-one", "--rule", "key-too-old")
    assert Counter(served.methods("owner@example.com")) == {"ListKeys": 2, "BatchGetServices": 1, "ListTimeSeries": 1}


def test_a_key_gets_the_same_advice_whichever_rules_run(organization: Any, audit: Audit) -> None:
    use = [{"service": MAPS, "at": ago(3)}, {"service": GEMINI, "at": ago(2)}]
    organization(project("web-one", key("old", auth=False, age=300, use=use)))
    whole = audit("--projects", "web-one").report["findings"]
    assert len(whole) == 3
    assert {each["fix"] for each in whole} == {"keyadmin keys restrict old -p web-one --to-used"}
    for each in whole:
        assert audit("--projects", "web-one", "--rule", each["rule"]).report["findings"] == [each]


def test_one_call_a_project_for_the_use_of_all_its_keys_and_never_a_key_string(
    organization: Any, served: Any, audit: Audit
) -> None:
    keys = [key(f"k{number:03}", age=60) for number in range(40)]
    organization(project("web-one", *keys), project("web-two", key("young", project="web-two", age=1)))
    audit("--projects", "web-one,web-two")
    calls = Counter(served.methods("owner@example.com"))
    assert calls == {"ListKeys": 2, "BatchGetServices": 2, "ListTimeSeries": 2}, "for the unused, and for what is advised"
    for inventory in ("api", "asset"):
        audit("--organization", "77", "--inventory", inventory)
    assert not {"GetKeyString", "LookupKey", "GetKey"} & set(served.methods("owner@example.com"))


def test_use_by_cloud_monitoring(organization: Any, audit: Audit) -> None:
    organization(
        project(
            "web-one",
            key("busy", GEMINI, age=60, lastUsed=ago(2)),
            key("idle", GEMINI, age=60, lastUsed=ago(35)),
            key("never", GEMINI, age=60),
            key("fresh", GEMINI, age=5),
        )
    )
    for scope in (("--projects", "web-one"), ("--organization", "77", "--inventory", "asset")):
        assert audit(*scope).of("unused-key") == ["idle", "never"]


def test_use_that_cannot_be_read_is_unknown_and_said(organization: Any, served: Any, audit: Audit) -> None:
    organization(project("web-one", key("never", GEMINI, age=60)))
    served.give("dev@example.com", ["apikeys.keys.list"], on="web-one")
    done = audit("--projects", "web-one", user="dev@example.com")
    assert (done.of("unused-key"), done.report["errors"], done.code) == ([], [], 0)
    assert "the use of keys is unknown" in done.run.err
    assert "monitoring.timeSeries.list" in done.report["scan"]["notes"][-1]


def test_ages_go_by_the_servers_clock(organization: Any, served: Any, audit: Audit) -> None:
    organization(project("web-one", key("young", GEMINI, age=80)))
    assert audit("--projects", "web-one").of("key-too-old") == []
    served.control("clock", {"advance": "11d"})
    assert audit("--projects", "web-one").of("key-too-old") == ["young"]
    assert audit("--projects", "web-one", "--max-age", "92d").of("key-too-old") == []


def test_a_deleted_key_until_it_is_purged(organization: Any, served: Any, audit: Audit) -> None:
    organization(project("web-one", key("gone", deleteTime=ago(3), age=200), key("here", GEMINI)))
    for inventory in ("api", "asset"):
        done = audit("--organization", "77", "--inventory", inventory)
        assert done.found == {("deleted-key-recoverable", "gone")}
    served.control("clock", {"advance": "28d"})
    assert audit("--projects", "web-one", "--rule", "deleted-key-recoverable").found == set()


@pytest.mark.parametrize("inventory", ["api", "asset", "auto"])
def test_folders_are_gone_down_to_the_last(organization: Any, audit: Audit, inventory: str) -> None:
    folders = [
        {"name": "folders/771", "displayName": "Top", "parent": "organizations/77"},
        {"name": "folders/772", "displayName": "Below", "parent": "folders/771"},
        {"name": "folders/773", "displayName": "Beside", "parent": "organizations/77"},
    ]
    organization(
        project("in-top", key("a", project="in-top"), parent="folders/771"),
        project("in-below", key("b", project="in-below"), parent="folders/772"),
        project("in-beside", key("c", project="in-beside"), parent="folders/773"),
        project("in-going", key("d", project="in-going"), parent="folders/772", state="DELETE_REQUESTED"),
        folders=folders,
    )

    def seen(*scope: str) -> set[str]:
        done = audit(*scope, "--inventory", inventory, "--rule", "gemini-exposed-key")
        return {each["project"] for each in done.report["findings"]}

    assert seen("--folder", "771") == {"in-top", "in-below"}
    assert seen("--folder", "folders/772") == {"in-below"}
    assert seen("--folder", "Beside") == {"in-beside"}
    assert seen("--organization", "77") == {"in-top", "in-below", "in-beside"}
    assert seen("--organization", "audit.example") == {"in-top", "in-below", "in-beside"}


def test_without_a_scope_every_active_project_that_is_seen(organization: Any, served: Any, audit: Audit) -> None:
    organization(project("web-one", key("open")))
    rule = ("--rule", "gemini-exposed-key")
    asked = audit("--inventory", "api", *rule)
    assert {each["project"] for each in asked.report["findings"]} == {"old-maps-site", "web-one"}
    both = audit(*rule)
    assert both.report["findings"] == asked.report["findings"]
    assert both.report["scan"]["inventory"] == "asset"
    assert "SearchAllResources" in served.methods("owner@example.com")
    served.seed(projects=[project("no-organization", key("x", project="no-organization"), parent=None)])
    done = audit(*rule)
    assert {each["project"] for each in done.report["findings"]} == {"old-maps-site", "web-one", "no-organization"}
    assert any("in no organisation" in note for note in done.report["scan"]["notes"])


def test_dash_p_names_one_project_the_default_project_none(organization: Any, audit: Audit) -> None:
    organization(project("web-one", key("open")))
    assert audit("-p", "web-one").report["summary"]["projects"] == 1
    assert audit(env={"KEYADMIN_PROJECT": "web-one"}).report["summary"]["projects"] > 1


def test_projects_may_be_repeated_named_by_number_and_twice(organization: Any, audit: Audit) -> None:
    organization(project("web-one", key("open"), projectNumber="770000000001"), project("web-two"))
    done = audit("--projects", "web-one,770000000001", "--projects", " web-two , web-one ")
    assert done.report["summary"]["projects"] == 2
    assert {each["project"] for each in done.report["findings"]} == {"web-one"}


@pytest.mark.parametrize(
    ("threshold", "code"), [("high", 0), ("medium", 3), ("low", 3), ("none", 0), (None, 0)], ids=lambda value: str(value)
)
def test_the_threshold_decides_the_exit_code(organization: Any, audit: Audit, threshold: str | None, code: int) -> None:
    organization(project("web-one", key("old", GEMINI, age=200)))
    words = ("--fail-on", threshold) if threshold else ()
    done = audit("--projects", "web-one", "--rule", "key-too-old", *words)
    assert done.of("key-too-old") == ["old"]
    assert done.code == code


def test_what_is_worth_knowing_alone_never_fails(organization: Any, audit: Audit) -> None:
    organization(project("web-one", key("maps", MAPS), services=ON))
    done = audit("--projects", "web-one", "--fail-on", "low")
    assert (done.found, done.code) == ({("undisplayable-key", "maps")}, 0)


NAMES_ALONE = {"versionedResources": False}


def test_an_inventory_whose_search_shows_names_alone_is_listed(organization: Any, served: Any, audit: Audit) -> None:
    """assets.list shows the resources; before, each project with keys was asked."""
    keys = (key("open", age=200), key("gone", deleteTime=ago(1)), key("good", GEMINI))
    organization(project("web-one", *keys), project("empty-one"), assetInventory=NAMES_ALONE)
    for inventory in ("asset", "auto"):
        before = served.methods("owner@example.com").count("ListKeys")
        done = audit("--organization", "77", "--inventory", inventory)
        assert served.methods("owner@example.com").count("ListKeys") == before
        assert "ListAssets" in served.methods("owner@example.com")
        assert done.found == audit("--organization", "77", "--inventory", "api").found
        assert ("gemini-exposed-key", "open") in done.found
        assert any("the keys are from assets.list" in note for note in done.report["scan"]["notes"])
    served.seed(assetInventory={"versionedResources": True})


def test_one_that_may_not_be_listed_is_not_trusted(organization: Any, served: Any, audit: Audit) -> None:
    role = "organizations/77/roles/searcher"
    keys = (key("open", age=200), key("gone", deleteTime=ago(1)))
    organization(
        project("web-one", *keys),
        project("empty-one"),
        roles=("roles/browser", role),
        customRoles={role: ["cloudasset.assets.searchAllResources"]},
        assetInventory=NAMES_ALONE,
    )
    done = audit("--organization", "77", "--inventory", "asset")
    assert done.found == audit("--organization", "77", "--inventory", "api").found
    assert ("gemini-exposed-key", "open") in done.found
    refused, listed = done.report["scan"]["notes"][1:3]
    assert "cloudasset.assets.list" in refused
    assert "keys of 1 projects were listed one by one" in listed
    served.seed(assetInventory={"versionedResources": True})


def test_a_field_that_no_key_shows_may_be_one_that_the_inventory_never_shows(
    organization: Any, served: Any, audit: Audit
) -> None:
    """Nobody documents whether it shows service accounts: where none is seen each project with keys is listed."""
    organization(project("web-one", key("one", MAPS, auth=False)), project("empty-one"))
    done = audit("--organization", "77", "--inventory", "asset")
    assert done.of("standard-key") == ["one"]
    assert served.methods("owner@example.com").count("ListKeys") == 1
    organization(project("web-two", key("two", GEMINI, project="web-two")))
    served.control("requests")
    before = served.methods("owner@example.com").count("ListKeys")
    audit("--organization", "77", "--inventory", "asset")
    assert served.methods("owner@example.com").count("ListKeys") == before


def test_the_inventory_lags_and_that_is_said(organization: Any, served: Any, audit: Audit) -> None:
    served.control("propagation", {"search": "120s"})
    organization(project("web-one", key("new", GEMINI, MAPS, age=0.0005)))
    assert audit("--organization", "77", "--inventory", "api").of("mixed-targets") == ["new"]
    late = audit("--organization", "77", "--inventory", "asset")
    assert late.of("mixed-targets") == []
    assert any("lags behind" in note for note in late.report["scan"]["notes"])
    served.control("clock", {"advance": "5m"})
    assert audit("--organization", "77", "--inventory", "asset").of("mixed-targets") == ["new"]


def test_where_the_inventory_shows_the_api_nowhere_it_is_asked(organization: Any, served: Any, audit: Audit) -> None:
    """It may not show services at all, and "off" would be the milder finding."""

    def asked() -> int:
        before = served.methods("owner@example.com").count("BatchGetServices")
        audit("--organization", "77", "--inventory", "asset")
        return int(served.methods("owner@example.com").count("BatchGetServices") - before)

    keys = (key("open"), key("good", GEMINI))
    organization(project("web-one", *keys, services=ON[:1]), project("web-two", services=ON[:1]))
    assert asked() == 1
    organization(project("web-two", services=ON))
    assert asked() == 0


def test_rotations_that_show_no_annotation_are_listed(organization: Any, served: Any, audit: Audit) -> None:
    """Without its annotations a successor looks tampered with: whether the inventory shows any is not known."""
    organization(project("web-one", key("ka-abcdefghij-2", GEMINI)), project("web-two", key("two", GEMINI, project="web-two")))
    assert audit("--organization", "77", "--inventory", "asset").of("rotation-stuck") == ["ka-abcdefghij-2"]
    assert served.methods("owner@example.com").count("ListKeys") == 1
    organization(project("web-two", key("three", GEMINI, project="web-two", annotations={"team": "maps"})))
    assert audit("--organization", "77", "--inventory", "asset").of("rotation-stuck") == ["ka-abcdefghij-2"]
    assert served.methods("owner@example.com").count("ListKeys") == 1


def test_use_is_read_for_many_projects_where_it_was_asked_for(organization: Any, served: Any, audit: Audit) -> None:
    organization()
    served.seed(fleet={"projects": 250, "keysPerProject": 3, "parent": "organizations/77"})

    def reads(*words: str) -> tuple[int, Audited]:
        before = served.methods("owner@example.com").count("ListTimeSeries")
        done = audit("--organization", "77", *words)
        return served.methods("owner@example.com").count("ListTimeSeries") - before, done

    none, done = reads("--inventory", "asset")
    assert none == 0
    assert done.of("unused-key") == []
    assert "the use of keys was not read" in done.run.err
    some, searched = reads("--inventory", "asset", "--rule", "unused-key")
    many, asked = reads("--inventory", "api")
    assert 200 < some == many <= 250
    assert searched.of("unused-key") == asked.of("unused-key") != []


def test_organisations_that_may_not_be_searched_are_asked_project_by_project(
    organization: Any, served: Any, audit: Audit
) -> None:
    organization(project("web-one", key("open")), roles=("roles/browser",))
    done = audit("--rule", "gemini-exposed-key")
    assert {each["project"] for each in done.report["findings"]} == {"old-maps-site", "web-one"}
    assert done.report["scan"]["inventory"] == "asset"
    assert any("organizations/77 cannot be searched" in note for note in done.report["scan"]["notes"])
    served.seed(
        projects=[
            project("mine-alone", key("x", project="mine-alone"), parent=None, iam={"roles/owner": ["user:me@example.net"]})
        ]
    )
    mine = audit("--rule", "gemini-exposed-key", user="me@example.net")
    assert (mine.of("gemini-exposed-key"), mine.report["scan"]["inventory"]) == (["x"], "api")
    refused = audit("--inventory", "asset", user="me@example.net")
    assert refused.code == 2
    assert "you see no organisation" in refused.run.err


def test_an_api_of_unknown_state_is_said_and_asked_for_on_demand(organization: Any, audit: Audit, monkeypatch: Any) -> None:
    """The inventory shows it on nowhere; of so many projects nobody asks each unasked."""
    monkeypatch.setattr("keyadmin.audit.scan.USE_AT_MOST", 0)
    organization(project("web-one", key("map", MAPS), services=[each for each in ON if each != MAPS]))
    where = ("--organization", "77", "--inventory", "asset")
    done = audit(*where)
    assert not done.report["summary"]["byRule"]["api-off"]
    assert f"whether {MAPS} is on is unknown in 1 projects, where api-off finds nothing of it" in done.run.err
    asked = audit(*where, "--rule", "api-off")
    assert asked.report["summary"]["byRule"]["api-off"] == 1
    assert "is on is unknown" not in asked.run.err
