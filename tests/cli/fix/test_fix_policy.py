"""Constraints of the organisation that refuse a change, or its undoing: said beforehand, in their own words, and skipped."""

from __future__ import annotations

from tests.cli.conftest import Result
from tests.cli.fix.conftest import GEMINI, MAPS, ORGANIZATION, OWNER, Fixing

TEXT = "Keys of this company name their APIs."
NAME = "custom.companyRule"


def enforce(fixing: Fixing, condition: str, project: str = "shop", *methods: str) -> None:
    """Somebody makes a constraint and enforces it in one project."""
    rule = {
        "name": f"{ORGANIZATION}/customConstraints/{NAME}",
        "resourceTypes": ["apikeys.googleapis.com/Key"],
        "methodTypes": list(methods or ("CREATE", "UPDATE")),
        "condition": condition,
        "actionType": "DENY",
        "displayName": "A rule",
        "description": TEXT,
    }
    roles = {f"roles/{role}": [OWNER] for role in ("browser", "orgpolicy.policyAdmin")}
    fixing.served.seed(organizations=[{"name": ORGANIZATION, "displayName": "77.example", "iam": roles}])
    fixing.api(f"/v2/{ORGANIZATION}/customConstraints", "POST", rule)
    policy = {"name": f"projects/{project}/policies/{NAME}", "spec": {"rules": [{"enforce": True}]}}
    fixing.api(f"/v2/projects/{project}/policies", "POST", policy)


def told(done: Result) -> str:
    """The error and its reasons, without what is said before it."""
    return " ".join(done.err.partition("Error:")[2].partition('{"error"')[0].split())


def writes(fixing: Fixing) -> list[str]:
    return [name for name in fixing.served.methods() if name in ("UpdateKey", "DeleteKey", "UndeleteKey")]


NO_MAPS = f"resource.restrictions.apiTargets.exists(each, each.service == '{MAPS}')"
NO_TARGET = "!has(resource.restrictions) || size(resource.restrictions.apiTargets) == 0"


def test_a_change_that_a_constraint_refuses_is_said_beforehand_and_skipped(fixing: Fixing) -> None:
    fixing.plan("--projects", "shop")
    enforce(fixing, NO_MAPS)
    fresh = fixing.type("audit", "fix", "--projects", "shop", "--dry-run")
    dry = fixing.apply("--dry-run")
    assert (fresh.code, dry.code) == (3, 3), (fresh.err, dry.err)
    assert TEXT in fresh.err
    assert not writes(fixing)
    done = fixing.apply("--format", "json")
    assert done.code == 3
    assert told(done) == told(dry)
    assert TEXT in told(done)
    assert "[org-policy-constraint]" in told(done)
    assert fixing.steps("map") == ["skipped"], "nothing was tried"
    assert fixing.targets("map") == []
    assert fixing.targets("both") == [GEMINI, MAPS]
    assert fixing.targets("nobody") is None, "a constraint does not keep a key from being deleted"


def test_a_key_that_may_not_be_marked_is_deleted_all_the_same(fixing: Fixing) -> None:
    fixing.plan("--projects", "shop", "--rule", "unused-key")
    enforce(fixing, NO_TARGET)
    assert fixing.apply("--dry-run").code == 0
    done = fixing.apply("--format", "jsonl")
    assert done.code == 0, done.err
    assert "bears no mark, which an organisation policy refused" in done.out
    assert fixing.targets("nobody") is None


def test_an_undo_says_what_a_policy_refuses_now(fixing: Fixing) -> None:
    fixing.plan("--projects", "shop")
    assert fixing.apply().code == 0
    enforce(fixing, NO_TARGET)
    before = writes(fixing)
    dry = fixing.undo("--dry-run")
    assert dry.code == 3
    assert writes(fixing) == before
    done = fixing.undo("--format", "json")
    assert (done.code, told(done)) == (3, told(dry))
    assert "an organisation policy refuses it now" in told(done)
    assert TEXT in told(done)
    assert fixing.targets("map") == [MAPS], "it would be open again"
    assert fixing.steps("map")[-1] == "undo-skipped"
    assert fixing.targets("both") == [GEMINI, MAPS]
    assert fixing.targets("nobody") == []


def test_one_who_may_not_delete_is_told_by_the_dry_run(fixing: Fixing) -> None:
    """Of several keys in several projects: the same ones, in the same order, with the same words."""
    fixing.plan("--projects", "shop", "--projects", "lab")
    changer = "changer@example.com"
    may = ["resourcemanager.projects.get", "serviceusage.services.get", "monitoring.timeSeries.list", "apikeys.keys.list"]
    for project in ("shop", "lab"):
        fixing.served.grant(
            changer, *may, "apikeys.keys.get", *(["apikeys.keys.update"] if project == "shop" else []), project=project
        )
    dry = fixing.apply("--dry-run", user=changer)
    done = fixing.apply("--format", "json", user=changer)
    assert (done.code, told(done)) == (dry.code, told(dry))
    assert done.code == 3
    assert "apikeys.keys.delete is missing in project shop" in told(done)
    assert "apikeys.keys.update is missing in project lab" in told(done)
