"""The rehearsal, Google's preview beside it, and the forms for gcloud and Terraform."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import yaml

from tests.cli.guard.conftest import ALONE, AUTH, CLIENTS, FOUR, ORG, TARGETS
from tests.cli.guard.wire import ask, constraints

INVENTORY = ("SearchAllResources", "SearchProjects", "ListKeys", "ListFolders", "GetProject")
PREVIEW = ("CreateOrgPolicyViolationsPreview", "GetOperation", "ListOrgPolicyViolations")


def test_it_names_the_keys_and_what_refuses_them(guard: Callable[..., Any]) -> None:
    seen = guard("plan", "--organization", "1000", "--rehearse", "--format", "json").json["rehearsal"]
    by = {each["keyName"]: each["by"] for each in seen["refused"]}
    assert by == {"open": [TARGETS], "loose": [TARGETS], "mixed": [ALONE, AUTH], "standard": [AUTH], "wide": [CLIENTS]}
    assert seen["keys"] == 7
    assert seen["ownWork"] == {"notes": 5, "successors": 5, "migrations": 4, "splits": 0, "mixedKeys": 1}
    for_people = guard("plan", "--organization", "1000", "--rehearse").out
    assert "would refuse 5 of the 7 keys as they are, these:" in for_people
    assert "'wide' wide of project demo-project: custom.keyadminNoOpenClients" in for_people
    assert "keys restrict KEY --api-target SERVICE" in for_people


def test_google_names_the_same_keys(guard: Callable[..., Any]) -> None:
    seen = guard("plan", "--organization", "1000", "--rehearse", "--format", "json").json["rehearsal"]["preview"]
    assert seen["unknown"] is None
    (told,) = seen["constraints"]
    assert told["constraint"] == ", ".join(FOUR)
    assert (told["same"], told["hereAlone"], told["googleAlone"]) == (5, [], [])


def test_differences_are_shown(guard: Callable[..., Any], org: Any) -> None:
    """The inventory lags: a key that was made a moment ago is Google's alone."""
    org.control("clock", {"advance": "7h"})
    org.control("propagation", {"inventory": "6h"})
    ask(org.rest, "POST", "/v2/projects/demo-project/locations/global/keys?keyId=just-made", {})
    line = ("plan", "--organization", "1000", "--rehearse", "--constraint", "key-has-targets")
    seen = guard(*line, "--format", "json").json["rehearsal"]
    (told,) = seen["preview"]["constraints"]
    assert [each["keyName"] for each in seen["refused"]] == ["loose", "open"]
    assert any(name.endswith("/just-made") for name in told["googleAlone"])
    assert "Google alone names" in guard(*line).out


def test_a_preview_that_may_not_be_asked_is_said_once(guard: Callable[..., Any], org: Any) -> None:
    org.control("faults", {"method": PREVIEW[0], "code": "PERMISSION_DENIED", "times": 9, "when": "before"})
    before = len(org.methods())
    done = guard("plan", "--organization", "1000", "--rehearse", "--format", "json")
    assert done.code == 0
    assert "could not be asked" in str(done.json["rehearsal"]["preview"]["unknown"])
    assert org.methods()[before:].count(PREVIEW[0]) == 1


def test_a_project_that_cannot_be_read_is_said(guard: Callable[..., Any], org: Any) -> None:
    org.control("faults", {"method": "SearchAllResources", "code": "PERMISSION_DENIED", "times": 9, "when": "before"})
    org.control("faults", {"method": "ListKeys", "code": "PERMISSION_DENIED", "times": 1, "when": "before"})
    seen = guard("plan", "--organization", "1000", "--rehearse", "--no-preview", "--format", "json").json["rehearsal"]
    assert len(seen["errors"]) == 1


def test_a_plan_takes_few_calls_beside_the_inventory(guard: Callable[..., Any], org: Any) -> None:
    before = len(org.methods())
    guard("plan", "--organization", "1000", "--rehearse", "--no-preview")
    asked = [method for method in org.methods()[before:] if method not in INVENTORY]
    assert len(asked) <= 6, asked
    before = len(org.methods())
    guard("plan", "--organization", "1000", "--rehearse")
    asked = [method for method in org.methods()[before:] if method not in INVENTORY]
    assert len(asked) <= 6, asked


def test_only_what_lies_below_the_place_is_rehearsed(guard: Callable[..., Any]) -> None:
    seen = guard("plan", "--folder", "1001", "--rehearse", "--format", "json").json["rehearsal"]
    assert [each["keyName"] for each in seen["refused"]] == ["loose"]
    assert seen["preview"]["constraints"][0]["same"] == 1
    seen = guard("plan", "-p", "demo-project", "--rehearse", "--format", "json").json["rehearsal"]
    assert seen["keys"] == 6


def test_the_yaml_of_gcloud_is_taken_by_the_api(guard: Callable[..., Any], org: Any) -> None:
    line = ("--folder", "1001", "--except-tag", "1000/env=lab", "--deny-gemini")
    text = guard("plan", *line, "--as", "gcloud").out
    documents = list(yaml.safe_load_all(text))
    commands = re.findall(r"^# (gcloud .*)$", text, re.MULTILINE)
    assert len(documents) == len(commands) == 9
    for document, command in zip(documents, commands, strict=True):
        if "set-custom-constraint" in command:
            body, path = document, "/v2/organizations/1000/customConstraints"
            assert set(document) == {
                "name",
                "resourceTypes",
                "methodTypes",
                "condition",
                "actionType",
                "displayName",
                "description",
            }
        else:
            body, path = document, "/v2/folders/1001/policies"
            assert ("--update-mask=policy.dry_run_spec" in command) == ("dryRunSpec" in document)
        assert ask(org.rest, "POST", path, body)[0] == 200, document
    assert constraints(org.rest) == sorted(FOUR)
    again = guard("apply", *line, "--yes", "--format", "json")
    assert again.json["steps"] == []  # what gcloud made is what keyadmin would have


BLOCK = re.compile(r'^resource "([a-z_]+)" "([a-z_]+)" \{$', re.MULTILINE)


def test_terraform_says_the_same(guard: Callable[..., Any]) -> None:
    text = guard("plan", "--organization", "1000", "--as", "terraform", "--except-tag", "1000/env=lab").out
    kinds = BLOCK.findall(text)
    assert [kind for kind, _ in kinds].count("google_org_policy_custom_constraint") == 4
    assert [kind for kind, _ in kinds].count("google_org_policy_policy") == 4
    assert text.count("{") == text.count("}")
    known = {"name", "parent", "display_name", "description", "action_type", "condition", "method_types", "resource_types"}
    used = set(re.findall(r"^  ([a-z_]+) += ", text, re.MULTILINE))
    assert used == known
    for value in re.findall(r'^  condition +=( ".*")$', text, re.MULTILINE):
        assert "resource." in json.loads(value)
    assert text.count("dry_run_spec {") == 4
    assert "expression = \"resource.matchTag('1000/env', 'lab')\"" in text
    assert f'parent         = "{ORG}"' in text
