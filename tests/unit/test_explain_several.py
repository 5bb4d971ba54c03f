"""explain() on texts that hold several errors: each is told by itself, with the names that it has itself."""

from __future__ import annotations

import json
from itertools import permutations

import pytest

from keyadmin.access.explain import explain, explain_all

Told = tuple[str, str | None, str | None, str | None]  # cause, permission, service, project


def told(text: str) -> list[Told]:
    return [(each.cause.value, each.permission, each.service, each.project) for each in explain_all(text)]


def _details(permission: str, project: str) -> str:
    detail = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "domain": "iam.googleapis.com",
        "metadata": {"permission": permission, "resource": f"projects/{project}/locations/global"},
        "reason": "IAM_PERMISSION_DENIED",
    }
    return "\nDetails:\n" + json.dumps([detail], indent=2)


ERRORS: dict[str, tuple[str, Told]] = {
    "key": (
        "Error creating Key: googleapi: Error 403: Permission 'apikeys.keys.create' denied on resource "
        "'//apikeys.googleapis.com/projects/alpha-web-1/locations/global' (or it may not exist).",
        ("missing-iam-permission", "apikeys.keys.create", "apikeys.googleapis.com", "alpha-web-1"),
    ),
    "key-details": (
        "Error creating Key: googleapi: Error 403: Permission 'apikeys.keys.create' denied on resource (or it may not exist)."
        + _details("apikeys.keys.create", "gamma-web-3"),
        ("missing-iam-permission", "apikeys.keys.create", "apikeys.googleapis.com", "gamma-web-3"),
    ),
    "account": (
        "Error creating service account: googleapi: Error 403: Permission 'iam.serviceAccounts.create' denied on resource (or "
        "it may not exist).",
        ("missing-iam-permission", "iam.serviceAccounts.create", "iam.googleapis.com", None),
    ),
    "enable": (
        "Error when reading or editing Project Service beta-web-22/youtube.googleapis.com: googleapi: Error 403: Permission "
        "denied to enable service [youtube.googleapis.com]",
        ("enable-service-denied", "serviceusage.services.enable", "youtube.googleapis.com", "beta-web-22"),
    ),
    "off": (
        "Error creating Repository: googleapi: Error 403: Artifact Registry API has not been used in project delta-web-4 "
        "before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/artifactregistry."
        "googleapis.com/overview?project=delta-web-4 then retry.",
        ("api-not-enabled", None, "artifactregistry.googleapis.com", "delta-web-4"),
    ),
    "topic": (
        "Error creating Topic: googleapi: Error 403: User not authorized to perform this action., forbidden",
        ("missing-iam-permission", None, None, None),
    ),
    "network": (
        "Error creating Network: googleapi: Error 403: Required 'compute.networks.create' permission for "
        "'projects/epsilon-web-5/global/networks/n', forbidden",
        ("missing-iam-permission", "compute.networks.create", "compute.googleapis.com", "epsilon-web-5"),
    ),
    "billing": (
        "Error when reading or editing Project Service foo/compute.googleapis.com: Request `Create Project Service "
        "compute.googleapis.com` returned error: failed to send enable services request: googleapi: Error 400: Billing account "
        "for project '123456789012' is not found. Billing must be enabled for activation of service(s) "
        '\'compute.googleapis.com\' to proceed.\nHelp Token: AYJSYsXyz\nDetails: [{"@type":"type.googleapis.com/google.rpc.'
        'PreconditionFailure","violations":[{"subject":"?error_code=390001&project=123456789012&services=compute.googleapis.'
        'com","type":"googleapis.com/billing-enabled"}]}]\n, failedPrecondition',
        ("billing-disabled", None, "compute.googleapis.com", "123456789012"),
    ),
    "quota-project": (
        "Error creating Key: googleapi: Error 403: Your application is authenticating by using local Application Default "
        "Credentials. The apikeys.googleapis.com API requires a quota project, which is not set by default. To learn how to "
        "set your quota project, see https://cloud.google.com/docs/authentication/adc-troubleshooting/user-creds .\nDetails:\n"
        + json.dumps(
            [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "domain": "googleapis.com",
                    "metadata": {"consumer": "projects/764086051850", "service": "apikeys.googleapis.com"},
                    "reason": "SERVICE_DISABLED",
                }
            ],
            indent=2,
        ),
        ("quota-project-not-set", None, "apikeys.googleapis.com", None),
    ),
}


def _where(number: int) -> str:
    """What Terraform says of the place: it ends with the first line of a block, whose brace stays open."""
    head = f'resource "google_thing" "r{number}"'
    return f"\n  with google_thing.r{number},\n  on main.tf line {number}2, in {head}:\n  {number}2: {head} {{\n"


def _boxes(names: tuple[str, ...]) -> str:
    out = "google_project_service.yt: Creating...\ngoogle_apikeys_key.a: Creating...\n"
    for number, name in enumerate(names, 1):
        lines = f"Error: {ERRORS[name][0]}\n{_where(number)}".split("\n")
        out += "╷\n" + "\n".join(f"│ {line}".rstrip() for line in lines) + "\n╵\n"
    return out


def _paragraphs(names: tuple[str, ...]) -> str:
    errors = (f"\nError: {ERRORS[name][0]}\n{_where(number)}\n" for number, name in enumerate(names, 1))
    return "google_project_service.yt: Creating...\n" + "\n".join(errors)


def _in_ci(names: tuple[str, ...]) -> str:
    lines = _boxes(names).rstrip("\n").split("\n")
    return "\n".join(f"2026-11-20T10:00:{second % 60:02}.1234567Z {line}" for second, line in enumerate(lines))


def _coloured(names: tuple[str, ...]) -> str:
    return (
        _boxes(names)
        .replace("╷", "\x1b[31m╷\x1b[0m\x1b[0m")
        .replace("│ Error: ", "\x1b[31m│\x1b[0m \x1b[1m\x1b[31mError: \x1b[0m")
    )


SEQUENCES = [
    *permutations(("key", "account", "enable")),
    *permutations(("key", "off")),
    *permutations(("topic", "network", "account")),
    ("quota-project", "billing"),
    ("billing", "quota-project"),
    ("key-details", "key"),
    ("key", "key-details", "off"),
    ("off", "key-details", "topic", "billing"),
    ("billing", "off", "account", "key-details"),
    ("enable", "topic", "key", "network", "billing"),
    ("key-details", "quota-project", "off", "account", "enable"),
]


@pytest.mark.parametrize("form", [_boxes, _paragraphs, _in_ci, _coloured], ids=["boxes", "paragraphs", "ci", "colours"])
@pytest.mark.parametrize("names", SEQUENCES, ids="-".join)
def test_each_error_of_terraform_is_one_answer(form: object, names: tuple[str, ...]) -> None:
    assert callable(form)
    assert told(form(names)) == [ERRORS[name][1] for name in names]


def test_the_last_box_is_explained_and_the_others_are_counted() -> None:
    found = explain(_boxes(("key", "account", "enable")))
    assert (found.others, found.project) == (2, "beta-web-22")
    assert any("--project beta-web-22" in line for line in found.fix)
    assert all("alpha-web-1" not in line for line in found.fix)


def test_a_box_whose_end_was_cut_off_is_read() -> None:
    text = _boxes(("key", "off"))
    assert told(text[: text.rindex("╵")]) == [ERRORS["key"][1], ERRORS["off"][1]]
    assert told(text[text.index("│") :]) == [ERRORS["key"][1], ERRORS["off"][1]]


def test_the_same_box_twice_is_counted_twice() -> None:
    (found,) = explain_all(_boxes(("key", "key")))
    assert found.count == 2


@pytest.mark.parametrize("names", [("key", "account"), ("off", "key-details", "enable"), ("network", "off", "account", "key")])
def test_each_error_of_pulumi_is_one_answer(names: tuple[str, ...]) -> None:
    text = "Diagnostics:\n  pulumi:pulumi:Stack (shop-dev):\n    error: update failed\n\n"
    for number, name in enumerate(names):
        inner = ERRORS[name][0].replace("\n", "\n    \t")
        text += f"  gcp:projects/apiKey:ApiKey (r{number}):\n    error: 1 error occurred:\n    \t* {inner}\n\n"
    assert told(text) == [ERRORS[name][1] for name in names]


GCLOUD = {
    "ERROR: (gcloud.services.enable) PERMISSION_DENIED: Permission denied to enable service [vision.googleapis.com]": (
        *("enable-service-denied", "serviceusage.services.enable", "vision.googleapis.com", None),
    ),
    "ERROR: (gcloud.projects.add-iam-policy-binding) [someone@example.com] does not have permission to access projects "
    "instance [beta-web-22:setIamPolicy] (or it may not exist): Policy update access denied.": (
        *("missing-iam-permission", "resourcemanager.projects.setIamPolicy", "cloudresourcemanager.googleapis.com"),
        "beta-web-22",
    ),
    "ERROR: (gcloud.ml.vision) PERMISSION_DENIED: Cloud Vision API has not been used in project alpha-web-1 before or it is "
    "disabled.": ("api-not-enabled", None, "vision.googleapis.com", "alpha-web-1"),
    "ERROR: (gcloud.ml.translate) PERMISSION_DENIED: Cloud Translation API has not been used in project gamma-web-3 before or "
    "it is disabled.": ("api-not-enabled", None, "translate.googleapis.com", "gamma-web-3"),
    "ERROR: (gcloud.pubsub.topics.create) PERMISSION_DENIED: The caller does not have permission": (
        *("missing-iam-permission", None, None, None),
    ),
}


@pytest.mark.parametrize("between", ["\n", "\n\n", "\n$ gcloud next\n", "\nUpdated property [core/project].\n"])
@pytest.mark.parametrize("lines", [*permutations(GCLOUD, 2)], ids=range(20))
def test_gcloud_after_gcloud(lines: tuple[str, ...], between: str) -> None:
    assert told(between.join(lines)) == [GCLOUD[line] for line in lines]


SERVICES: list[tuple[str, Told]] = [
    (
        "google.api_core.exceptions.ServiceUnavailable: 503 failed to connect to all addresses; last error: UNKNOWN: "
        "ipv4:203.0.113.9:443: Failed to connect to remote host: Connection refused",
        ("network-unreachable", None, None, None),
    ),
    (
        "google.api_core.exceptions.Forbidden: 403 POST https://bigquery.googleapis.com/bigquery/v2/projects/my-proj/jobs: "
        "Access Denied: Project my-proj: User does not have bigquery.jobs.create permission in project my-proj.",
        ("missing-iam-permission", "bigquery.jobs.create", "bigquery.googleapis.com", "my-proj"),
    ),
    (
        "google.api_core.exceptions.ResourceExhausted: 429 Quota exceeded for quota metric 'Generate Content API requests per "
        "minute' and limit 'GenerateContent request limit per minute for a region' of service "
        "'generativelanguage.googleapis.com' for consumer 'project_number:123456789012'.",
        ("rate-limited", None, "generativelanguage.googleapis.com", "123456789012"),
    ),
    (
        "google.api_core.exceptions.PermissionDenied: 403 Permission 'storage.objects.get' denied on resource "
        "'projects/beta-web-22' (or it may not exist).",
        ("missing-iam-permission", "storage.objects.get", "storage.googleapis.com", "beta-web-22"),
    ),
    (
        "google.api_core.exceptions.InvalidArgument: 400 API key not valid. Please pass a valid API key.",
        ("api-key-invalid", None, None, None),
    ),
]


def _shown(text: str, form: str, number: int) -> str:
    return form.format(second=number, service=("web", "billing-job", "api")[number % 3], text=text)


LOGS = {
    "time": "2026-11-20T10:00:0{second}Z {service} ERROR {text}",
    "date": "2026-11-20 ERROR {text}",
    "date-in-brackets": "[2026-11-20] {service}: {text}",
    "date-with-slashes": "2026/11/20 {service} ERROR {text}",
    "level": "ERROR {text}",
    "level-in-brackets": "[ERROR] {text}",
    "python": "ERROR:{service}.calls:{text}",
    "compose": "{service}-1  | {text}",
    "compose-level": "{service}-1  | ERROR {text}",
    "syslog": "Nov 20 10:00:0{second} host {service}[77]: {text}",
}


@pytest.mark.parametrize("form", LOGS)
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (4, 3, 1), (1, 4, 0), (3, 0, 2, 4, 1), (4, 2, 0, 1, 3)])
def test_a_log_of_several_services(form: str, order: tuple[int, ...]) -> None:
    lines = [_shown(SERVICES[place][0], LOGS[form], number) for number, place in enumerate(order)]
    assert told("\n".join(lines)) == [SERVICES[place][1] for place in order]


@pytest.mark.parametrize("form", LOGS)
@pytest.mark.parametrize(
    ("permissions", "projects"),
    [
        (["apikeys.keys.create"] * 3, ["alpha-web-1", "beta-web-22", "gamma-web-3"]),
        (["apikeys.keys.create", "apikeys.keys.list", "iam.serviceAccounts.create"], ["alpha-web-1"] * 3),
        (["storage.objects.get", "apikeys.keys.list"], ["beta-web-22", "alpha-web-1"]),
    ],
)
def test_other_permissions_and_projects_are_other_errors(form: str, permissions: list[str], projects: list[str]) -> None:
    wanted = list(zip(permissions, projects, strict=True))
    lines = [
        _shown(
            f"403 Permission '{permission}' denied on resource 'projects/{project}' (or it may not exist).", LOGS[form], number
        )
        for number, (permission, project) in enumerate(wanted)
    ]
    assert [(each[1], each[3]) for each in told("\n".join(lines))] == wanted


DISABLED = "ERROR: (gcloud.x) PERMISSION_DENIED: The caller does not have permission"


@pytest.mark.parametrize(
    ("around", "project"),
    [
        ("Updated property [core/project].\n$ gcloud config set project alpha-web-1 # projects/alpha-web-1\n", "alpha-web-1"),
        ("$ gcloud x --project alpha-web-1\n", "alpha-web-1"),
        ("$ gcloud x --project alpha-web-1\n$ gcloud y --project beta-web-22\n", None),
        ("2026-11-20T10:00:00Z INFO opening projects/alpha-web-1\n", "alpha-web-1"),
        ("2026-11-20T10:00:00Z INFO projects/alpha-web-1\n2026-11-20T10:00:00Z INFO projects/beta-web-22\n", None),
        ("2026-11-20T10:00:00Z ERROR 404 projects/alpha-web-1 got HTTP 404\n", None),
        ("2026-11-20T10:00:00Z project alpha-web-1: Permission 'a.b.c' denied on resource\n", None),
    ],
)
def test_names_of_the_text_around_count_where_it_is_no_error_and_names_one(around: str, project: str | None) -> None:
    assert explain(around + DISABLED).project == project


BLOCKED = json.dumps(
    {
        "error": {
            "code": 403,
            "message": "The provided API key has an IP address restriction.",
            "status": "PERMISSION_DENIED",
            "details": [{"reason": "API_KEY_IP_ADDRESS_BLOCKED", "metadata": {"consumer": "projects/123456789012"}}],
        }
    }
)
NOISE = "".join(f"npm http fetch GET 200 https://registry.example.org/x {number}\n" for number in range(3000))


@pytest.mark.parametrize(
    "error", [BLOCKED, "googleapi: Error 403: " + ERRORS["key"][0], "API key expired. Please renew the API key.\n"]
)
@pytest.mark.parametrize(("before", "after"), [("", NOISE), (NOISE, ""), (NOISE, NOISE), (NOISE * 3, NOISE * 5)])
def test_an_error_within_much_undated_output_is_found(error: str, before: str, after: str) -> None:
    assert len(NOISE) > 100_000
    found = explain(f"{before}{error}\n{after}")
    assert (found.cause, found.project) == (explain(error).cause, explain(error).project)


def test_errors_before_and_after_much_output_are_both_told() -> None:
    text = f"{BLOCKED}\n{NOISE}API key expired. Please renew the API key. generativelanguage.googleapis.com"
    assert [each[0] for each in told(text)] == ["api-key-ip-blocked", "api-key-expired"]
    assert [each[0] for each in told(f"{text}\n{NOISE}")] == ["api-key-ip-blocked", "api-key-expired"]


LINE = "2026-11-20T10:00:02Z ERROR 403 Permission 'apikeys.keys.create' denied on resource 'projects/alpha-web-1'.\n"


@pytest.mark.parametrize(("times", "whole"), [(1336, True), (15_000, True), (30_000, False)])
def test_counts_are_of_what_was_read_and_that_is_said(times: int, whole: bool) -> None:
    found = explain(LINE * times)
    assert (found.count == times, found.part == "") == (whole, whole)


@pytest.mark.parametrize(("times", "whole"), [(150, True), (1000, False)])
def test_many_different_entries_are_said_to_be_read_in_part(times: int, whole: bool) -> None:
    found = explain("".join(LINE.replace("'.", f"' request {number}.") for number in range(times)))
    assert (found.count == times, found.part == "") == (whole, whole)
