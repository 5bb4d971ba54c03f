"""keys restrict on a key that has neighbours: what is added keeps them, what would go is asked about, what is shown is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

GEMINI = "generativelanguage.googleapis.com"
MAPS = "maps-backend.googleapis.com"
TRANSLATE = "translate.googleapis.com"
SHA1 = "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"
SHA2 = "0" * 40

BUSY: dict[str, Any] = {
    "ips": {"serverKeyRestrictions": {"allowedIps": ["192.0.2.0/24", "2001:db8::1"]}},
    "referrers": {"browserKeyRestrictions": {"allowedReferrers": ["https://a.example/*", "*.b.example/*"]}},
    "android": {
        "androidKeyRestrictions": {
            "allowedApplications": [
                {"packageName": "com.a.app", "sha1Fingerprint": SHA1},
                {"packageName": "com.b.app", "sha1Fingerprint": SHA1},
            ]
        }
    },
    "ios": {"iosKeyRestrictions": {"allowedBundleIds": ["com.a", "com.b"]}},
    "targets": {"apiTargets": [{"service": MAPS}, {"service": TRANSLATE, "methods": ["Get*"]}]},
    "open": {},
}
LISTS = {
    "ips": ("serverKeyRestrictions", "allowedIps"),
    "referrers": ("browserKeyRestrictions", "allowedReferrers"),
    "android": ("androidKeyRestrictions", "allowedApplications"),
    "ios": ("iosKeyRestrictions", "allowedBundleIds"),
}
VALUES = {
    "ips": ("198.51.100.7", "198.51.100.7", "192.0.2.0/24"),
    "referrers": ("https://c.example/*", "https://c.example/*", "https://a.example/*"),
    "android": (f"com.c.app={SHA2}", {"packageName": "com.c.app", "sha1Fingerprint": SHA2}, f"com.a.app={SHA1}"),
    "ios": ("com.c", "com.c", "com.a"),
}


@pytest.fixture
def world(served: Any) -> Any:
    """A project with one key of each kind of restriction, each with two entries."""
    keys = [{"keyId": name, "displayName": name, "restrictions": value} for name, value in BUSY.items()]
    services = [GEMINI, "apikeys.googleapis.com", "monitoring.googleapis.com"]
    served.seed(projects=[{"projectId": "demo-project", "services": services, "keys": keys}])
    return served


@pytest.mark.parametrize("kind", list(LISTS))
def test_an_entry_is_added_beside_the_others_without_asking(keys: Callable[..., Any], world: Any, kind: str) -> None:
    outer, inner = LISTS[kind]
    before = BUSY[kind][outer][inner]
    typed, stored, _ = VALUES[kind]
    done = keys("restrict", kind, f"--add-{kind}", typed, "--format", "json")
    assert done.code == 0, done.err
    assert done.json["restrictions"][outer][inner] == [*before, stored]
    again = keys("restrict", kind, f"--add-{kind}", typed, "--format", "json")
    assert again.json["restrictions"] == done.json["restrictions"], "added twice is added once"


@pytest.mark.parametrize("kind", list(LISTS))
def test_an_entry_is_taken_away_and_the_last_one_never(keys: Callable[..., Any], world: Any, kind: str) -> None:
    outer, inner = LISTS[kind]
    first = VALUES[kind][2]
    done = keys("restrict", kind, f"--remove-{kind}", first, "--format", "json")
    assert done.code == 0, done.err
    assert done.json["restrictions"][outer][inner] == BUSY[kind][outer][inner][1:]
    again = keys("restrict", kind, f"--remove-{kind}", first, "--format", "json")
    assert again.code == 0
    assert "was not there" in again.err
    assert again.json["restrictions"] == done.json["restrictions"]
    second = {"ips": "2001:db8::1", "referrers": "*.b.example/*", "android": f"com.b.app={SHA1}", "ios": "com.b"}[kind]
    last = keys("restrict", kind, f"--remove-{kind}", second, "--format", "json")
    assert last.code == 2, "it would open the key to everybody"
    assert keys("describe", kind, "--format", "json").json["restrictions"] == done.json["restrictions"]


def test_api_targets_are_added_and_taken_away_method_by_method(keys: Callable[..., Any], world: Any) -> None:
    def targets(*options: str) -> Any:
        done = keys("restrict", "targets", *options, "--format", "json")
        assert done.code == 0, done.err
        return {each["service"]: each.get("methods", []) for each in done.json["restrictions"]["apiTargets"]}

    assert targets("--add-api-target", GEMINI) == {MAPS: [], TRANSLATE: ["Get*"], GEMINI: []}
    assert targets("--add-api-target", f"{TRANSLATE}:List*") == {MAPS: [], TRANSLATE: ["Get*", "List*"], GEMINI: []}
    assert targets("--remove-api-target", f"{TRANSLATE}:Get*") == {MAPS: [], TRANSLATE: ["List*"], GEMINI: []}
    assert targets("--remove-api-target", MAPS, "--remove-api-target", TRANSLATE) == {GEMINI: []}
    assert keys("restrict", "targets", "--remove-api-target", GEMINI).code == 2


@pytest.mark.parametrize(
    ("key", "options", "says"),
    [
        ("open", ["--add-ips", "192.0.2.7"], "--allowed-ips"),
        ("open", ["--add-api-target", GEMINI], "--api-target"),
        ("referrers", ["--add-ips", "192.0.2.7"], "--allowed-ips"),
        ("ips", ["--add-ips", "192.0.2.7", "--allowed-ips", "192.0.2.8"], "--allowed-ips"),
        ("ips", ["--remove-ips", "192.0.2.7", "--allowed-ips", "192.0.2.8"], "--allowed-ips"),
        ("targets", ["--add-api-target", GEMINI, "--api-target", MAPS], "--api-target"),
        ("ips", ["--add-ips", "300.1.1.1"], "300.1.1.1"),
        ("ios", ["--add-ios", "a b"], "a b"),
        ("ips", ["--add-ips", "192.0.2.7", "--add-ios", "com.x"], "--add-ios"),
        ("open", ["--without", MAPS], "--to-used"),
        ("open", ["--to-used", "--api-target", MAPS], "--to-used"),
        ("open", ["--to-used", "--window", "99d"], "--window"),
    ],
)
def test_what_cannot_be_meant_is_exit_2(keys: Callable[..., Any], world: Any, key: str, options: list[str], says: str) -> None:
    done = keys("restrict", key, *options, "--yes")
    assert done.code == 2, done.err
    assert says in done.err
    assert "UpdateKey" not in world.methods()


def test_the_first_restriction_does_not_ask_and_one_that_drops_an_entry_does(keys: Callable[..., Any], world: Any) -> None:
    assert keys("restrict", "open", "--allowed-ips", "192.0.2.1").code == 0
    assert keys("restrict", "open", "--api-target", MAPS).code == 0
    for key, options, goes in (
        ("referrers", ["--allowed-referrers", "https://c.example/*"], "https://a.example/*"),
        ("referrers", ["--allowed-ips", "192.0.2.1"], "*.b.example/*"),
        ("targets", [], MAPS),
        ("targets", ["--api-target", MAPS], f"{TRANSLATE} (Get*)"),
    ):
        before = keys("describe", key, "--format", "json").json["restrictions"]
        refused = keys("restrict", key, *options)
        assert refused.code == 2
        assert goes in refused.err
        declined = keys("restrict", key, *options, terminal=True, stdin="n\n")
        assert declined.code == 1
        assert goes in declined.err
        assert keys("describe", key, "--format", "json").json["restrictions"] == before
    assert (
        keys("restrict", "referrers", "--allowed-referrers", "https://a.example/*,*.b.example/*,https://c.example/*").code == 0
    )
    assert keys("restrict", "targets", "--api-target", MAPS, "--yes").code == 0


def test_additions_survive_somebody_else_s_change(keys: Callable[..., Any], world: Any) -> None:
    """The etag of the first try is old: the list is read anew, and both additions stand."""
    world.control("faults", {"method": "UpdateKey", "code": "ABORTED", "times": 1, "when": "before"})
    done = keys("restrict", "referrers", "--add-referrers", "https://c.example/*", "--format", "json")
    assert done.code == 0, done.err
    assert len(done.json["restrictions"]["browserKeyRestrictions"]["allowedReferrers"]) == 3
    assert world.methods().count("UpdateKey") == 2


def test_several_keys_are_one_question_and_one_failure_leaves_the_others(keys: Callable[..., Any], world: Any) -> None:
    done = keys("restrict", "ips", "open", "--api-target", MAPS, "--format", "json")
    assert [each["status"] for each in done.json] == ["done", "done"]
    shown = keys("describe", "ips", "ios", "--format", "json").json
    assert [each["displayName"] for each in shown] == ["ips", "ios"]
    assert keys("delete", "ips", "nosuch", "--yes").code == 1
    assert keys("describe", "ips").code == 0, "all are found before one is changed"
    noted = keys("annotate", "ips", "ios", "team=web", "--format", "json").json
    assert [each["annotations"] for each in noted] == [{"team": "web"}] * 2
    asked = keys("delete", "ips", "ios", terminal=True, stdin="y\n")
    assert asked.code == 0, asked.err
    assert "Go on with these 2 keys?" in asked.err
    assert [keys("describe", name, "--format", "json").json.get("deleteTime") is None for name in ("ips", "ios")] == [
        False,
        False,
    ]


def test_one_of_several_that_is_in_use_is_exit_3_and_the_other_is_done(keys: Callable[..., Any], world: Any) -> None:
    world.seed(projects=[{"projectId": "demo-project", "keys": [{"keyId": "busy", "lastUsed": world.control("")["now"]}]}])
    for dry in (("--dry-run",), ()):
        done = keys("delete", "busy", "ios", "--yes", "--format", "json", *dry)
        assert done.code == 3, done.err
        assert "1 of 2 keys" in done.error["message"]
        assert "busy" in done.err
        assert "last 7 days" in done.err
    assert keys("describe", "busy", "--format", "json").json.get("deleteTime") is None
    assert keys("describe", "ios", "--format", "json").json.get("deleteTime")


def test_unrestrict_asks(keys: Callable[..., Any], world: Any) -> None:
    for options in ((), ("--apis",), ("--clients",)):
        assert keys("unrestrict", "targets", *options).code == 2
        declined = keys("unrestrict", "targets", *options, terminal=True, stdin="n\n")
        assert declined.code == 1
    assert keys("describe", "targets", "--format", "json").json["restrictions"] == BUSY["targets"]
    assert keys("unrestrict", "targets", terminal=True, stdin="y\n").code == 0
