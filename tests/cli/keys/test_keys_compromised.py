"""compromised: new key with the same restrictions, verified, handed over, the leaked one gone at once or after --grace."""

from __future__ import annotations

import json
import re
import shlex
import urllib.request

import pytest

GEMINI = "generativelanguage.googleapis.com"
ACCOUNT = "caller@demo-project.iam.gserviceaccount.com"
RESTRICTED = {"apiTargets": [{"service": GEMINI}], "serverKeyRestrictions": {"allowedIps": ["127.0.0.1", "192.0.2.0/24"]}}


@pytest.fixture
def leaked(keys, served):
    """The key `web`, its string known to others; Secret Manager on."""
    key = {"keyId": "web", "displayName": "Web", "serviceAccountEmail": ACCOUNT, "restrictions": RESTRICTED}
    services = [GEMINI, "apikeys.googleapis.com", "secretmanager.googleapis.com"]
    more = {"annotations": {"team": "search"}}
    served.control("seed", {"projects": [{"projectId": "demo-project", "services": services, "keys": [key | more]}]})
    return keys("show", "web").out.strip()


def test_a_deleted_key_may_be_accepted_for_a_while_and_the_report_says_so(keys, served, leaked) -> None:
    served.control("propagation", {"keyDeletion": "23m"})
    done = keys("compromised", "web", "--to", "stdout", "--yes")
    assert done.code == 0, done.err
    assert keys("verify", "-", stdin=leaked).code == 0
    assert "servers may accept web for up to half an hour yet" in done.err
    assert "keyadmin keys usage web -p demo-project" in done.err
    served.control("clock", {"advance": "23m"})
    assert keys("verify", "-", stdin=leaked).code == 3


def test_with_a_grace_period_the_leaked_key_is_not_said_to_be_deleted(keys, leaked) -> None:
    done = keys("compromised", "web", "--to", "stdout", "--grace", "1h", "--yes")
    assert "half an hour" not in done.err
    assert "after the grace period, delete it" in done.err


def live(keys) -> dict[str, dict]:
    return {key["name"].rpartition("/")[2]: key for key in keys("list", "--all", "--format", "json").json}


def test_at_once(keys, served, leaked, scratch) -> None:
    path = scratch / ".env"
    path.write_text(f"A=1\nGEMINI_API_KEY={leaked}\n")
    sinks = ["--to", f"env-file:{path}", "--to", "secret-manager:projects/demo-project/secrets/web"]
    done = keys("compromised", "web", *sinks, "--sandbox", "--yes", "--format", "json")
    assert done.code == 0, done.err
    report = done.json
    assert re.fullmatch(r"[a-z2-7]{10}", report["lineage"])
    assert report["generation"] == 2
    assert report["state"] == "retired"
    assert report["key"].endswith(f"/keys/ka-{report['lineage']}-2")
    assert report["sandbox"] is True
    assert "lastUsed" in report["usage"]
    assert any("billing" in check for check in report["check"])
    assert any("keys usage web" in check for check in report["check"])
    steps = {step["step"]: step["status"] for step in report["steps"]}
    assert steps["create"] == "done"
    assert steps["retire"] == "done"
    (new,) = live(keys).values()
    for field, value in (("restrictions", RESTRICTED), ("serviceAccountEmail", ACCOUNT), ("displayName", "Web")):
        assert new[field] == value
    assert new["annotations"]["team"] == "search"
    string = keys("show", report["key"]).out.strip()
    assert string != leaked
    assert path.read_text() == f"A=1\nGEMINI_API_KEY={string}\n"
    assert keys("verify", "-", stdin=leaked).code == 3
    assert keys("verify", "-", stdin=string).code == 0
    for secret in (leaked, string):
        assert secret not in done.out + done.err


def test_it_does_not_wait_for_the_use_to_end(keys, served) -> None:
    """A leaked key is in use by others: that must not keep it alive."""
    done = keys("compromised", "Browser key (maps on the website)", "-p", "old-maps-site", "--yes", "--format", "json")
    assert done.code == 0, done.err
    assert done.json["usage"]["lastUsed"]
    assert {step["step"]: step["status"] for step in done.json["steps"]}["retire"] == "done"


def test_in_words_it_ends_with_what_to_look_at(keys, leaked) -> None:
    done = keys("compromised", "Web", "--yes")
    assert done.code == 0, done.err
    assert "Now look at:" in done.out
    assert "keyadmin keys usage web -p demo-project" in done.out
    assert "keyadmin scan PATH --history" in done.out
    assert leaked not in done.out + done.err


def test_after_grace(keys, served, leaked) -> None:
    first = keys("compromised", "web", "--grace", "2h", "--yes", "--format", "json")
    assert first.code == 0, first.err
    assert first.json["state"] == "grace"
    assert "keys compromised web -p demo-project --grace 2h --yes" in first.json["check"][0]
    early = keys("compromised", "web", "--grace", "2h", "--yes")
    assert early.code == 0, early.err
    assert set(live(keys)) == {"web", first.json["key"].rpartition("/")[2]}, "typed too early, it deletes nothing"
    served.control("clock", {"advance": "3h"})
    second = keys("compromised", "web", "--yes", "--format", "json")
    assert second.code == 0, second.err
    assert second.json["generation"] == 2, "the same rotation goes on"
    assert second.json["state"] == "retired"
    assert set(live(keys)) == {first.json["key"].rpartition("/")[2]}


def test_no_way_out_leads_back_to_the_leaked_key(keys, leaked) -> None:
    first = keys("compromised", "web", "--grace", "2h", "--yes", "--format", "json")
    successor = first.json["key"].rpartition("/")[2]
    assert keys("delete", successor, "--yes").code == 0
    done = keys("compromised", "web", "--grace", "2h", "--yes", "--format", "json")
    assert done.code == 1
    assert done.json["fix"] == done.error["fix"] == [f"bring it back: keyadmin keys undelete {successor} -p demo-project"]


def test_after_grace_the_command_that_was_told_ends_it(keys, served, leaked) -> None:
    first = keys("compromised", "web", "--to", "secret-manager:projects/demo-project/secrets/web", "--grace", "2h", "--yes")
    told = re.search(r"after the grace period, delete it: keyadmin keys (.*)", first.out)
    assert told is not None, first.out
    served.control("clock", {"advance": "3h"})
    second = keys(*shlex.split(told[1]), "--format", "json")
    assert second.code == 0, second.err
    assert second.json["state"] == "retired"
    assert "web" not in live(keys)


def test_after_grace_the_thieves_use_does_not_keep_it_alive(keys, served, leaked) -> None:
    command = ["compromised", "web", "--grace", "2h", "--yes", "--format", "json"]
    assert keys(*command).json["state"] == "grace"
    served.control("clock", {"advance": "3h"})
    request = urllib.request.Request(
        f"{served.rest}/v1beta/models/gemini-2.5-flash:generateContent",
        data=json.dumps({"contents": [{"parts": [{"text": "hello"}]}]}).encode(),
        headers={"Content-Type": "application/json", "x-goog-api-key": leaked},
    )
    urllib.request.urlopen(request, timeout=60).close()
    done = keys(*command)
    assert done.code == 0, done.err
    assert "web" not in live(keys)


def test_a_sink_that_fails_keeps_the_old_key_and_says_how_to_go_on(keys, leaked, scratch) -> None:
    sink = f"env-file:{scratch}/no/such/folder/.env"
    done = keys("compromised", "web", "--to", sink, "--sandbox", "--yes", "--format", "json")
    assert done.code == 1
    assert "no/such/folder/.env cannot be" in done.error["message"]
    assert done.json["check"][0].startswith("web still works: ")
    assert "half an hour" not in done.out
    assert set(live(keys)) == {"web"}, "nobody is left without a key, and none is made that nothing can take"
    (scratch / "no/such/folder").mkdir(parents=True)
    again = keys("compromised", "web", "--to", sink, "--sandbox", "--yes", "--format", "json")
    assert again.code == 0, again.err
    assert again.json["generation"] == 2, "no third key is made"
    assert "web" not in live(keys)


def test_other_sinks_than_it_was_handed_to_are_warned_of(keys, leaked, scratch) -> None:
    sink = ["--to", f"env-file:{scratch / '.env'}", "--sandbox"]
    rotated = keys("rotate", "web", *sink, "--yes", "--grace", "0s", "--format", "json").json["key"]
    other = keys("compromised", rotated, "--dry-run", "--quiet")
    assert "Warning" in other.err
    assert "rotation run --emergency --only" in other.err
    assert "Warning" not in keys("compromised", rotated, *sink, "--dry-run").err
    assert keys("compromised", rotated, *sink, "--yes").code == 0


def test_to_stdout(keys, leaked) -> None:
    done = keys("compromised", "web", "--to", "stdout", "--yes", "--format", "json")
    assert done.code == 0, done.err
    assert done.json["keyString"] == keys("show", done.json["key"]).out.strip()


def test_it_asks_and_can_be_planned(keys, served, leaked) -> None:
    before = len(served.methods())
    assert keys("compromised", "web", "--format", "json").code == 2
    assert len(served.methods()) == before, "no call without the answer"
    declined = keys("compromised", "web", terminal=True, stdin="n\n")
    assert declined.code == 1
    planned = keys("compromised", "web", "--dry-run")
    assert planned.code == 0
    assert "would make a successor of web" in planned.err
    assert not {"CreateKey", "DeleteKey", "UpdateKey"} & set(served.methods()[before:])
    agreed = keys("compromised", "web", terminal=True, stdin="y\n")
    assert agreed.code == 0, agreed.err


@pytest.mark.parametrize("wrong", [["web", "--grace", "soon"], ["web", "--to", "nowhere"], []])
def test_wrong_usage(keys, served, wrong) -> None:
    done = keys("compromised", *wrong, "--yes", "--format", "json")
    assert done.code == 2
    assert served.methods() == []


def test_a_key_that_is_not_there(keys, served) -> None:
    served.control("seed", {"projects": [{"projectId": "demo-project", "services": ["apikeys.googleapis.com"]}]})
    done = keys("compromised", "nosuch", "--yes", "--format", "json")
    assert done.code == 1
    assert done.error["cause"] == "not-found"


def test_without_permission_nothing_is_made(keys, served, leaked) -> None:
    served.grant("reader@example.com", "apikeys.keys.get", "apikeys.keys.list", "resourcemanager.projects.get")
    done = keys("compromised", "web", "--yes", "--format", "json", user="reader@example.com")
    assert done.code == 1
    assert done.error["permission"] == "apikeys.keys.create"
    assert set(live(keys)) == {"web"}
