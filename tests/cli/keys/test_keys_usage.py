"""usage, list --usage, and the use that delete, compromised and migrate show before they ask."""

from __future__ import annotations

import json
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

from keyadmin.model.key_codec import parse_time

GEMINI = "generativelanguage.googleapis.com"
ACCOUNT = "caller@demo-project.iam.gserviceaccount.com"


@pytest.fixture
def used(served):
    """demo-project with a key in use, one used long ago, and one never used."""
    moment = datetime.now(UTC)
    keys = [
        {"keyId": "busy", "displayName": "Busy"},
        {
            "keyId": "quiet",
            "displayName": "Quiet",
            "lastUsed": (moment - timedelta(days=20)).isoformat().replace("+00:00", "Z"),
        },
        {"keyId": "idle", "displayName": "Idle"},
    ]
    services = [GEMINI, "apikeys.googleapis.com", "monitoring.googleapis.com"]
    more = {"serviceAccountEmail": ACCOUNT, "restrictions": {"apiTargets": [{"service": GEMINI}]}}
    project = {"projectId": "demo-project", "services": services, "keys": [key | more for key in keys]}
    served.control("seed", {"projects": [project]})
    return served


def call(served, string: str) -> None:
    """Ask the sandbox's Gemini API for work, with a key."""
    request = urllib.request.Request(
        f"{served.rest}/v1beta/models/gemini-2.5-flash:generateContent",
        data=json.dumps({"contents": [{"parts": [{"text": "hello"}]}]}).encode(),
        headers={"Content-Type": "application/json", "x-goog-api-key": string},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200


@pytest.fixture
def busy(keys, used):
    """The key `busy` after three calls."""
    string = keys("show", "busy").out.strip()
    for _ in range(3):
        call(used, string)
    return "busy"


def hour(one) -> datetime:
    """Where the hour of the last use begins; it is a full one in UTC."""
    begin, end = parse_time(one["lastUsed"]["from"]), parse_time(one["lastUsed"]["until"])
    assert begin is not None
    assert end is not None
    assert end - begin == timedelta(hours=1)
    assert (begin.minute, begin.second, begin.microsecond) == (0, 0, 0)
    assert one["lastUsed"]["from"].endswith(":00:00Z")
    assert not {"usage", "reason", "cause"} & set(one)
    return begin


def test_the_hour_of_a_use_does_not_move_with_the_clock(keys, used) -> None:
    """A use at 10:05 was shown as 10:20 when asked at 19:20: hours ended where the question ended."""
    at = datetime.now(UTC).replace(minute=5, second=0, microsecond=0) - timedelta(hours=3)
    seeded = [{"keyId": "early", "lastUsed": at.isoformat().replace("+00:00", "Z")}]
    used.control("seed", {"projects": [{"projectId": "demo-project", "keys": seeded}]})
    for _ in range(4):
        (one,) = keys("usage", "early", "--format", "json").json
        assert hour(one) == at.replace(minute=0)
        assert f"{at:%Y-%m-%d %H}:00" in keys("usage", "early").out
        used.control("clock", {"advance": "17m"})


def test_all_keys_of_a_project(keys, used, busy) -> None:
    done = keys("usage", "--format", "json")
    assert done.code == 0, done.err
    found = {one["displayName"]: one for one in done.json}
    assert found["Busy"]["calls"] == {GEMINI: 3}
    assert hour(found["Busy"]) - datetime.now(UTC) < timedelta(minutes=5)
    assert timedelta(days=19) < datetime.now(UTC) - hour(found["Quiet"]) < timedelta(days=21)
    assert found["Idle"]["lastUsed"] is None
    assert found["Idle"]["calls"] == {}
    assert all(one["sandbox"] and one["project"] == "demo-project" for one in done.json)
    assert used.methods().count("ListTimeSeries") == 1, "one call for all keys"


def test_one_key_in_words(keys, busy) -> None:
    done = keys("usage", "Busy")
    assert done.code == 0
    (line,) = done.out.splitlines()[1:]
    assert line.split()[-4:] == ["3", "0", "0", GEMINI]
    assert keys("usage", "nosuch").code == 1


@pytest.mark.parametrize("arguments", [["usage"], ["usage", "busy"]], ids=["all", "one"])
def test_what_may_not_be_read_is_unknown_and_never_unused(keys, used, arguments) -> None:
    used.grant("reader@example.com", "apikeys.keys.get", "apikeys.keys.list", "resourcemanager.projects.get")
    done = keys(*arguments, "--format", "json", user="reader@example.com")
    assert done.code == 1
    for one in done.json:
        assert "lastUsed" not in one
        assert "monitoring.timeSeries.list" in one["lastUsedUnknown"]["message"]
        assert one["lastUsedUnknown"]["cause"] == "missing-iam-permission"
    assert done.error["permission"] == "monitoring.timeSeries.list"
    words = keys(*arguments, user="reader@example.com")
    assert "unknown" in words.out
    assert "unused" not in words.out + words.err
    assert "no use" not in words.out + words.err


def test_an_answer_that_does_not_come_is_unknown(keys, used) -> None:
    used.control("faults", {"method": "ListTimeSeries", "code": "INTERNAL", "times": 99})
    done = keys("usage", "busy", "--format", "json")
    assert done.code == 1
    assert [set(one["lastUsedUnknown"]) for one in done.json] == [{"cause", "message"}]


def test_by_the_servers_clock(keys, used, busy) -> None:
    used.control("clock", {"advance": "45d"})
    (one,) = keys("usage", "busy", "--format", "json").json
    assert one["lastUsed"] is None, "six weeks have passed"


def test_list_with_the_column(keys, used, busy) -> None:
    done = keys("list", "--usage", "--format", "json")
    assert done.code == 0
    found = {key["displayName"]: key for key in done.json}
    assert {name: key["lastUsed"] is not None for name, key in found.items()} == {"Busy": True, "Quiet": True, "Idle": False}
    assert found["Busy"]["calls"] == {GEMINI: 3}
    assert found["Busy"]["keyType"] == "auth"
    assert used.methods().count("ListTimeSeries") == 1
    words = keys("list", "--usage")
    assert words.out.splitlines()[0].rstrip().endswith("LAST USED")
    assert next(line for line in words.out.splitlines() if line.startswith("Idle")).endswith("none")
    assert not {"lastUsed", "lastUsedUnknown"} & set(keys("list", "--format", "json").json[0])
    assert used.methods().count("ListTimeSeries") == 2, "not asked without --usage"


def test_list_of_all_projects_with_one_unreadable(keys, used) -> None:
    reader = "reader@example.com"
    for project in ("demo-project", "old-maps-site"):
        more = ["monitoring.timeSeries.list"] if project == "demo-project" else []
        used.grant(reader, "apikeys.keys.list", "resourcemanager.projects.get", *more, project=project)
    done = keys("list", "--all", "--all-projects", "--usage", "--format", "json", user=reader)
    assert done.code == 0, done.err
    unknown = {key["project"] for key in done.json if "lastUsedUnknown" in key}
    assert unknown == {"old-maps-site"}
    assert done.err.count("Warning") == 1
    assert "monitoring.timeSeries.list" in done.err
    shown = keys("list", "--all", "--all-projects", "--usage", user=reader)
    assert "unknown" in shown.out


def test_list_usage_and_watch_do_not_go_together(keys, used) -> None:
    assert keys("list", "--usage", "--watch").code == 2


@pytest.mark.parametrize(
    ("verb", "key"), [("delete", "busy"), ("compromised", "busy"), ("migrate", "old")], ids=["delete", "compromised", "migrate"]
)
def test_the_use_is_shown_before_it_is_asked(keys, used, busy, verb, key) -> None:
    used.control("seed", {"projects": [{"projectId": "demo-project", "keys": [{"keyId": "old"}]}]})
    words = "no use in six weeks" if key == "old" else f"3 calls to {GEMINI}"
    before = len(used.methods())
    done = keys(verb, key, "--quiet", terminal=True, stdin="n\n")
    assert done.code == 1
    assert f"{key}: " in done.err
    assert done.err.index(words) < done.err.index("[y/N]")
    assert not {"DeleteKey", "CreateKey"} & set(used.methods()[before:])
    planned = keys(verb, key, "--dry-run")
    assert words in planned.err


@pytest.mark.parametrize(("verb", "key"), [("delete", "busy"), ("compromised", "busy"), ("migrate", "old")])
def test_an_unknown_use_is_said_to_be_unknown(keys, used, verb, key) -> None:
    used.control("seed", {"projects": [{"projectId": "demo-project", "keys": [{"keyId": "old"}]}]})
    used.control("faults", {"method": "ListTimeSeries", "code": "PERMISSION_DENIED", "times": 99})
    done = keys(verb, key, "--dry-run")
    assert done.code == 0, done.err
    assert "use unknown" in done.err
    assert "no use" not in done.err


def test_delete_without_the_right_to_read_says_unknown(keys, used) -> None:
    used.grant("deleter@example.com", "apikeys.keys.delete")
    done = keys("delete", "idle", terminal=True, stdin="y\n", user="deleter@example.com")
    assert done.code == 0, done.err
    assert "use unknown" in done.err
    assert "ListTimeSeries" not in used.methods("deleter@example.com")


def test_nobody_is_asked_and_nothing_is_read_with_yes(keys, used) -> None:
    assert keys("delete", "idle", "--yes").code == 0
    assert "ListTimeSeries" not in used.methods()
