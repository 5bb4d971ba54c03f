"""Google's client libraries for Node.js over gRPC and REST, and @google/genai: from npm, in a cache outside the repository."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from tests.sandbox.conftest import Running
from tests.sandbox.wire import create

PACKAGES = {
    "@google-cloud/apikeys": "3.1.0",
    "@google-cloud/resource-manager": "6.3.0",
    "@google-cloud/service-usage": "4.2.2",
    "@google/genai": "3.1.0",
}
PROGRAMS = Path(__file__).parent / "node"
GEMINI = "generativelanguage.googleapis.com"


@pytest.fixture(scope="session")
def modules() -> Path:
    """`node_modules` with the packages; installed once a machine, by one test process at a time."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node.js or npm is not installed")
    names = "+".join(f"{name.rpartition('/')[2]}-{version}" for name, version in PACKAGES.items())
    folder = Path(os.environ.get("KEYADMIN_TEST_CACHE") or platformdirs.user_cache_path("keyadmin-tests")) / names
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done, failed = folder / "done", folder / "failed"
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID", "")
        if run and failed.exists() and failed.read_text() == run:
            pytest.skip("npm could not install the packages")
        if not done.exists():
            command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--no-save", "--ignore-scripts"]
            wanted = [f"{name}@{version}" for name, version in PACKAGES.items()]
            try:
                subprocess.run([*command, *wanted], check=True, capture_output=True, timeout=240)
            except (subprocess.SubprocessError, OSError):
                failed.write_text(run)  # other workers of this run need not try again
                pytest.skip("npm could not install the packages")
            done.touch()
    return folder / "node_modules"


def _run(modules: Path, program: str, *words: str, **environment: str) -> Any:
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    env |= {"NODE_PATH": str(modules), "METADATA_SERVER_DETECTION": "none", "NO_PROXY": "127.0.0.1"} | environment
    done = subprocess.run(
        ["node", str(PROGRAMS / program), *words], env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("door", ["grpc", "rest"])
def test_management_libraries(sandbox: Running, modules: Path, door: str) -> None:
    seen = _run(modules, "management.js", sandbox.rest, sandbox.grpc, door)
    name = "projects/100000000001/locations/global/keys/from-node"
    assert seen["created"] == {"name": name, "displayName": "node", "annotations": {"a": "b"}, "marker": "AIzaSANDBOX"}
    assert seen["createdAt"] > 1_700_000_000
    assert seen["listed"] == [[name, ""]]
    assert seen["restrictions"] == {"ips": ["203.0.113.7"], "targets": [{"service": GEMINI, "methods": ["GET"]}]}
    assert seen["sameString"] is True
    assert (seen["lookup"], seen["updated"], seen["deleted"], seen["undeleted"]) == (name, "renamed", True, name)
    assert seen["counts"] == [0, 1]
    assert seen["pages"] == 296
    assert seen["missing"]["code"] == 5
    assert 'key "projects/demo-project/locations/global/keys/missing" not found' in seen["missing"]["message"]
    assert (seen["denied"]["code"], seen["denied"]["reason"]) == (7, "IAM_PERMISSION_DENIED")
    assert seen["denied"]["domain"] == "iam.googleapis.com"
    assert seen["project"] == {"name": "projects/100000000001", "projectId": "demo-project", "state": "ACTIVE"}
    assert seen["search"] == ["demo-project"]
    assert seen["made"] == "made-by-node"
    assert seen["held"] == ["apikeys.keys.list", "resourcemanager.projects.get"]
    assert seen["service"] == ["DISABLED", "2"]  # what comes inside an operation it gives as a number
    assert GEMINI in seen["enabled"]


def test_genai(sandbox: Running, modules: Path) -> None:
    key = create(
        sandbox,
        None,
        {
            "serviceAccountEmail": "workers@crowded-project.iam.gserviceaccount.com",
            "restrictions": {"apiTargets": [{"service": GEMINI}]},
        },
        "crowded-project",
    )
    seen = _run(modules, "gemini.js", sandbox.rest, "gemini-2.5-flash", SANDBOX_KEY=key["keyString"])
    assert "models/gemini-2.5-flash" in seen["models"]
    assert seen["text"]
    assert seen["streamed"]
    assert seen["error"]["status"] == 400
    assert "API_KEY_INVALID" in seen["error"]["message"]
    called = {entry["method"].rpartition(".")[2] for entry in sandbox.control("requests")}
    assert {"ListModels", "GenerateContent", "StreamGenerateContent"} <= called
