"""The page at `GET /`: what it shows, that nothing in it runs or leaks, and that it is live in a real browser."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from .conftest import Running
from .wire import KEYS, create, send

NASTY = "</td><script>document.title='taken over'</script><img src=x onerror=\"document.title='taken over'\">"


def seed_nasty(sandbox: Running) -> None:
    project = {
        "projectId": "nasty-project",
        "displayName": NASTY,
        "iam": {"roles/owner": ["user:owner@example.com", f"user:{NASTY}@example.com"]},
        "keys": [{"keyId": "nasty", "displayName": NASTY[:63]}],
    }
    sandbox.control("seed", {"projects": [project]})


def _table(sandbox: Running, name: str) -> list[list[str]]:
    data = sandbox.control("page")
    rows: list[list[str]] = next(table["rows"] for table in data["tables"] if table["id"] == name)
    return rows


def test_it_shows_projects_keys_iam_faults_and_requests(sandbox: Running) -> None:
    key = create(
        sandbox, "shown", {"displayName": "on the page", "restrictions": {"apiTargets": [{"service": "a.googleapis.com"}]}}
    )
    sandbox.control("faults", {"method": "GetKey", "code": "UNAVAILABLE", "times": 3, "when": "after"})
    sandbox.control("quota", {"method": "ListKeys", "per_minute": 7})
    sandbox.control("latency", {"ms": 1})
    send(sandbox, "GET", f"{KEYS}/none", None, {"Authorization": "Bearer nobody@example.net"})
    assert ["demo-project", "100000000001", "Demo project", "ACTIVE", "folders/1001", "1", ""] in _table(sandbox, "projects")
    row = _table(sandbox, "keys")[0]
    assert row[:6] == ["demo-project", "on the page", "shown", "standard", f"AIzaSANDBOX...{key['keyString'][-4:]}", "a"]
    assert row[7] == "active"
    assert ["projects/demo-project", "roles/owner", "user:owner@example.com", ""] in _table(sandbox, "iam")
    assert _table(sandbox, "conditions") == [
        ["fault", "GetKey", "UNAVAILABLE after the change, 3 more times"],
        ["quota", "ListKeys", "7 a minute"],
        ["latency", "*", "1 ms"],
    ]
    assert _table(sandbox, "requests")[0][1:] == [
        "google.api.apikeys.v2.ApiKeys.GetKey",
        "nobody@example.net",
        "PERMISSION_DENIED",
    ]
    page = send(sandbox, "GET", "/").body.decode()
    for text in ("on the page", "roles/owner", "UNAVAILABLE after the change", "nobody@example.net", "Demo project"):
        assert text in page


def test_key_strings_are_masked_everywhere_on_it(sandbox: Running) -> None:
    standard = create(sandbox)["keyString"]
    auth = send(sandbox, "GET", "/v2/projects/crowded-project/locations/global/keys/worker-001/keyString").data["keyString"]
    for body in (send(sandbox, "GET", "/").body, send(sandbox, "GET", "/_sandbox/page").body):
        text = body.decode()
        assert standard[-4:] in text
        for key_string in (standard, auth):
            assert key_string not in text
            assert key_string[11:-4] not in text


def test_everything_is_escaped_and_the_policy_lets_nothing_foreign_in(sandbox: Running) -> None:
    seed_nasty(sandbox)
    reply = send(sandbox, "GET", "/")
    page = reply.body.decode()
    assert NASTY not in page
    assert NASTY in unescape(page)
    assert len(re.findall("<script", page)) == 2  # what the page knows, as JSON, and what runs
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert not re.search(r"""(src|href|action)=["']?(https?:|//)""", page)
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_many_projects_are_cut_short_and_that_is_said(sandbox: Running) -> None:
    sandbox.control("seed", {"fleet": {"projects": 250, "keysPerProject": 2}})
    data = sandbox.control("page")
    projects = next(table for table in data["tables"] if table["id"] == "projects")
    assert len(projects["rows"]) == 200
    assert projects["title"] == "Projects (200 of 255)"


def _part(sandbox: Running, table: str, **wanted: Any) -> Any:
    return sandbox.control("page", {"table": table, **wanted})["table"]


def test_a_table_is_searched_sorted_and_paged_by_the_database(sandbox: Running) -> None:
    sandbox.control("seed", {"fleet": {"projects": 250, "keysPerProject": 2}})
    ids = [row[0] for row in _part(sandbox, "projects", search="FLEET-0024", limit=5)["rows"]]
    assert ids == ["fleet-00240", "fleet-00241", "fleet-00242", "fleet-00243", "fleet-00244"]
    assert _part(sandbox, "projects", search="fleet-0024")["total"] == 10
    assert _part(sandbox, "projects", search="fleet !fleet-00")["total"] == 0
    assert _part(sandbox, "projects", search="%")["total"] == _part(sandbox, "projects", search="f_eet")["total"] == 0
    last = _part(sandbox, "projects", search="fleet", sort=0, down=True, limit=1, offset=1)
    assert (last["rows"][0][0], last["offset"], last["total"]) == ("fleet-00248", 1, 250)
    most = _part(sandbox, "projects", sort=5, down=True, limit=1)["rows"][0]
    assert most[0] == "crowded-project"
    assert _part(sandbox, "keys", search="fleet-00001 standard")["total"] <= 2
    assert [row[0] for row in _part(sandbox, "iam", search="demo-project roles/owner")["rows"]] == ["projects/demo-project"]


def test_whoever_looks_on_is_sent_what_changed_alone(sandbox: Running) -> None:
    first = sandbox.control("page", {"table": "keys", "search": "lives"})
    assert first["table"]["rows"] == []
    again = sandbox.control("page", {"table": "keys", "search": "lives", "seen": first["seen"]})
    assert ("table" in again, again["seen"]) == (False, first["seen"])
    create(sandbox, "lives")
    news = sandbox.control("page", {"table": "keys", "search": "lives", "seen": first["seen"]})
    assert [row[2] for row in news["table"]["rows"]] == ["lives"]


def test_a_search_finds_no_key_string_but_by_what_is_shown_of_it(sandbox: Running) -> None:
    key_string = create(sandbox)["keyString"]
    assert _part(sandbox, "keys", search=key_string)["total"] == 0
    assert _part(sandbox, "keys", search=key_string[12:20])["total"] == 0
    assert _part(sandbox, "keys", search=key_string[-4:])["total"] >= 1


def test_requests_are_filtered_by_caller_and_outcome(sandbox: Running) -> None:
    send(sandbox, "GET", f"{KEYS}/none", None, {"Authorization": "Bearer nobody@example.net"})
    send(sandbox, "GET", KEYS)
    assert [row[3] for row in _part(sandbox, "requests", search="!OK")["rows"]] == ["PERMISSION_DENIED"]
    assert [row[2] for row in _part(sandbox, "requests", search="listkeys")["rows"]] == ["owner@example.com"]
    assert [row[3] for row in _part(sandbox, "requests", sort=3)["rows"]] == ["OK", "PERMISSION_DENIED"]


def test_the_life_of_a_key_tells_its_changes_its_use_and_its_end(sandbox: Running) -> None:
    create(sandbox, "lived", {"displayName": "born"})
    send(sandbox, "PATCH", f"{KEYS}/lived?updateMask=displayName", {"displayName": "renamed"})
    send(sandbox, "DELETE", f"{KEYS}/lived")
    row = _part(sandbox, "keys", search="lived")["rows"][0]
    life = sandbox.control("page", {"table": "keys", "row": row})["life"]
    assert life["title"] == "renamed"
    assert [event[2] for event in life["events"]] == ["will be purged", "DeleteKey", "UpdateKey", "CreateKey"]
    assert [event[1] for event in life["events"]][1:] == ["owner@example.com"] * 3
    facts = dict(life["facts"])
    assert facts["Key string"].startswith("AIzaSANDBOX...")
    seeded = {"keyId": "used", "displayName": "used", "lastUsed": "2026-01-01T00:00:00Z"}
    sandbox.control("seed", {"projects": [{"projectId": "web-life", "keys": [seeded]}]})
    row = _part(sandbox, "keys", search="web-life")["rows"][0]
    events = sandbox.control("page", {"table": "keys", "row": row})["life"]["events"]
    assert sorted(event[2] for event in events) == ["1 call", "made"]


def test_a_key_that_was_restricted_last_comes_first(sandbox: Running) -> None:
    for name in ("older", "newer"):
        create(sandbox, name, {"displayName": name})
        sandbox.control("clock", {"advance": "1d"})
    sandbox.control("clock", {"advance": "1d"})
    send(sandbox, "PATCH", f"{KEYS}/older?updateMask=displayName", {"displayName": "older"})
    rows = _part(sandbox, "keys", search="demo-project")["rows"]
    assert [row[1] for row in rows][:2] == ["older", "newer"]
    life = sandbox.control("page", {"table": "keys", "row": rows[0]})["life"]
    assert dict(life["facts"])["Last change"] == life["events"][0][0]


@pytest.mark.parametrize(
    "asked",
    [
        {"table": "none"},
        {"table": "projects", "sort": 7},
        {"table": "projects", "sort": "1; DROP TABLE keys"},
        {"table": "projects", "limit": 0},
        {"table": "projects", "limit": 100_000},
        {"table": "projects", "offset": -1},
        {"table": "projects", "row": ["demo-project"]},
        {"table": "keys", "row": "x"},
        {"table": "keys", "row": ["demo-project", "", "none"]},
    ],
)
def test_what_cannot_be_shown_is_refused(shared_sandbox: Running, asked: Any) -> None:
    reply = send(shared_sandbox, "POST", "/_sandbox/page", asked)
    assert reply.status in (400, 404)
    assert reply.data["error"]["message"]


def test_other_methods_are_not_there(shared_sandbox: Running) -> None:
    assert send(shared_sandbox, "HEAD", "/").status == 200
    reply = send(shared_sandbox, "POST", "/", {})
    assert (reply.status, reply.data["error"]["status"]) == (501, "UNIMPLEMENTED")
