"""restrict, unrestrict, rename, annotate, delete, undelete: typed, in words and in JSON."""

from __future__ import annotations

import json
import re

import pytest

GEMINI = "generativelanguage.googleapis.com"
SHA1 = "DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF:95:60:18:90:AF:D8:07:09"


@pytest.fixture
def key(served):
    """A key of demo-project, id `web`, restricted to Gemini."""
    served.control(
        "seed",
        {
            "projects": [
                {
                    "projectId": "demo-project",
                    "services": [GEMINI, "apikeys.googleapis.com"],
                    "keys": [
                        {
                            "keyId": "web",
                            "displayName": "Web",
                            "restrictions": {"apiTargets": [{"service": GEMINI}]},
                            "annotations": {"team": "search"},
                        }
                    ],
                }
            ]
        },
    )
    return "web"


def test_restrict_replaces_what_is_named(keys, key):
    done = keys("restrict", key, "--allowed-ips", "192.0.2.0/24,2001:db8::1", "--format", "json")
    assert done.code == 0
    assert done.json["restrictions"] == {
        "serverKeyRestrictions": {"allowedIps": ["192.0.2.0/24", "2001:db8::1"]},
        "apiTargets": [{"service": GEMINI}],
    }
    done = keys(
        "restrict",
        key,
        "--allowed-android",
        f"com.example.app={SHA1}",
        "--api-target",
        "translate:Get*".replace(":", ".googleapis.com:"),
        "--yes",
        "--format",
        "json",
    )
    assert done.json["restrictions"] == {
        "androidKeyRestrictions": {
            "allowedApplications": [{"sha1Fingerprint": SHA1.replace(":", ""), "packageName": "com.example.app"}]
        },
        "apiTargets": [{"service": "translate.googleapis.com", "methods": ["Get*"]}],
    }
    assert done.json["restricted"] == "other"
    done = keys("restrict", key, "--yes", "--format", "json")
    assert done.json["restrictions"]["apiTargets"] == [{"service": GEMINI}]
    assert "androidKeyRestrictions" in done.json["restrictions"]


def test_restrict_sends_the_check_of_use_unless_forced(keys, served):
    refused = keys("restrict", "Browser key (maps on the website)", "-p", "old-maps-site", "--format", "json")
    assert refused.code == 1
    assert refused.error["cause"] == "conflict"
    assert "last 7 days" in refused.error["message"]
    assert any("--force" in step for step in refused.error["fix"])
    assert keys("restrict", "Browser key (maps on the website)", "-p", "old-maps-site", "--force").code == 0


@pytest.mark.parametrize(
    "wrong",
    [
        ["--allowed-ips", "300.1.1.1"],
        ["--allowed-ips", "192.0.2.1", "--allowed-ios", "com.example"],
        ["--allowed-referrers", "two words"],
        ["--allowed-android", "com.example.app=12"],
        ["--allowed-ios", "a b"],
        ["--api-target", "nosuch.googleapis.com"],
        ["--api-target", "generativelanguage"],
        ["--api-target", f"{GEMINI}:a b"],
    ],
)
def test_wrong_restrictions_are_refused_before_any_call(keys, served, wrong):
    before = len(served.methods())
    done = keys("restrict", "web", *wrong, "--format", "json")
    assert done.code == 2
    assert done.error["cause"] == "invalid-argument"
    assert done.out == ""
    assert len(served.methods()) == before


def test_unrestrict(keys, key):
    assert keys("restrict", key, "--allowed-ips", "192.0.2.1").code == 0
    done = keys("unrestrict", key, "--clients", "--yes", "--format", "json")
    assert done.json["restrictions"] == {"apiTargets": [{"service": GEMINI}]}
    done = keys("unrestrict", key, "--yes", "--format", "json")
    assert "restrictions" not in done.json
    assert done.json["restricted"] == "none"
    assert "Warning" in done.err
    assert keys("unrestrict", key, "--apis", "--clients").code == 2


def test_rename(keys, key):
    assert keys("rename", "Web", "New name").code == 0
    assert keys("describe", "New name", "--format", "json").json["displayName"] == "New name"
    assert keys("rename", key, "x" * 64).code == 2
    assert keys("rename", key, "").code == 2


def test_annotate(keys, key):
    done = keys("annotate", key, "owner=jo", "--format", "json")
    assert done.json["annotations"] == {"team": "search", "owner": "jo"}
    done = keys("annotate", key, "--remove", "team", "owner=al", "--format", "json")
    assert done.json["annotations"] == {"owner": "al"}
    done = keys("annotate", key, "--clear", "--format", "json")
    assert "annotations" not in done.json
    assert keys("annotate", key).code == 2
    assert keys("annotate", key, "nonsense").code == 2


def test_a_change_in_between_is_not_overwritten(keys, key, served):
    served.control("faults", {"method": "UpdateKey", "code": "ABORTED", "times": 1, "when": "before"})
    done = keys("annotate", key, "owner=jo", "--format", "json")
    assert done.code == 0
    assert done.json["annotations"] == {"team": "search", "owner": "jo"}
    assert served.methods().count("UpdateKey") == 2


def test_delete_needs_yes_or_a_terminal(keys, key, served):
    before = len(served.methods())
    done = keys("delete", key)
    assert done.code == 2
    assert "--yes" in done.err
    assert len(served.methods()) == before
    done = keys("delete", key, terminal=True, stdin="n\n")
    assert done.code == 1
    assert "DeleteKey" not in served.methods()
    done = keys("delete", key, terminal=True, stdin="y\n")
    assert done.code == 0
    assert "-p demo-project" in done.err
    assert "DeleteKey" in served.methods()


def test_delete_and_undelete(keys, key):
    string = keys("show", key).out.strip()
    done = keys("delete", "Web", "--yes", "--format", "json")
    assert done.code == 0
    assert done.json["deleteTime"]
    assert "keyString" not in done.json
    assert string not in done.out + done.err
    assert "undelete" in done.err
    assert keys("list", "--format", "json").json == []
    assert [each["name"] for each in keys("list", "--deleted", "--format", "json").json] == [done.json["name"]]
    assert re.search(r"^AI Studio +not shown \(deleted\)$", keys("describe", key).out, re.MULTILINE)
    again = keys("delete", key, "--yes")
    assert again.code == 1
    assert "undelete" in again.err
    back = keys("undelete", "Web", "--format", "json")
    assert back.code == 0
    assert "deleteTime" not in back.json
    assert keys("undelete", key).code == 1


def test_delete_checks_use_unless_forced(keys):
    browser = ("Browser key (maps on the website)", "-p", "old-maps-site", "--yes")
    refused = keys("delete", *browser, "--format", "json")
    assert refused.error["cause"] == "conflict"
    assert keys("delete", *browser, "--force").code == 0


def test_undelete_by_key_string(keys, key):
    string = keys("show", key).out
    assert keys("delete", key, "--yes").code == 0
    done = keys("undelete", "-", stdin=string)
    assert done.code == 0
    assert keys("delete", key, "--yes").code == 0
    done = keys("undelete", "--key-from-env", "OLD", env={"OLD": string.strip()})
    assert done.code == 0
    assert string.strip() not in done.out + done.err


def test_undelete_after_thirty_days_says_purged(keys, key, served):
    string = keys("show", key).out
    assert keys("delete", key, "--yes").code == 0
    served.control("clock", {"advance": "31d"})
    for arguments, stdin in ((["Web"], ""), ([key], ""), (["-"], string)):
        done = keys("undelete", *arguments, "--format", "json", stdin=stdin)
        assert done.code == 1
        assert done.error["cause"] == "not-found"
        assert "purged" in done.error["message"]


@pytest.mark.parametrize(
    "command",
    [
        ["restrict", "web", "--allowed-ips", "192.0.2.1"],
        ["unrestrict", "web", "--yes"],
        ["rename", "web", "Other"],
        ["annotate", "web", "a=b"],
        ["delete", "web"],
    ],
)
def test_dry_runs_change_nothing(keys, key, served, command):
    before = keys("describe", key, "--format", "json").json
    done = keys(*command, "--dry-run", "--format", "json")
    assert done.code == 0
    assert done.json["dryRun"] is True
    assert len(done.json["steps"]) == 1
    assert done.json["sandbox"] is True
    assert "Dry run" in done.err
    assert keys("describe", key, "--format", "json").json == before
    assert not {"UpdateKey", "DeleteKey"} & set(served.methods())


@pytest.mark.parametrize(
    "command",
    [
        ["restrict", "web", "--allowed-ips", "192.0.2.1"],
        ["unrestrict", "web", "--yes"],
        ["rename", "web", "Other"],
        ["annotate", "web", "a=b"],
        ["delete", "web", "--yes"],
        ["undelete", "gone"],
    ],
)
def test_async_does_not_wait(keys, key, served, command):
    served.control(
        "seed",
        {"projects": [{"projectId": "demo-project", "keys": [{"keyId": "gone", "deleteTime": "2026-11-20T00:00:00Z"}]}]},
    )
    done = keys(*command, "--async", "--format", "json")
    assert done.code == 0, done.err
    assert done.json["operation"].startswith("operations/akmf.")
    assert done.json["done"] is False
    assert done.json["name"].endswith(f"/keys/{command[1]}")
    assert "GetOperation" not in served.methods()


def test_a_missing_permission_is_named(keys, key, served):
    served.grant("reader@example.com", "apikeys.keys.get", "resourcemanager.projects.get")
    done = keys("rename", key, "Other", "--format", "json", user="reader@example.com")
    assert done.code == 1
    assert done.error["cause"] == "missing-iam-permission"
    assert done.error["permission"] == "apikeys.keys.update"
    assert done.error["fix"]


def test_text_output_is_one_line_a_field(keys, key):
    done = keys("rename", key, "Other")
    lines = dict(line.split(None, 1) for line in done.out.splitlines() if len(line.split(None, 1)) == 2)
    assert lines["Name"] == "Other"
    assert lines["Project"] == "demo-project"
    assert json.dumps("sandbox") not in done.out
    assert "sandbox" in done.err


@pytest.mark.parametrize(
    ("permission", "command"),
    [
        ("update", ["rename", "web", "Other"]),
        ("update", ["restrict", "web", "--allowed-ips", "192.0.2.1", "--yes"]),
        ("update", ["unrestrict", "web", "--clients", "--yes"]),
        ("delete", ["delete", "web", "--yes"]),
        ("undelete", ["undelete", "gone"]),
        ("getKeyString", ["show", "web"]),
        ("getKeyString", ["verify", "web"]),
    ],
)
def test_the_permission_to_do_it_suffices_where_the_key_is_named_by_its_id(keys, key, served, permission, command):
    served.control(
        "seed",
        {
            "gemini": {"rejectStandardKeys": False},
            "projects": [{"projectId": "demo-project", "keys": [{"keyId": "gone", "deleteTime": "2026-11-20T00:00:00Z"}]}],
        },
    )
    served.grant("one@example.com", f"apikeys.keys.{permission}")
    full = [f"projects/demo-project/locations/global/keys/{word}" if word in ("web", "gone") else word for word in command]
    for arguments in (command, full):
        done = keys(*arguments, "--format", "json", user="one@example.com")
        assert done.code == 0, done.err
        assert done.json["project"] == "demo-project" or "demo-project" in done.json["name"]
        if permission == "delete":
            assert keys("undelete", "web").code == 0
        if permission == "undelete":
            assert keys("delete", "gone", "--yes").code == 0
    denied = keys(*command, "--format", "json", user="nobody@example.com")
    assert denied.code == 1
    assert denied.error["permission"].startswith("apikeys.keys.")


def test_what_is_not_known_is_not_touched(keys, key, served):
    """Restricting a key that may not be read leaves its other restrictions alone."""
    assert keys("restrict", "web", "--allowed-ips", "192.0.2.1").code == 0
    served.grant("one@example.com", "apikeys.keys.update")
    line = ("restrict", "web", "--api-target", "translate.googleapis.com")
    unasked = keys(*line, user="one@example.com")
    assert unasked.code == 2, "what stands there cannot be seen, so it may go: that is asked"
    assert "may not read" in unasked.err
    done = keys(*line, "--yes", "--format", "json", user="one@example.com")
    assert done.json["restrictions"] == {
        "serverKeyRestrictions": {"allowedIps": ["192.0.2.1"]},
        "apiTargets": [{"service": "translate.googleapis.com"}],
    }
    done = keys("unrestrict", "web", "--clients", "--yes", "--format", "json", user="one@example.com")
    assert done.json["restrictions"] == {"apiTargets": [{"service": "translate.googleapis.com"}]}
