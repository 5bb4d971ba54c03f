"""The commands of every cause are typed in the sandbox, beside neighbours: other sites, keys of the name, bindings, projects.

What `explain` and errors end with is the same table: what is typed here is what somebody copies at two in the morning. Where
the sandbox can make the trouble (`TROUBLES`), it is gone afterwards. `NOTHING_TO_TYPE` says which causes have no command of
keyadmin, and why.
"""

from __future__ import annotations

import json
import re
import shlex
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from keyadmin.access.advice import advice
from keyadmin.cli.app import ROOT
from keyadmin.cli.printed import use_table
from keyadmin.model.causes.table import entry
from keyadmin.model.problem import Cause, Problem
from tests.cli.test_advice import BUSY as OF_KIND
from tests.cli.test_advice import FILLED, GEMINI, MAPS, SHA1, commands_in, entries

ANOTHER = "neighbour-project"
SERVICES = [GEMINI, MAPS, "apikeys.googleapis.com", "monitoring.googleapis.com", "cloudresourcemanager.googleapis.com"]
BUSY: dict[str, Any] = {
    "browserKeyRestrictions": {"allowedReferrers": ["https://a.example/*", "https://b.example/*"]},
    "apiTargets": [{"service": "translate.googleapis.com", "methods": ["Get*"]}, {"service": MAPS}],
}
# Causes whose advice has no command of keyadmin: what is typed instead, and where. Other programs' commands are theirs to take.
NOTHING_TO_TYPE: dict[Cause, str] = {
    Cause.QUOTA_PROJECT_NOT_SET: "gcloud's own settings, and its enabling of an API (typed in doctor/test_doctor_typed.py)",
    Cause.QUOTA_PROJECT_DENIED: "gcloud's own settings, and a grant (typed in doctor/test_doctor_typed.py)",
    Cause.ORG_POLICY_BLOCKS_SERVICE_ACCOUNT_KEY: "gcloud org-policies: typed in sandbox/test_iam_programs.py",
    Cause.ORG_POLICY_CONSTRAINT: "gcloud org-policies: the sandbox reads policies only; an admin's consoles",
    Cause.VPC_SERVICE_CONTROLS: "Access Context Manager is an admin's console",
    Cause.RATE_LIMITED: "waiting, and gcloud's own settings",
    Cause.DAILY_QUOTA_EXCEEDED: "waiting; quotas are raised on Google's console",
    Cause.SPENDING_CAP_REACHED: "AI Studio's page of billing",
    Cause.MODEL_OVERLOADED: "waiting",
    Cause.MODEL_NOT_FOUND: "curl to the Gemini API, a change in the caller's own program",
    Cause.CREDENTIALS_EXPIRED: "gcloud opens a browser",
    Cause.REAUTHENTICATION_REQUIRED: "gcloud opens a browser",
    Cause.SERVICE_ACCOUNT_KEY_INVALID: "gcloud iam service-accounts keys: the sandbox has no keys of service accounts",
    Cause.WORKLOAD_IDENTITY_MISCONFIGURED: "gcloud iam workload-identity-pools: the sandbox has no pools",
    Cause.OAUTH_CLIENT_MISCONFIGURED: "Google's console of OAuth clients",
    Cause.SCOPES_INSUFFICIENT: "gcloud opens a browser, or stops a virtual machine",
    Cause.REGION_NOT_SUPPORTED: "where the caller is",
    Cause.MULTIPLE_CREDENTIALS: "a change in the caller's own program",
    Cause.BILLING_DISABLED: "gcloud billing: money is not the sandbox's",
    Cause.TERMS_NOT_ACCEPTED: "Google's console, by the person",
    Cause.INVALID_ARGUMENT: "what the error itself says",
    Cause.CONFLICT: "the same command once more",
    Cause.UNKNOWN: "nothing is known that would help",
}


use_table({name: each.target for name, each in ROOT.entries.items()})


def world(*keys: dict[str, Any]) -> dict[str, Any]:
    """A seed: the project of the trouble with these keys, and what must not be touched in it and beside it."""
    neighbours = [
        {"keyId": "web-2", "displayName": "web", "restrictions": BUSY},
        {"keyId": "other", "displayName": "other", "restrictions": {"apiTargets": [{"service": GEMINI}]}},
        {"keyId": "gone", "displayName": "web", "deleteTime": "2026-11-20T00:00:00Z"},
    ]
    bound = {"roles/viewer": ["user:zoe@example.com"], "roles/cloudtrace.agent": ["group:ops@example.com"]}
    demo = {"projectId": "demo-project", "services": SERVICES, "keys": [*keys, *neighbours], "iam": bound}
    beside = {
        "projectId": ANOTHER,
        "parent": "organizations/1000",
        "services": SERVICES,
        "iam": bound | {"roles/owner": ["user:owner@example.com"]},
        "keys": [{"keyId": "web", "displayName": "web", "restrictions": BUSY}],
    }
    policies = {"organizations/1000": {"iam.managed.disableServiceAccountApiKeyCreation": True}}
    return {"projects": [demo, beside], "orgPolicies": policies}


class Neighbours:
    """Everything that stands in the sandbox, to be compared before and after."""

    def __init__(self, rest: str) -> None:
        self.rest = rest

    def ask(self, path: str, data: Any = None, method: str | None = None) -> Any:
        """What the server answers: to a GET, a POST where there is data, or another method."""
        request = urllib.request.Request(
            f"{self.rest}{path}",
            data=None if data is None else json.dumps(data).encode(),
            headers={"Content-Type": "application/json", "Authorization": "Bearer owner@example.com"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def keys(self, project: str) -> dict[str, Any]:
        found = self.ask(f"/v2/projects/{project}/locations/global/keys?pageSize=300&showDeleted=true").get("keys", [])
        return {
            each["name"]: {name: each.get(name) for name in ("displayName", "restrictions", "deleteTime")} for each in found
        }

    def standing(self, target: str) -> dict[str, Any]:
        """All keys but the target, the bindings one by one, the projects and the policy."""
        out: dict[str, Any] = {}
        for project in ("demo-project", ANOTHER):
            own = f"/{target}" if project == "demo-project" else None
            out |= {name: each for name, each in self.keys(project).items() if own is None or not name.endswith(own)}
            policy = self.ask(f"/v3/projects/{project}:getIamPolicy", {})
            for binding in policy["bindings"]:
                out |= {f"{project} {binding['role']} {member}": True for member in binding["members"]}
            out[f"state of {project}"] = self.ask(f"/v3/projects/{project}")["state"]
        constraint = "iam.managed.disableServiceAccountApiKeyCreation"
        out["policy"] = self.ask(f"/v2/organizations/1000/policies/{constraint}:getEffectivePolicy")["spec"]
        return out


def filled_in(line: str, **more: str) -> list[str]:
    """The words to type: what stands for something is replaced by what this world calls it."""
    for name, value in {**FILLED, "ANOTHER_PROJECT": ANOTHER, **more}.items():
        line = re.sub(rf"(?<![\w=]){re.escape(name)}(?![\w=])", value, line)
    return shlex.split(line)[1:]


CASES = [(cause, variant) for cause in Cause for variant in ("", *entry(cause).variants)]


def lines_of(cause: Cause, variant: str) -> list[str]:
    """The commands of keyadmin in the steps of a cause, with the names of this world."""
    permission = "iam.serviceAccounts.actAs" if variant == "act-as" else None
    problem = Problem(cause, "m", project="demo-project", service=MAPS, permission=permission, variant=variant or None)
    return [line for step in advice(problem) for line in commands_in(step)]


TYPED = [case for case in CASES if lines_of(*case)]
ASKED = "there is no terminal, so keyadmin cannot ask"


def typed_out(cli: Callable[..., Any], line: str, env: dict[str, str], key_string: str = "", **more: str) -> Any:
    """Type a command as it stands; where it asks, answer yes."""
    words = ["--sandbox", *filled_in(line, **more)]
    env = env | {"GEMINI_API_KEY": key_string, "SHELL": "/bin/bash"}
    stdin = f"{key_string}\n" if "-" in words else ""
    done = cli(*words, env=env, stdin=stdin)
    if done.code == 2 and ASKED in done.err:
        done = cli(*words, "--yes", env=env, stdin=stdin)
    assert done.code in (0, 1, 3), (line, done.err)
    assert "went wrong" not in done.err, (line, done.err)
    return done


def restricted_as(cause: Cause) -> dict[str, Any]:
    """Restrictions of the kind that a cause is about, with two entries already."""
    kinds = {Cause.API_KEY_IP_BLOCKED: "ips", Cause.API_KEY_ANDROID_BLOCKED: "android", Cause.API_KEY_IOS_BLOCKED: "ios"}
    return OF_KIND[kinds[cause]] | {"apiTargets": BUSY["apiTargets"]} if cause in kinds else BUSY


@pytest.mark.parametrize(("cause", "variant"), TYPED, ids=[f"{cause.value}-{variant}".strip("-") for cause, variant in TYPED])
def test_the_commands_of_a_cause_take_nothing_from_the_neighbours(
    cli: Callable[..., Any], served: Any, tmp_path: Path, cause: Cause, variant: str
) -> None:
    """Where there is no such trouble too: people type what an error of somebody else's project says."""
    key = {"keyId": "web", "displayName": "web", "restrictions": restricted_as(cause)}
    served.seed(**world(key))
    env = {"KEYADMIN_SANDBOX": served.rest}
    string = cli("keys", "show", "web", "-p", "demo-project", env=env).out.strip()
    around = Neighbours(served.rest)
    before = around.standing("web")
    for line in lines_of(cause, variant):
        typed_out(cli, line, env, string, PATH=str(tmp_path))
    after = around.standing("web")
    assert {name: after.get(name) for name in before} == before
    own = around.keys("demo-project")["projects/100000000001/locations/global/keys/web"]
    assert set(entries(key["restrictions"])) <= set(entries(own["restrictions"])) or own["deleteTime"]
    assert bool(own["deleteTime"]) <= (cause is Cause.API_KEY_LEAKED), "only a key that leaked may go"


def test_every_cause_is_typed_or_it_is_said_why_not() -> None:
    assert set(NOTHING_TO_TYPE) == set(Cause) - {cause for cause, _ in TYPED}


# ---- troubles that the sandbox can make --------------------------------------------------------------------------------------

ACCOUNT = "keyadmin-gemini@demo-project.iam.gserviceaccount.com"
AUTH = {
    "keyId": "web",
    "displayName": "site",
    "serviceAccountEmail": ACCOUNT,
    "restrictions": {"apiTargets": [{"service": GEMINI}]},
}
LEGACY = {name: value for name, value in AUTH.items() if name != "serviceAccountEmail"}


@dataclass(frozen=True)
class Trouble:
    """A world in which `words` fails with the cause; `again` is what works after the advice, where not the same."""

    words: str
    key: dict[str, Any] = field(default_factory=lambda: AUTH)
    again: str = ""
    project: dict[str, Any] = field(default_factory=dict)
    """A third project: the one in trouble."""


OWNED = {"roles/owner": ["user:owner@example.com"]}
TROUBLES: dict[Cause, Trouble] = {
    Cause.API_NOT_ENABLED: Trouble(
        "keys verify dark -p dark-project",
        project={
            "projectId": "dark-project",
            "iam": OWNED,
            "services": SERVICES[1:],
            "keys": [AUTH | {"keyId": "dark", "serviceAccountEmail": ACCOUNT.replace("demo", "dark")}],
        },
    ),
    Cause.PROJECT_NOT_ACTIVE: Trouble(
        "keys create --name new --no-verify -p stopped-project",
        project={"projectId": "stopped-project", "state": "DELETE_REQUESTED", "services": SERVICES, "iam": OWNED},
    ),
    Cause.API_KEY_LEAKED: Trouble("keys verify web", key=AUTH | {"condition": "leaked"}, again="keys verify site"),
    Cause.API_KEY_EXPIRED: Trouble("keys verify web", key=AUTH | {"condition": "expired"}, again="keys verify site"),
    Cause.STANDARD_KEY_REJECTED: Trouble("keys verify web", key=LEGACY, again="keys verify site"),
    Cause.API_KEY_SERVICE_BLOCKED: Trouble(
        "keys verify web", key=AUTH | {"restrictions": {"apiTargets": BUSY["apiTargets"]}}, again="keys verify new-name"
    ),
    Cause.ALREADY_EXISTS: Trouble("keys create --name other --key-id other", again="keys describe other"),
    Cause.ORG_POLICY_BLOCKS_KEY_BINDING: Trouble(
        f"keys create --auth --name new --key-id new --api-target {MAPS}", again="keys verify new-name"
    ),
}


@pytest.mark.parametrize("cause", list(TROUBLES))
def test_after_the_advice_the_trouble_is_gone_and_the_neighbours_are_there(
    cli: Callable[..., Any], served: Any, tmp_path: Path, cause: Cause
) -> None:
    trouble = TROUBLES[cause]
    served.seed(**world(trouble.key))
    served.seed(projects=[trouble.project] if trouble.project else [])
    env = {"KEYADMIN_SANDBOX": served.rest, "KEYADMIN_PROJECT": "demo-project"}
    around = Neighbours(served.rest)
    before = around.standing("web")
    failed = cli(*trouble.words.split(), "--format", "json", env=env)
    assert failed.error["cause"] == cause.value
    for step in failed.error["fix"]:
        for line in commands_in(step):
            typed_out(cli, line, env, PATH=str(tmp_path))
    done = cli(*(trouble.again or trouble.words).split(), env=env)
    assert done.code == 0, done.err
    after = around.standing("web")
    assert {name: after.get(name) for name in before} == before


CALLERS = {
    "referrers": {"Referer": "https://new.example/page"},
    "ips": {},
    "android": {"X-Android-Package": "com.new.app", "X-Android-Cert": "0" * 40},
    "ios": {"X-Ios-Bundle-Identifier": "com.new"},
}
HERE = "127.0.0.1"


@pytest.mark.parametrize("kind", list(CALLERS))
def test_the_site_that_was_shut_out_gets_in_and_the_others_still_do(cli: Callable[..., Any], served: Any, kind: str) -> None:
    """Called as a site calls: the refusal goes to `explain`, its commands are typed, and the same call is answered."""
    served.seed(**world(AUTH | {"restrictions": OF_KIND[kind] | {"apiTargets": [{"service": GEMINI}]}}))
    env = {"KEYADMIN_SANDBOX": served.rest, "KEYADMIN_PROJECT": "demo-project"}
    string = cli("keys", "show", "web", env=env).out.strip()
    around = Neighbours(served.rest)
    before = around.standing("web")
    refused = called(served.rest, string, CALLERS[kind])
    assert "error" in refused
    said = cli("explain", json.dumps(refused), "--format", "json", env=env).json
    lines = [line for step in said["fix"] for line in commands_in(step)]
    assert lines, said
    for line in lines:
        typed_out(cli, line, env, ADDRESS=HERE)
    assert "models" in called(served.rest, string, CALLERS[kind])
    old = {
        "Referer": "https://a.example/x",
        "X-Android-Package": "com.a.x",
        "X-Android-Cert": SHA1,
        "X-Ios-Bundle-Identifier": "com.a",
    }
    if kind != "ips":  # the loopback has one address
        assert "models" in called(served.rest, string, {name: old[name] for name in CALLERS[kind]})
    after = around.standing("web")
    assert {name: after.get(name) for name in before} == before


def test_a_key_that_was_deleted_by_mistake_works_again(cli: Callable[..., Any], served: Any) -> None:
    """Its refusal says only that it is not valid: looking it up tells that it was deleted, and the next step brings it back."""
    served.seed(**world(AUTH))
    env = {"KEYADMIN_SANDBOX": served.rest, "KEYADMIN_PROJECT": "demo-project"}
    string = cli("keys", "show", "web", env=env).out.strip()
    around = Neighbours(served.rest)
    before = around.standing("web")
    assert cli("keys", "delete", "web", "--yes", "--force", env=env).code == 0
    refused = called(served.rest, string, {})
    assert "error" in refused
    said = cli("explain", json.dumps(refused), "--format", "json", env=env).json
    shown = [typed_out(cli, line, env, string) for step in said["fix"][:2] for line in commands_in(step)]
    assert "deleted" in shown[0].out
    assert "models" in called(served.rest, string, {})
    after = around.standing("web")
    assert {name: after.get(name) for name in before} == before


def called(rest: str, key_string: str, headers: dict[str, str]) -> Any:
    """The models of the Gemini API, or the error."""
    request = urllib.request.Request(f"{rest}/v1beta/models", headers={"x-goog-api-key": key_string, **headers})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)
