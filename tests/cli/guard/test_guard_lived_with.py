"""keyadmin under its own guards: what a constraint refuses is said beforehand, in its own words, with what cures it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api_core.exceptions import FailedPrecondition
from google.cloud import api_keys_v2
from google.cloud.api_keys_v2.services.api_keys.transports import ApiKeysGrpcTransport

from keyadmin.access.constraints import told
from keyadmin.model.causes.facts import ErrorFacts
from keyadmin.model.problem import Cause
from tests.cli.guard.conftest import AUTH, CLIENTS, GEMINI, MAPS, ORG, TARGETS
from tests.cli.guard.wire import make_constraint, set_policy

P = ("-p", "demo-project")
OPEN = ("create", "--name", "fresh", "--standard", "--api-target", MAPS, "--allowed-ips", "0.0.0.0/0", *P)
CHANGING = ("Create", "Update", "Delete", "Enable", "BatchEnable")


@pytest.fixture
def enforced(guard: Callable[..., Any]) -> None:
    """All four are enforced."""
    assert guard("apply", "--organization", "1000", "--enforce", "--yes", "--no-preview").code == 0


def _writes(org: Any, before: int) -> list[str]:
    return [method for method in org.methods()[before:] if method.startswith(CHANGING)]


@pytest.mark.usefixtures("enforced")
def test_a_creation_that_a_constraint_refuses(keys: Callable[..., Any], org: Any) -> None:
    before = len(org.methods())
    dry = keys(*OPEN, "--dry-run", "--format", "json")
    assert not _writes(org, before)
    real = keys(*OPEN, "--format", "json")
    assert (real.code, dry.code) == (1, 1)
    assert dry.error == real.error
    assert real.error["cause"] == "org-policy-constraint"
    assert "lets everybody in" in real.error["message"]
    assert CLIENTS in real.error["message"]
    assert "guard status -p demo-project" in str(real.error["fix"])
    assert keys("create", "--name", "fresh", *P, "--no-verify").code == 0


@pytest.mark.usefixtures("enforced")
def test_nothing_is_prepared_for_a_key_that_is_refused(cli: Callable[..., Any], org: Any) -> None:
    org.seed(projects=[{"projectId": "bare-project", "parent": ORG, "iam": {"roles/owner": ["user:owner@example.com"]}}])
    line = ("keys", "create", "--name", "fresh", "--standard", "-p", "bare-project", "--allow-exposure")
    before = len(org.methods())
    done = cli(*line, env={"KEYADMIN_SANDBOX": org.rest})
    assert done.code == 1
    assert AUTH in done.err
    assert not _writes(org, before)


@pytest.mark.usefixtures("enforced")
def test_a_change_that_does_not_cure_is_refused_and_one_that_does_goes_through(keys: Callable[..., Any], org: Any) -> None:
    line = ("rename", "open", "another", *P)
    dry, real = keys(*line, "--dry-run", "--format", "json"), keys(*line, "--format", "json")
    assert (real.code, dry.error) == (1, real.error)
    assert "Name the APIs that it is for" in real.error["message"]
    assert "keys restrict open -p demo-project --api-target SERVICE" in str(real.error["fix"])
    assert keys("restrict", "open", *P, "--api-target", MAPS, "--yes").code == 0
    assert keys(*line).code == 0


@pytest.mark.usefixtures("enforced")
def test_a_refusal_is_not_taken_for_use_of_the_key(keys: Callable[..., Any]) -> None:
    done = keys("restrict", "wide", *P, "--api-target", GEMINI, "--yes", "--format", "json")
    assert done.code == 1
    assert done.error["cause"] == "org-policy-constraint"
    assert "7 days" not in done.error["message"]


@pytest.mark.usefixtures("enforced")
@pytest.mark.parametrize("line", [("unrestrict", "narrow"), ("rotate", "open", "--grace", "0s")])
def test_nobody_is_asked_about_what_a_constraint_refuses(cli: Callable[..., Any], org: Any, line: tuple[str, ...]) -> None:
    done = cli("keys", *line, *P, env={"KEYADMIN_SANDBOX": org.rest}, stdin="y\n", terminal=True)
    assert done.code == 1
    assert "[y/N]" not in done.err
    assert TARGETS in done.err


@pytest.mark.usefixtures("enforced")
@pytest.mark.parametrize(
    ("verb", "name", "by"), [("rotate", "open", TARGETS), ("migrate", "standard", AUTH), ("rotate", "wide", CLIENTS)]
)
def test_a_rotation_says_beforehand_that_its_notes_are_refused(
    keys: Callable[..., Any], org: Any, verb: str, name: str, by: str
) -> None:
    line = (verb, name, *P, "--yes", "--grace", "0s")
    before = len(org.methods())
    dry = keys(*line, "--dry-run", "--format", "json")
    real = keys(*line, "--format", "json")
    assert real.code == 1, real.out
    assert "the notes that keyadmin writes on the old key" in real.error["message"]
    assert by in real.error["message"]
    assert real.error["fix"][0].startswith(("cure the key first", "make an auth key")), real.error["fix"]
    assert dry.code == 1
    assert dry.error["message"] == real.error["message"]
    assert not _writes(org, before)


@pytest.mark.usefixtures("enforced")
def test_a_key_that_keeps_to_them_is_rotated(keys: Callable[..., Any]) -> None:
    done = keys("rotate", "good", *P, "--yes", "--format", "json")
    assert done.code == 0, done.err
    assert done.json["generation"] == 2


def test_a_rotation_that_meets_one_on_its_way_says_so(
    cli: Callable[..., Any], guard: Callable[..., Any], org: Any, tmp_path: Path
) -> None:
    """By `rotation run`, which makes no successor whose notes would be refused."""
    env = {"KEYADMIN_SANDBOX": org.rest}
    policy = tmp_path / "keyadmin.toml"
    policy.write_text('[[rule]]\nname = "all"\nkeys = ["open"]\nprojects = ["demo-project"]\nmax-age = "0s"\nsinks = []\n')
    assert cli("rotation", "adopt", "open", *P, env=env).code == 0
    guard("apply", "--organization", "1000", "--enforce", "--yes", "--no-preview")
    org.control("clock", {"advance": "1h"})
    line = ("rotation", "run", "--policy", str(policy))
    before = len(org.methods())
    done = cli(*line, env=env)
    assert "CreateKey" not in org.methods()[before:]
    assert done.code in (1, 3), done.err
    assert "the notes that keyadmin writes on the old key" in done.err + done.out
    dry = cli(*line, "--dry-run", env=env)
    assert dry.code == done.code
    assert "the notes that keyadmin writes on the old key" in dry.err + dry.out


def test_another_s_constraint_is_told_with_its_own_words(keys: Callable[..., Any], org: Any) -> None:
    make_constraint(
        org.rest, "custom.names", condition="resource.displayName.startsWith('tmp')", description="No temporary keys."
    )
    set_policy(org.rest, ORG, "custom.names", spec={"rules": [{"enforce": True}]})
    line = ("create", "--name", "tmp-1", *P, "--no-verify", "--format", "json")
    dry, real = keys(*line, "--dry-run"), keys(*line)
    assert (real.code, dry.error) == (1, real.error)
    assert "No temporary keys. (custom.names)" in real.error["message"]


def test_what_may_not_be_read_is_said_in_a_dry_run(cli: Callable[..., Any], org: Any) -> None:
    org.control("faults", {"method": "ListCustomConstraints", "code": "PERMISSION_DENIED", "times": 9, "when": "before"})
    env = {"KEYADMIN_SANDBOX": org.rest}
    done = cli("keys", "rename", "good", "better", *P, "--dry-run", env=env)
    assert done.code == 0, done.err
    assert "whether a constraint of the organisation refuses it is not known" in done.err
    assert cli("keys", "rename", "good", "better", *P, env=env).code == 0


def test_doctor_reads_them(cli: Callable[..., Any], guard: Callable[..., Any], org: Any) -> None:
    def doctor(*words: str, user: str = "owner@example.com") -> Any:
        env = {"KEYADMIN_SANDBOX": org.rest, "KEYADMIN_SANDBOX_USER": user}
        done = cli("doctor", *words, "--format", "json", env=env)
        return done.json[0], {check["id"]: check for check in done.json[0]["checks"]}

    assert "org-policy:constraints" not in doctor("demo-project", "--for", "create-standard-key")[1]
    guard("apply", "--organization", "1000", "--enforce", "--yes", "--no-preview")
    found, checks = doctor("demo-project", "--for", "create-standard-key")
    assert not found["ready"]
    assert checks["org-policy:constraints"]["status"] == "failed"
    assert AUTH in checks["org-policy:constraints"]["detail"]
    found, checks = doctor("demo-project", "--for", "guard")
    assert found["ready"], checks
    found, checks = doctor("demo-project", "--for", "guard", user="nobody@example.com")
    assert not found["ready"]
    found, checks = doctor("alone-project", "--for", "guard")
    assert "organisation policies need an organisation" in str(checks)


@pytest.mark.usefixtures("enforced")
def test_googles_own_client_is_refused_and_told_what_to_do(org: Any) -> None:
    with grpc.insecure_channel(org.control("")["grpc"]) as channel:
        client = api_keys_v2.ApiKeysClient(transport=ApiKeysGrpcTransport(channel=channel))
        parent = "projects/demo-project/locations/global"
        with pytest.raises(FailedPrecondition) as refused:
            client.create_key(parent=parent, key=api_keys_v2.Key(display_name="open"), key_id="by-client")
    assert "Operation denied by org policy on resource 'projects/" in refused.value.message
    assert "Name the APIs that it is for" in refused.value.message
    assert refused.value.reason == "CUSTOM_ORG_POLICY_VIOLATION"


FORMS = (
    (
        400,
        "FAILED_PRECONDITION",
        'Operation denied by org policy on resource \'projects/1\': ["customConstraints/custom.x": "Do \\"this\\"."]',
    ),
    (412, "FAILED_PRECONDITION", 'Operation denied by custom org policies: ["customConstraints/custom.x": "Do \\"this\\"."]'),
    (403, "PERMISSION_DENIED", 'Operation denied by org policy: ["customConstraints/custom.x": "Do \\"this\\"."]'),
)


@pytest.mark.parametrize(("code", "status", "message"), FORMS, ids=["400", "412", "403"])
def test_every_form_of_the_refusal_is_told_in_the_constraints_words(code: int, status: str, message: str) -> None:
    from keyadmin.access.advice import problem_from

    facts = ErrorFacts(
        code=code, status=status, message=message, service="apikeys.googleapis.com", method="CreateKey", project="shop"
    )
    problem = told(problem_from(facts), "shop", "create the key 'a'")
    assert problem.cause is Cause.ORG_POLICY_CONSTRAINT
    assert problem.message == "an organisation policy forbids to create the key 'a': Do \"this\". (custom.x)"
