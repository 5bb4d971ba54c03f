"""Every remedy of doctor is carried out beside other bindings: the member can do it afterwards, and nobody lost anything."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyadmin.access.permissions import FEATURES
from tests.cli.test_advice_typed import Neighbours, world

NEW = "new@example.com"
GCLOUD = shutil.which("gcloud")


def gcloud(cli: Callable[..., Any], served: Any, home: dict[str, str], *commands: str) -> None:
    """Run commands of gcloud as they are printed, in a shell that `sandbox env` has pointed at the sandbox."""
    ready = Path(home["HOME"]) / "ready.json"
    ready.write_text(json.dumps({"rest": served.rest, "grpc": "127.0.0.1:1", "pid": 1}))
    settings = cli("sandbox", "env", "--ready-file", str(ready)).out
    assert "CLOUDSDK" in settings
    script = "\n".join([settings, "set -e", *(f"{command} --quiet --format=none" for command in commands)])
    done = subprocess.run(["bash", "-c", script], env=home, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("feature", [name for name, each in FEATURES.items() if each.permissions])
def test_apply_mends_each_feature_and_keeps_the_other_bindings(run: Callable[..., Any], served: Any, feature: str) -> None:
    served.seed(**world())
    around = Neighbours(served.rest)
    before = around.standing("web")
    ask = ("doctor", "demo-project", "--for", feature)
    to = ("--to", "stdout") if feature == "hand-over" else ()
    missing = run(*ask, *to, "--format", "json", user=NEW).json[0]["missingPermissions"]
    assert missing
    done = run(*ask, *to, "--member", f"user:{NEW}", "--apply", "--yes")
    assert done.code == 0, (done.out, done.err)
    after = around.standing("web")
    assert {name: after.get(name) for name in before} == before
    assert not run(*ask, *to, "--format", "json", user=NEW).json[0]["missingPermissions"]
    roles = [name for name in set(after) - set(before) if NEW in name]
    assert len(set(after) - set(before)) == len(roles), "nobody else got anything"


@pytest.mark.skipif(GCLOUD is None, reason="gcloud is not here")
@pytest.mark.parametrize("way", ["predefined", "custom"])
def test_gcloud_takes_what_doctor_prints(
    cli: Callable[..., Any], run: Callable[..., Any], served: Any, home: dict[str, str], way: str
) -> None:
    served.seed(**world())
    around = Neighbours(served.rest)
    before = around.standing("web")
    found = run("doctor", "demo-project", "--for", "audit", "--format", "json", user=NEW).json[0]
    custom = [each for each in found["remedy"]["commands"] if "roles create" in each or "role=projects/" in each]
    lines = custom if way == "custom" else [each for each in found["remedy"]["commands"] if each not in custom]
    assert all(shlex.split(line)[0] == "gcloud" for line in lines)
    gcloud(cli, served, home, *lines)
    assert not run("doctor", "demo-project", "--for", "audit", "--format", "json", user=NEW).json[0]["missingPermissions"]
    after = around.standing("web")
    assert {name: after.get(name) for name in before} == before


@pytest.mark.skipif(GCLOUD is None, reason="gcloud is not here")
def test_gcloud_enables_what_a_cause_says(cli: Callable[..., Any], served: Any, home: dict[str, str]) -> None:
    served.seed(**world())
    around = Neighbours(served.rest)
    before = around.standing("web")
    gcloud(cli, served, home, "gcloud services enable translate.googleapis.com --project demo-project")
    after = around.standing("web")
    assert {name: after.get(name) for name in before} == before
    enabled = around.ask("/v1/projects/demo-project/services?filter=state:ENABLED&pageSize=200")["services"]
    assert "translate.googleapis.com" in {each["config"]["name"] for each in enabled}
    assert "maps-backend.googleapis.com" in {each["config"]["name"] for each in enabled}
