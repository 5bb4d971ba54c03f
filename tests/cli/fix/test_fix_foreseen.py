"""A dry run, and what is told before the question, say what the run ends with: constraints, permissions, sinks, both steps."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.conftest import Result
from tests.cli.fix.conftest import GEMINI, ORGANIZATION, OWNER, Fixing
from tests.cli.fix.test_fix_policy import NO_MAPS, NO_TARGET, TEXT, enforce, told, writes
from tests.cli.fix.test_fix_two_steps import POLICY

HELPER = "helper@example.com"
READS = (
    *("resourcemanager.projects.get", "serviceusage.services.get", "serviceusage.services.list"),
    *("monitoring.timeSeries.list", "apikeys.keys.list", "apikeys.keys.get", "apikeys.keys.update"),
)
MAKES = (
    *("apikeys.keys.create", "apikeys.keys.getKeyString", "iam.serviceAccounts.get", "iam.serviceAccounts.create"),
    *("iam.serviceAccountApiKeyBindings.create", "iam.serviceAccounts.list", "serviceusage.services.enable"),
)
SINK = (
    "secretmanager.secrets.create",
    "secretmanager.secrets.get",
    "secretmanager.versions.add",
    "secretmanager.versions.access",
)


def may(fixing: Fixing, *permissions: str) -> None:
    fixing.served.grant(HELPER, *permissions, project="lab")


def may_not_make(fixing: Fixing) -> None:
    may(fixing, *READS)


def may_not_hand_over(fixing: Fixing) -> None:
    may(fixing, *READS, *MAKES)


def may_not_change(fixing: Fixing) -> None:
    may(fixing, *[each for each in READS if each != "apikeys.keys.update"], *MAKES, *SINK)


def may_all(fixing: Fixing) -> None:
    may(fixing, *READS, *MAKES, *SINK)


def no_first_step(fixing: Fixing) -> None:
    enforce(fixing, FOR_GEMINI, "lab")


def no_successor(fixing: Fixing) -> None:
    enforce(fixing, FOR_GEMINI, "lab", "CREATE")


def another_s(fixing: Fixing) -> None:
    may_all(fixing)
    fixing.stranger("chat", "lab")


def no_policy(fixing: Fixing) -> None:
    may_all(fixing)
    (fixing.folder / "policy.toml").unlink()


def other_policy(fixing: Fixing) -> None:
    may_all(fixing)
    (fixing.folder / "policy.toml").write_text(POLICY.replace('"lab"', '"shop"'))


def only_wave(fixing: Fixing) -> None:
    """Contained already, and no sink to go on with."""
    assert fixing.apply("--only").code == 0
    may_not_hand_over(fixing)


def under_way(fixing: Fixing) -> None:
    """The grace is over, and nobody may delete the old key."""
    assert fixing.apply("--policy", str(fixing.folder / "policy.toml")).code == 0
    fixing.served.control("clock", {"advance": "25h"})
    may_all(fixing)


def grace_over(fixing: Fixing) -> None:
    """Nobody may list the versions of the secret, the older of which are to be disabled."""
    under_way(fixing)
    may(fixing, *READS, *MAKES, *SINK, "apikeys.keys.delete")


FOR_GEMINI = f"resource.restrictions.apiTargets.exists(each, each.service == '{GEMINI}')"
BY_OWNER = (no_first_step, no_successor)
STATES = (
    *(*BY_OWNER, may_not_make, may_not_hand_over, may_not_change),
    *(another_s, no_policy, other_policy, only_wave, under_way, grace_over),
)


def changing(fixing: Fixing) -> list[str]:
    other = ("CreateKey", "AddSecretVersion", "CreateSecret", "CreateServiceAccount")
    return [*writes(fixing), *(name for name in fixing.served.methods() if name in other)]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_dry_run_of_two_steps_ends_as_the_run_does(fixing: Fixing, state: Callable[[Fixing], None]) -> None:
    fixing.seed("lab", fixing.seed_key("chat", age=30, use=[(GEMINI, 1, 50)]))
    path = fixing.folder / "policy.toml"
    path.write_text(POLICY)
    fixing.plan("--projects", "lab", "--key", "chat", "--policy", str(path))
    state(fixing)
    policy = ["--policy", str(path)] if path.exists() else []
    before, user = changing(fixing), "owner@example.com" if state in BY_OWNER else HELPER
    dry = fixing.apply(*policy, "--dry-run", user=user)
    assert changing(fixing) == before
    done = fixing.apply(*policy, "--format", "json", user=user)
    assert done.code == 3, done.err
    assert (dry.code, told(dry)) == (done.code, told(done))


def asked(fixing: Fixing, *words: str) -> Result:
    """Somebody looks at the question and says no."""
    done = fixing.type("audit", "fix", *words, "--observe", "0s", terminal=True, stdin="n\n")
    assert done.code == 1, done.err
    return done


def test_what_a_constraint_refuses_is_said_before_the_plan_is_written_and_before_the_question(fixing: Fixing) -> None:
    enforce(fixing, NO_MAPS)
    out = fixing.type("audit", "fix", "--projects", "shop", "--out", str(fixing.folder / "plan.json"))
    assert out.code == 0, out.err
    fresh = asked(fixing, "--projects", "shop")
    later = asked(fixing, "--apply", str(fixing.folder / "plan.json"))
    for done in (out, fresh, later):
        said = " ".join(done.err.split())
        assert "2 of 3 changes could not be made as things stand" in said, said
        assert TEXT in said
    assert "the question" not in fresh.err
    assert not writes(fixing)


def test_what_is_not_permitted_is_said_before_the_question_but_not_in_a_plan_for_others(fixing: Fixing) -> None:
    may_not = [each for each in READS if each != "apikeys.keys.update"]
    fixing.served.grant(HELPER, *may_not, project="shop")
    out = fixing.type("audit", "fix", "--projects", "shop", "--out", str(fixing.folder / "plan.json"), user=HELPER)
    assert "would not be made" not in out.err
    done = fixing.type("audit", "fix", "--projects", "shop", terminal=True, stdin="n\n", user=HELPER)
    assert "3 of 3 changes could not be made as things stand" in done.err
    assert "apikeys.keys.update is missing" in done.err


def test_what_could_not_be_read_is_said_to_be_unknown(fixing: Fixing) -> None:
    fixing.seed("lab", fixing.seed_key("words", use=[("translate.googleapis.com", 1, 3)]))
    fixing.served.seed(organizations=[{"name": ORGANIZATION, "displayName": "77.example", "iam": {"roles/browser": [OWNER]}}])
    for words in (["--out", str(fixing.folder / "plan.json")], ["--dry-run"]):
        done = fixing.type("audit", "fix", "--projects", "lab", *words)
        assert done.code == 0, done.err
        assert "whether a constraint of the organisation refuses it is not known: orgpolicy.customConstraints" in done.err
        assert "only the change itself will show it" in done.err
    fixing.served.control("faults", {"method": "TestIamPermissions", "code": "PERMISSION_DENIED", "times": 99})
    dry = fixing.apply("--dry-run")
    assert dry.code == 0, dry.err
    assert "whether you have the permissions that it takes is not known" in dry.err


def test_an_undo_says_before_its_question_what_it_would_leave_and_what_is_not_known(fixing: Fixing) -> None:
    fixing.plan("--projects", "shop")
    assert fixing.apply().code == 0
    plan = str(fixing.folder / "plan.json")
    first = fixing.type("audit", "undo", plan, terminal=True, stdin="n\n")
    assert "whether a constraint of the organisation refuses it is not known" in first.err
    enforce(fixing, NO_TARGET)
    done = fixing.type("audit", "undo", plan, terminal=True, stdin="n\n")
    assert done.code == 1
    assert "could not be put back as things stand" in done.err
    assert TEXT in done.err


def test_an_undo_by_one_who_may_not_bring_keys_back_is_foreseen(fixing: Fixing) -> None:
    fixing.plan("--projects", "shop")
    assert fixing.apply().code == 0
    fixing.served.grant(HELPER, *READS, project="shop")
    before = writes(fixing)
    dry = fixing.undo("--dry-run", user=HELPER)
    assert writes(fixing) == before
    done = fixing.undo("--format", "json", user=HELPER)
    assert (dry.code, told(dry)) == (done.code, told(done))
    assert done.code == 3
    assert "apikeys.keys.undelete is missing" in told(done)
