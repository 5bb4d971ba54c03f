"""`python -m tests.live.record PROJECT FILE`: play the round at Google and in a sandbox, record and compare.

Uses the credentials that keyadmin would use. Prints a plan first; asks on a terminal, and needs KEYADMIN_LIVE_YES=1 elsewhere.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from keyadmin.cloud import network, routes
from keyadmin.cloud.google_access import GoogleAccess
from keyadmin.cloud.http import HttpClient
from tests.live import steps
from tests.live.steps import Masker, Recorder, Send, Step


def plan(project: str, file: str) -> str:
    """What will be done, and what it costs."""
    lines = [f"In project {project}, at Google, with your own credentials:"]
    lines += [f"  {number}. {what} ({cost})" for number, (what, cost) in enumerate(steps.PLAN, 1)]
    lines += [
        f"  {len(steps.PLAN) + 1}. keyadmin's commands create, list, rename, verify, rotate, audit and delete a key",
        "It takes about ten minutes and costs nothing: none of these calls is billed.",
        "What it makes begins with keyadmin-live and is deleted. Deleted keys can be brought back for 30 days.",
        "The APIs that the calls need are switched on in the project where they are off, and stay on.",
        f"Google's answers go to {file}, without key strings, tokens, addresses, project, organisation and account numbers.",
    ]
    return "\n".join(lines)


def agreed() -> bool:
    """Whether the person goes on."""
    if os.environ.get("KEYADMIN_LIVE_YES") == "1":
        return True
    if not sys.stdin.isatty():
        print("There is no terminal, so nobody can be asked: set KEYADMIN_LIVE_YES=1.", file=sys.stderr)
        return False
    return input("Go on? [y/N] ").strip().lower() in ("y", "yes")


async def at_google(project: str) -> list[Step]:
    """Play it at Google."""
    places = routes.google(network.trusted_roots())
    http = HttpClient(places)
    try:
        access = await GoogleAccess.load(http, os.environ.get("KEYADMIN_QUOTA_PROJECT") or project, None)

        async def send(host: str, method: str, path: str, body: Any, key: str | None) -> tuple[int, Any]:
            headers = {"x-goog-api-key": key} if key else await access.headers()
            if not key and access.quota_project:
                headers["x-goog-user-project"] = access.quota_project
            answer = await http.request(method, f"https://{host}{path}", headers=headers, json=body)
            return answer.status, _decoded(answer.body)

        return await _played(send, project)
    finally:
        await http.close()


async def in_sandbox(project: str, services: list[str]) -> list[Step]:
    """Play the same in a sandbox that holds such a project."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "keyadmin", "sandbox", "serve", "--quiet"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    ready = json.loads(await process.stdout.readline())
    try:
        async with aiohttp.ClientSession(headers={"Content-Type": "application/json"}) as session:
            owner = {"roles/owner": ["user:owner@example.com"]}
            seed = {"projects": [{"projectId": project, "services": services, "iam": owner}]}
            async with session.post(f"{ready['rest']}/_sandbox/seed", json=seed) as seeded:
                assert seeded.status == 200, await seeded.text()

            async def send(host: str, method: str, path: str, body: Any, key: str | None) -> tuple[int, Any]:
                headers = {"x-goog-api-key": key} if key else {"Authorization": "Bearer owner@example.com"}
                async with session.request(method, ready["rest"] + path, json=body, headers=headers) as answer:
                    return answer.status, _decoded(await answer.read())

            return await _played(send, project)
    finally:
        process.terminate()
        await process.wait()


async def _played(send: Send, project: str) -> list[Step]:
    recorder = Recorder(send, project)
    await steps.play(recorder)
    return recorder.steps


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw.strip() else {}
    except ValueError:
        return {"notJson": len(raw)}


async def record(project: str, file: Path) -> list[str]:
    """Record to `file`; where the sandbox answers otherwise."""
    real = await at_google(project)
    about: Any = next((step.reply for step in real if step.host == "cloudresourcemanager" and step.status == 200), {})
    number = str(about.get("name", "")).rpartition("/")[2]
    masker = Masker(project, number)
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    file.write_text(json.dumps(steps.recording(real, masker, date), indent=1) + "\n", "utf-8")
    ours = await in_sandbox(project, [*steps.NEEDED, "cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com"])
    return [masker(line) for line in steps.differences(real, ours)]


def main(arguments: list[str]) -> int:
    """Plan, ask, record, compare. 0 = done, whatever the comparison says; 1 = declined."""
    project, file = arguments[0], Path(arguments[1])
    print(plan(project, str(file)))
    if "--plan" in arguments:
        return 0
    if not agreed():
        return 1
    found = asyncio.run(record(project, file))
    print(f"Recorded {file}: look through it before you send it in.")
    print(f"The sandbox answers otherwise in {len(found)} places:" if found else "The sandbox answers the same.")
    print("\n".join(f"  {line}" for line in found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
