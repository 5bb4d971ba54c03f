"""`gcloud services api-keys`: all eight commands with all their flags, by the gcloud of this machine, unmodified."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.clients import Gcloud
from tests.sandbox.conftest import Running
from tests.sandbox.wire import send

PARENT = "projects/100000000001/locations/global/keys"
GEMINI = "generativelanguage.googleapis.com"


class ApiKeys:
    """`gcloud services api-keys WORDS --project demo-project`, answers as JSON."""

    def __init__(self, gcloud: Gcloud, project: str = "demo-project") -> None:
        self.gcloud = gcloud
        self.project = project

    def __call__(self, *words: str) -> Any:
        done = self.gcloud("services", "api-keys", *words, f"--project={self.project}", "--format=json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def response(self, *words: str) -> Any:
        """The key in the operation that a changing command prints."""
        operation = self(*words)
        assert operation["done"] is True
        return operation["response"]

    def fails(self, *words: str) -> str:
        done = self.gcloud("services", "api-keys", *words, f"--project={self.project}")
        assert done.returncode == 1, done.stdout
        return done.stderr


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gcloud")


@pytest.fixture
def keys(sandbox: Running, config: Path) -> ApiKeys:
    return ApiKeys(Gcloud(sandbox, config))


def test_create_with_every_flag(keys: ApiKeys) -> None:
    key = keys.response(
        *("create", "--key-id=all-flags", "--display-name=All flags", "--annotations=team=bots,stage=test"),
        *("--allowed-ips=203.0.113.7,2001:db8::/32", f"--api-target=service={GEMINI}"),
        "--api-target=service=translate.googleapis.com,methods=GET",
    )
    assert key["name"] == f"{PARENT}/all-flags"
    assert key["displayName"] == "All flags"
    assert key["keyString"].startswith("AIzaSANDBOX")
    assert key["annotations"] == {"team": "bots", "stage": "test"}
    assert key["restrictions"] == {
        "serverKeyRestrictions": {"allowedIps": ["203.0.113.7", "2001:db8::/32"]},
        "apiTargets": [
            {"service": GEMINI},
            {"service": "translate.googleapis.com", "methods": ["G", "E", "T"]},  # gcloud 528 sends it letter by letter
        ],
    }


@pytest.mark.parametrize(
    ("flag", "restrictions"),
    [
        (
            "--allowed-referrers=https://www.example.com/*,*.example.org",
            {"browserKeyRestrictions": {"allowedReferrers": ["https://www.example.com/*", "*.example.org"]}},
        ),
        (
            "--allowed-bundle-ids=com.example.app,com.example.two",
            {"iosKeyRestrictions": {"allowedBundleIds": ["com.example.app", "com.example.two"]}},
        ),
        (
            "--allowed-application=sha1_fingerprint=DA39A3EE5E6B4B0D3255BFEF95601890AFD80709,package_name=com.example.app",
            {
                "androidKeyRestrictions": {
                    "allowedApplications": [
                        {"sha1Fingerprint": "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709", "packageName": "com.example.app"}
                    ]
                }
            },
        ),
    ],
)
def test_create_with_each_kind_of_client(keys: ApiKeys, flag: str, restrictions: dict[str, Any]) -> None:
    assert keys.response("create", flag)["restrictions"] == restrictions


def test_create_an_auth_key(sandbox: Running, config: Path) -> None:
    keys = ApiKeys(Gcloud(sandbox, config), "crowded-project")
    account = "workers@crowded-project.iam.gserviceaccount.com"
    key = keys.response("create", f"--service-account={account}", f"--api-target=service={GEMINI}", "--display-name=bound")
    assert key["serviceAccountEmail"] == account
    assert key["keyString"].startswith("AQ.SANDBOX-")


def test_the_operation_is_done_at_the_first_poll(keys: ApiKeys, sandbox: Running) -> None:
    done = keys.gcloud("services", "api-keys", "create", "--display-name=quick", "--project=demo-project")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "complete. Result:" in done.stderr
    methods = [entry["method"].rpartition(".")[2] for entry in sandbox.control("requests")]
    assert methods == ["CreateKey", "GetOperation"]


def test_async_prints_the_operation(keys: ApiKeys) -> None:
    operation = keys("create", "--async")
    assert re.fullmatch(r"operations/akmf\.p7-100000000001-[0-9a-f-]{36}", operation["name"])
    assert "done" not in operation


def test_list_describe_get_key_string_and_lookup(keys: ApiKeys) -> None:
    made = keys.response("create", "--key-id=found", "--display-name=found")
    listed = keys("list")
    assert [key["name"] for key in listed] == [made["name"]]
    assert "keyString" not in listed[0]
    assert keys("describe", "found", "--location=global") == listed[0]
    assert keys("describe", made["name"]) == listed[0]
    assert keys("get-key-string", "found", "--location=global") == {"keyString": made["keyString"]}
    assert keys("lookup", made["keyString"]) == {"name": made["name"], "parent": PARENT.removesuffix("/keys")}
    yaml = keys.gcloud("services", "api-keys", "list", "--project=demo-project").stdout
    assert f"name: {made['name']}" in yaml


def test_list_flags(sandbox: Running, config: Path) -> None:
    keys = ApiKeys(Gcloud(sandbox, config), "crowded-project")
    assert len(keys("list")) == 296
    assert len(keys("list", "--page-size=100")) == 296
    assert len(keys("list", "--limit=7", "--page-size=3")) == 7
    assert [key["displayName"] for key in keys("list", "--filter=displayName:'worker 00*'", "--sort-by=~displayName")] == [
        f"worker {number:03}" for number in range(9, -1, -1)
    ]
    listed = [entry for entry in sandbox.control("requests") if entry["method"].endswith("ListKeys")]
    assert len(listed) >= 1 + 3 + 3
    deleted = keys.response("delete", "worker-000", "--location=global")
    assert deleted["deleteTime"]
    assert len(keys("list")) == 295
    assert len(keys("list", "--show-deleted")) == 296


UPDATES: list[tuple[list[str], dict[str, Any]]] = [
    (["--display-name=new"], {"displayName": "new"}),
    (["--annotations=a=b"], {"annotations": {"a": "b"}}),
    (["--clear-annotations"], {"annotations": None}),
    (["--clear-restrictions"], {"restrictions": None}),
    (
        ["--allowed-referrers=*.example.com"],
        {
            "restrictions": {
                "browserKeyRestrictions": {"allowedReferrers": ["*.example.com"]},
                "apiTargets": [{"service": GEMINI}],
            }
        },
    ),
    (
        ["--allowed-bundle-ids=com.example.app"],
        {
            "restrictions": {
                "iosKeyRestrictions": {"allowedBundleIds": ["com.example.app"]},
                "apiTargets": [{"service": GEMINI}],
            }
        },
    ),
    (
        ["--api-target=service=translate.googleapis.com", "--display-name=both"],
        {
            "displayName": "both",
            "restrictions": {
                "serverKeyRestrictions": {"allowedIps": ["203.0.113.7"]},
                "apiTargets": [{"service": "translate.googleapis.com"}],
            },
        },
    ),
]


@pytest.mark.parametrize(("flags", "changes"), UPDATES, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_update(keys: ApiKeys, flags: list[str], changes: dict[str, Any]) -> None:
    first = keys.response(
        *("create", "--key-id=changing", "--display-name=old", "--annotations=x=y", "--allowed-ips=203.0.113.7"),
        f"--api-target=service={GEMINI}",
    )
    changed = keys.response("update", "changing", "--location=global", *flags)
    assert "keyString" not in changed
    for name in ("displayName", "annotations", "restrictions"):
        assert changed.get(name) == changes.get(name, first[name])


def test_delete_and_undelete_by_id_and_by_key_string(keys: ApiKeys) -> None:
    made = keys.response("create", "--key-id=mortal")
    assert keys.response("delete", "mortal", "--location=global")["deleteTime"]
    assert keys("list") == []
    assert "deleteTime" not in keys.response("undelete", "mortal", "--location=global")
    keys.response("delete", made["name"])
    assert keys.response("undelete", f"--key-string={made['keyString']}")["name"] == made["name"]
    assert [key["name"] for key in keys("list")] == [made["name"]]


def test_errors_read_as_gcloud_words_them(keys: ApiKeys, sandbox: Running, config: Path) -> None:
    said = keys.fails("describe", "missing", "--location=global")
    assert 'key "projects/demo-project/locations/global/keys/missing" not found' in said
    assert "NOT_FOUND" in said
    keys.response("create", "--key-id=twice")
    assert "already exists" in keys.fails("create", "--key-id=twice")
    assert "INVALID_ARGUMENT" in keys.fails("create", f"--display-name={'x' * 64}")
    stranger = ApiKeys(Gcloud(sandbox, config, caller="nobody@example.net"))
    said = stranger.fails("list")
    assert "PERMISSION_DENIED" in said
    assert "apikeys.keys.list" in said
    assert "(or it may not exist)" in said


def test_a_quota_project_is_sent_and_checked(keys: ApiKeys) -> None:
    said = keys.fails("list", "--billing-project=demo-project")
    assert "API Keys API has not been used in project 100000000001 before or it is disabled" in said
    assert keys.gcloud("services", "enable", "apikeys.googleapis.com", "--project=demo-project").returncode == 0
    assert keys("list", "--billing-project=demo-project") == []


def test_a_pending_operation_is_polled_again(keys: ApiKeys, sandbox: Running) -> None:
    sandbox.control("latency", {"ms": 300})
    assert keys.response("create", "--key-id=slow")["name"] == f"{PARENT}/slow"
    polls = [entry for entry in sandbox.control("requests") if entry["method"].endswith("GetOperation")]
    assert len(polls) >= 2


def test_the_main_job_by_gcloud_alone(sandbox: Running, config: Path) -> None:
    """A project, the API, a service account, an auth key, a call with it."""
    gcloud = Gcloud(sandbox, config)

    def run(*words: str) -> Any:
        done = gcloud(*words, "--format=json")
        assert done.returncode == 0, (words, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None

    run("projects", "create", "gcloud-made", "--name=Made by gcloud", "--folder=1001")
    assert "gcloud-made" in [project["projectId"] for project in run("projects", "list")]
    run("services", "enable", GEMINI, "apikeys.googleapis.com", "--project=gcloud-made")
    enabled = {service["config"]["name"] for service in run("services", "list", "--enabled", "--project=gcloud-made")}
    assert {GEMINI, "apikeys.googleapis.com"} <= enabled
    run("iam", "service-accounts", "create", "gcloud-robot", "--project=gcloud-made")
    account = "gcloud-robot@gcloud-made.iam.gserviceaccount.com"
    assert [one["email"] for one in run("iam", "service-accounts", "list", "--project=gcloud-made")] == [account]
    keys = ApiKeys(gcloud, "gcloud-made")
    key = keys.response("create", f"--service-account={account}", f"--api-target=service={GEMINI}")
    models = send(sandbox, "GET", "/v1beta/models?pageSize=1", None, {"x-goog-api-key": key["keyString"]})
    assert models.status == 200, models.body
