"""What was shown and confirmed is what is done: a key that somebody changed while the question stood is left as it is."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Served, Terminal

SITES = {"browserKeyRestrictions": {"allowedReferrers": ["https://a.example/*", "https://b.example/*"]}}
COMMANDS = {
    "delete": ("delete",),
    "restrict": ("restrict", "--allowed-ips", "192.0.2.1"),
    "unrestrict": ("unrestrict", "--clients"),
}


class Asked(Terminal):
    """A person who answers yes after something happened."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    def readline(self, *limit: Any) -> str:  # type: ignore[override]
        self._meanwhile()
        self._meanwhile = lambda: None
        return "y\n"


@pytest.fixture
def three(served: Served) -> Served:
    """A project with three keys that are restricted to sites."""
    keys = [{"keyId": f"web-{number}", "displayName": f"web {number}", "restrictions": SITES} for number in range(3)]
    services = ["generativelanguage.googleapis.com", "apikeys.googleapis.com", "monitoring.googleapis.com"]
    served.seed(projects=[{"projectId": "demo-project", "services": services, "keys": keys}])
    return served


def standing(served: Served) -> dict[str, Any]:
    """Each key's restrictions and whether it is deleted."""
    url = f"{served.rest}/v2/projects/demo-project/locations/global/keys?showDeleted=true"
    with urllib.request.urlopen(url, timeout=60) as answer:
        found = json.load(answer)["keys"]
    return {each["name"].rpartition("/")[2]: (each["restrictions"], "deleteTime" in each) for each in found}


def somebody_changes(served: Served, key_id: str) -> Callable[[], None]:
    """Somebody else adds a note to a key, past keyadmin."""

    def change() -> None:
        url = f"{served.rest}/v2/projects/demo-project/locations/global/keys/{key_id}?updateMask=annotations"
        body = json.dumps({"annotations": {"team": "theirs"}}).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="PATCH")
        urllib.request.urlopen(request, timeout=60).close()

    return change


@pytest.mark.parametrize("command", list(COMMANDS))
def test_one_key_that_changed_is_a_conflict_and_left_alone(keys: Callable[..., Any], three: Served, command: str) -> None:
    verb, *options = COMMANDS[command]
    before = standing(three)
    person = Asked(somebody_changes(three, "web-1"))
    done = keys(verb, "web-1", *options, "--format", "json", terminal=True, stdin=person)
    assert "[y/N]" in done.err
    assert (done.code, done.error["cause"]) == (1, "conflict"), done.err
    assert standing(three) == before
    assert done.out == ""


@pytest.mark.parametrize("command", ["delete", "restrict"])
def test_of_several_the_others_are_done_and_it_ends_with_3(keys: Callable[..., Any], three: Served, command: str) -> None:
    verb, *options = COMMANDS[command]
    before = standing(three)
    person = Asked(somebody_changes(three, "web-1"))
    done = keys(verb, "web-0", "web-1", "web-2", *options, "--format", "json", terminal=True, stdin=person)
    assert (done.code, done.error["cause"]) == (3, "conflict"), done.err
    after = standing(three)
    assert after["web-1"] == before["web-1"]
    assert all(after[name] != before[name] for name in ("web-0", "web-2"))
    (failed,) = [each for each in done.json if each["status"] == "failed"]
    assert (failed["name"].rpartition("/")[2], failed["cause"]) == ("web-1", "conflict")


@pytest.mark.parametrize("command", ["delete", "restrict"])
def test_who_asks_again_gets_it(keys: Callable[..., Any], three: Served, command: str) -> None:
    """The conflict is about what was shown: shown anew, it is done."""
    verb, *options = COMMANDS[command]
    person = Asked(somebody_changes(three, "web-1"))
    assert keys(verb, "web-1", *options, terminal=True, stdin=person).code == 1
    before = standing(three)
    assert keys(verb, "web-1", *options, terminal=True, stdin="y\n").code == 0
    assert standing(three)["web-1"] != before["web-1"]
