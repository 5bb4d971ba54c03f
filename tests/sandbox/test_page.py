"""The page at `GET /`: what it shows, that nothing in it runs or leaks, and that it is live in a real browser."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tests.browser import BROWSER, browsing

from .conftest import Running
from .wire import KEYS, create, send

NASTY = "</td><script>document.title='taken over'</script><img src=x onerror=\"document.title='taken over'\">"


def _seed_nasty(sandbox: Running) -> None:
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
    _seed_nasty(sandbox)
    reply = send(sandbox, "GET", "/")
    page = reply.body.decode()
    assert NASTY not in page
    assert NASTY in unescape(page)
    assert len(re.findall("<script", page)) == 1
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


def test_other_methods_are_not_there(shared_sandbox: Running) -> None:
    assert send(shared_sandbox, "HEAD", "/").status == 200
    reply = send(shared_sandbox, "POST", "/", {})
    assert (reply.status, reply.data["error"]["status"]) == (501, "UNIMPLEMENTED")


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
async def test_it_is_live_in_a_browser(sandbox: Running, tmp_path: Path) -> None:
    _seed_nasty(sandbox)
    async with browsing(f"{sandbox.rest}/", tmp_path) as tab:
        await tab.until("document.getElementById('state').textContent === 'live'")
        assert not await tab.value("document.body.innerText.includes('appears later')")
        create(sandbox, "later", {"displayName": "appears later"})
        await tab.until("document.getElementById('keys').innerText.includes('appears later')")
        sandbox.control("faults", {"method": "CreateKey", "code": "ABORTED", "times": 4})
        await tab.until("document.getElementById('conditions').innerText.includes('ABORTED')")
        await tab.until("document.getElementById('requests').innerText.includes('ApiKeys.CreateKey')")
        assert await tab.value("document.title") == sandbox.control("page")["title"]
        assert await tab.value("document.getElementById('projects').innerText.includes('<img src=x')") is True
        assert await tab.value("document.scripts.length + document.images.length") == 1
        assert tab.said == []


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
async def test_it_says_when_the_server_is_gone(start_sandbox: Any, tmp_path: Path) -> None:
    running = start_sandbox()
    async with browsing(f"{running.rest}/", tmp_path) as tab:
        await tab.until("document.getElementById('state').textContent === 'live'")
        running.stop()
        await tab.until("document.getElementById('state').textContent === 'not connected'")
