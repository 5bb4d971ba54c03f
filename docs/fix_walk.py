"""The walk of docs/fix.md: an organisation of projects whose keys are used for different things, and what is typed.

`nox -s pictures` plays it with 1,000 projects, in a sandbox, and makes the recordings of its scenes; a test plays it with 20.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

sys.path[:0] = [str(Path(__file__).parent)]

from recordings import picture, recorded  # noqa: E402 - of this folder

PROJECTS: Final = 1000
OUT: Final = Path(__file__).parent / "recordings"
RITA, OWNER = "rita@example.com", "owner@example.com"
GEMINI, MAPS, TRANSLATE = (f"{name}.googleapis.com" for name in ("generativelanguage", "maps-backend", "translate"))
ON: Final = [
    GEMINI,
    MAPS,
    TRANSLATE,
    *(f"{name}.googleapis.com" for name in ("apikeys", "monitoring", "secretmanager", "iam", "serviceusage")),
]
POLICY: Final = """[[rule]]
projects = ["shop-0006", "shop-0016"]
sinks = ["secret-manager:projects/{project}/secrets/gemini-{lineage}"]
"""
HARMED, STRANGE = "shop-0014", "shop-0004"
KEY: Final = "projects/7000000014/locations/global/keys/mixed"


@dataclass(frozen=True)
class WalkStep:
    """A line that is typed: in which scene, how it ends, by whom. `observed` = a key is harmed while it waits; `later` = the
    clock goes on first; `killed` = the same was typed before and killed half-way.
    """

    scene: str
    line: str
    code: int = 0
    who: str = RITA
    observed: bool = False
    later: str = ""
    killed: bool = False


APPLY: Final = "keyadmin audit fix --apply plan.json --policy shop.toml"
WALK: Final = (
    WalkStep("fix-plan", "keyadmin audit fix --organization 77 --policy shop.toml --out plan.json"),
    WalkStep("fix-first", f"{APPLY} --only --observe 0s --yes --output first.html"),
    WalkStep("fix-stranger", "keyadmin keys rename mixed -p shop-0004 'for the new app'", who=OWNER),
    WalkStep("fix-harm", f"{APPLY} --only --observe 45m --yes --output second.html", 3, observed=True, killed=True),
    WalkStep("fix-back", f"keyadmin audit undo plan.json --key {KEY} --yes"),
    WalkStep("fix-rest", f"{APPLY} --observe 0s --yes --output rest.html", 3),
    WalkStep("fix-rest", f"{APPLY} --observe 0s --yes --output done.html", 3, later="25h"),
    WalkStep("fix-left", "keyadmin audit --organization 77 --inventory api --format json --output after.json", 3),
    WalkStep("fix-left", "keyadmin audit fix --organization 77 --policy shop.toml --out next.json"),
    WalkStep("fix-undo", "keyadmin audit undo plan.json --dry-run"),
    WalkStep("fix-undo", "keyadmin audit undo plan.json --yes"),
)
SCENES: Final = {
    scene: tuple(step.line for step in WALK if step.scene == scene) for scene in dict.fromkeys(step.scene for step in WALK)
}
_FIX: Final = (
    *("apikeys.keys.list", "apikeys.keys.update", "apikeys.keys.delete", "apikeys.keys.undelete"),
    *("serviceusage.services.get", "resourcemanager.projects.get"),
)
_USE: Final = "monitoring.timeSeries.list"
_MIGRATE: Final = (
    *("apikeys.keys.create", "apikeys.keys.get", "apikeys.keys.getKeyString", "serviceusage.services.enable"),
    *("iam.serviceAccounts.get", "iam.serviceAccounts.create", "iam.serviceAccountApiKeyBindings.create"),
    *("secretmanager.secrets.create", "secretmanager.secrets.get"),
    *(f"secretmanager.versions.{verb}" for verb in ("add", "access", "list", "disable")),
)


def seed(now: datetime, projects: int = PROJECTS) -> dict[str, Any]:
    """The organisation; `now` = the sandbox's time. Rita has what `doctor --for fix` names, and migrates in two projects."""
    role = "organizations/77/roles/{}".format
    return {
        "organizations": [
            {"name": "organizations/77", "displayName": "example.com", "iam": {role("walk"): [f"user:{RITA}"]}},
        ],
        "customRoles": {
            role("walk"): ["resourcemanager.folders.list"],
            role("fix"): [*_FIX, _USE],
            role("blind"): list(_FIX),
            role("migrate"): list(_MIGRATE),
        },
        "projects": [_project(number, now, role) for number in range(projects)],
    }


def _project(number: int, now: datetime, role: Callable[[str], str]) -> dict[str, Any]:
    name = f"shop-{number:04}"
    roles = {role("blind" if number % 10 == 9 else "fix"): [f"user:{RITA}"], "roles/owner": [f"user:{OWNER}"]}
    if name in POLICY:
        roles[role("migrate")] = [f"user:{RITA}"]
    return {
        "projectId": name,
        "projectNumber": str(7_000_000_000 + number),
        "parent": "organizations/77",
        "services": ON,
        "iam": roles,
        "keys": [_key(now, *kind) for kind in _KINDS[number % 10]],
    }


# What a key is called, its APIs, its age in days, and the calls of each day by API.
_KINDS: Final[dict[int, tuple[tuple[str, tuple[str, ...], int, dict[str, int]], ...]]] = {
    0: (("old test", (), 400, {}), ("store map", (), 300, {MAPS: 1000})),
    1: (("words", (), 300, {MAPS: 200, TRANSLATE: 500}),),
    2: (("chat and map", (GEMINI, MAPS), 200, {MAPS: 300}),),
    3: (("website", (), 300, {MAPS: 90}), ("left over", (), 500, {})),
    4: (("mixed", (MAPS, TRANSLATE), 80, {TRANSLATE: 40}),),
    5: (("assistant", (GEMINI,), 60, {GEMINI: 60}),),
    6: (("prompt server", (), 60, {GEMINI: 80}),),
    7: (("new map", (), 3, {MAPS: 5}), ("quiet", (), 40, {})),
    8: (("both used", (), 60, {GEMINI: 70, MAPS: 30}),),
    9: (("no one knows", (), 300, {MAPS: 30}),),
}


def _key(now: datetime, name: str, targets: tuple[str, ...], age: int, calls: dict[str, int]) -> dict[str, Any]:
    return {
        "keyId": name.replace(" ", "-"),
        "displayName": name,
        "createTime": _text(now - timedelta(days=age)),
        "restrictions": {"apiTargets": [{"service": each} for each in targets]} if targets else {},
        "use": [
            {"service": service, "at": _text(now - timedelta(days=day, hours=2)), "calls": count}
            for service, count in calls.items()
            for day in range(1, min(8, age))
        ],
    }


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def call(rest: str, path: str, data: Any = None) -> Any:
    """A call to the sandbox, as its owner; POST where there is `data`."""
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(f"{rest}{path}", body, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.loads(answer.read())


def harm(rest: str, folder: Path) -> None:
    """While a wave is observed: its keys are called as ever, but one is turned away for 41 calls. Then the time is over."""
    call(rest, "/_sandbox/clock", {"advance": "8m"})
    at = _text(datetime.fromisoformat(call(rest, "/_sandbox")["now"]) - timedelta(minutes=2))
    plan = json.loads((folder / "plan.json").read_text("utf-8"))
    projects = []
    for change in plan["changes"]:
        if change["wave"] != 2 or change["kind"] == "delete":
            continue
        key = call(rest, f"/v2/{change['key']}")
        used = [
            {"service": service, "at": at, "calls": count // 100 + 1} for service, count in change["evidence"]["calls"].items()
        ]
        if change["project"] == HARMED:
            used = [{"service": MAPS, "at": at, "calls": 0, "errors": {"403": 41}}]
        kept = {name: key[name] for name in ("displayName", "createTime", "restrictions", "annotations") if name in key}
        projects.append(
            {"projectId": change["project"], "keys": [{"keyId": key["name"].rpartition("/")[2], **kept, "use": used}]}
        )
    call(rest, "/_sandbox/seed", {"projects": projects})
    call(rest, "/_sandbox/clock", {"advance": "38m"})


def harmed_meanwhile(rest: str, folder: Path, over: threading.Event) -> threading.Thread:
    """Waits, in a thread, until the second wave is made, and does harm; `over` ends the waiting."""

    def act() -> None:
        journal = folder / "plan.json.run.jsonl"
        while not over.wait(0.05):
            if journal.exists() and '"wave":2,"step":"ended"' in journal.read_text("utf-8"):
                harm(rest, folder)
                return

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread


class _Stage:
    """A served sandbox with the organisation in it, and a folder in which is typed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        words = [sys.executable, "-m", "keyadmin", "sandbox", "serve"]
        self.server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # noqa: S603
        assert self.server.stdout is not None
        self.rest: str = json.loads(self.server.stdout.readline())["rest"]
        call(self.rest, "/_sandbox/seed", seed(datetime.fromisoformat(call(self.rest, "/_sandbox")["now"])))
        (folder / "shop.toml").write_text(POLICY, "utf-8")

    def env(self, who: str) -> dict[str, str]:
        return {"KEYADMIN_SANDBOX": self.rest, "KEYADMIN_SANDBOX_USER": who}

    def type(self, step: WalkStep) -> list[str]:
        """What a terminal shows of a step."""
        if step.later:
            call(self.rest, "/_sandbox/clock", {"advance": step.later})
        if step.killed:
            self._killed(step)
        over = threading.Event()
        thread = harmed_meanwhile(self.rest, self.folder, over) if step.observed else None
        lines = recorded((step.line,), self.env(step.who), self.folder)
        over.set()
        if thread is not None:
            thread.join()
        return lines

    def _killed(self, step: WalkStep) -> None:
        """The same command, killed when most of its wave is made."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        env = {"PATH": path, "HOME": str(self.folder)} | self.env(step.who)
        journal = self.folder / "plan.json.run.jsonl"
        wanted = journal.read_text("utf-8").count('"step":"done"') + 120
        process = subprocess.Popen(step.line.split(), env=env, cwd=self.folder, stderr=subprocess.DEVNULL)  # noqa: S603
        while process.poll() is None and journal.read_text("utf-8").count('"step":"done"') < wanted:
            time.sleep(0.01)
        process.kill()
        process.wait()

    def close(self) -> None:
        self.server.send_signal(signal.SIGTERM)
        self.server.wait(timeout=30)


def play(folder: Path) -> None:
    """The whole walk, with 1,000 projects: writes the recordings; plan, journal and reports stay in the folder."""
    stage = _Stage(folder)
    try:
        shown: dict[str, list[str]] = {}
        for step in WALK:
            before = [*shown[step.scene], ""] if step.scene in shown else []
            shown[step.scene] = [*before, *stage.type(step)]
            sys.stderr.write(f"{step.scene}\n")
    finally:
        stage.close()
    for scene, lines in shown.items():
        (OUT / f"{scene}.svg").write_text(picture(lines, "; ".join(SCENES[scene])), "utf-8")


if __name__ == "__main__" and sys.argv[1:] == ["seed"]:
    print(json.dumps(seed(datetime.now(UTC))))
elif __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        play(Path(name))
