"""The sandbox held to recordings of the real Google Cloud.

A part of them is in tests/data/recorded-google-cloud.json; all of them are replayed where they lie beside the project
(../shared/recordings, or the folder that KEYADMIN_RECORDINGS names) by the program that comes with them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from .conftest import Running
from .recorded import replay

ROOT = Path(__file__).parents[2]
SHIPPED: list[dict[str, Any]] = json.loads((ROOT / "tests/data/recorded-google-cloud.json").read_text("utf-8"))["sequences"]
WHOLE = Path(os.environ.get("KEYADMIN_RECORDINGS", ROOT.parent / "shared" / "recordings"))
MOST = 5  # requests in all of whose answers a client would notice a difference

# What need not be the same, and why.
IGNORED = {
    r"^PATCH \S+/tagKeys/\S+\.(done|response) is absent": "operations are never done at once here (docs/sandbox.md)",
    r"generateServiceIdentity\.(done|response) is absent": "the same",
    r"queryTestablePermissions\.(permissions|nextPageToken) is extra": "recorded empty, though the project has some",
    r"/keys\.privateKeyData: ": "the harness wrote a text in its place",
}


@pytest.mark.parametrize("sequence", SHIPPED, ids=lambda one: f"{one['file'].removesuffix('/_http.log')[-60:]}-{one['commit']}")
def test_the_answers_are_as_recorded(shared_sandbox: Running, sequence: dict[str, Any]) -> None:
    assert replay(shared_sandbox, sequence["steps"], IGNORED) == []


def test_a_difference_is_seen(shared_sandbox: Running) -> None:
    """The comparison itself: a status, a value, a field too many and one too few."""
    (steps,) = [one["steps"] for one in SHIPPED if one["file"].endswith("mockiam/testdata/serviceaccount/crud/_http.log")]
    made = json.loads(json.dumps(steps[:1]))
    made[0]["reply"] |= {"displayName": "another", "extra": 1}
    del made[0]["reply"]["uniqueId"]
    found = replay(shared_sandbox, made, {})
    assert [difference.split(":")[0].rpartition(".")[2] for difference in found] == [
        "displayName",
        "extra is absent",
        "uniqueId is extra",
    ]
    assert "recorded 418" in replay(shared_sandbox, [made[0] | {"status": 418}], {})[0]


@pytest.mark.skipif(not (WHOLE / "replay.py").is_file(), reason=f"{WHOLE} is not here")
def test_all_recordings(tmp_path: Path) -> None:
    program = Path(sysconfig.get_path("scripts")) / "keyadmin"
    data = [str(WHOLE / "data" / f"{name}.json") for name in ("kcc_real", "kcc_vcr", "c7n")]
    command = [sys.executable, str(WHOLE / "replay.py"), str(program), *data, "--out", str(tmp_path / "differences.json")]
    environment = os.environ | {"REPLAY_HOME": str(tmp_path / "home")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)
    assert done.returncode == 0, done.stderr
    counted = re.search(r"a client would notice: (\d+) requests (.*)", done.stdout)
    assert counted is not None, done.stdout
    assert int(counted[1]) <= MOST, counted[2]
    total = json.loads((tmp_path / "differences.json").read_text())["total"]
    assert total["tried"] >= 850, total  # fewer would be easy: what is not served is not compared
