"""Schedules are complete and pass the validators of the engines they are for."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from keyadmin.access.permissions import FEATURES
from keyadmin.problem import Exit, Problem
from keyadmin.rotation.policy import load
from keyadmin.rotation.schedule import ENGINES, files_for
from keyadmin.rotation.schedule.plan import Plan

PLAN = Plan("my-project", tasks=4)


def written(engine: str, folder: Path, plan: Plan = PLAN) -> dict[str, Path]:
    out = {}
    for file in files_for(engine, plan):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content)
        out[file.path] = path
    return out


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_rotates_at_google_with_a_role_of_just_what_it_needs(engine: str, tmp_path: Path) -> None:
    files = written(engine, tmp_path)
    everything = "\n".join(path.read_text() for path in files.values())
    assert "--no-sandbox" in everything
    role = yaml.safe_load(files["keyadmin-rotation-role.yaml"].read_text())
    needed = {*FEATURES["rotate"].permissions, "monitoring.timeSeries.list"}
    assert needed <= set(role["includedPermissions"])
    assert "iam.serviceAccounts.create" not in role["includedPermissions"], "only migrations make service accounts"
    assert "roles/owner" not in everything
    assert "roles/editor" not in everything


def test_a_migration_may_make_service_accounts(tmp_path: Path) -> None:
    files = written("systemd", tmp_path, Plan("my-project", migrate=True))
    role = yaml.safe_load(files["keyadmin-rotation-role.yaml"].read_text())
    assert set(FEATURES["migrate"].permissions) <= set(role["includedPermissions"])
    assert "rotation migrate --yes" in files["keyadmin-rotation.service"].read_text()


@pytest.mark.parametrize("engine", ENGINES)
def test_scripts_are_shell(engine: str, tmp_path: Path) -> None:
    for name, path in written(engine, tmp_path).items():
        if name.endswith(".sh"):
            ended = subprocess.run(["sh", "-n", str(path)], capture_output=True, text=True)
            assert ended.returncode == 0, f"{name}: {ended.stderr}"


def test_systemd_units_verify(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    files = written("systemd", tmp_path)
    units = [str(path) for name, path in files.items() if name.endswith((".service", ".timer"))]
    ended = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True)
    complaints = [line for line in ended.stderr.splitlines() if str(tmp_path) in line or "keyadmin" in line]
    assert not complaints, ended.stderr
    calendar = subprocess.run(["systemd-analyze", "calendar", "daily"], capture_output=True, text=True)
    assert calendar.returncode == 0
    service = files["keyadmin-rotation.service"].read_text()
    assert "OnFailure=" in service
    assert "SuccessExitStatus" not in service, "exit code 3 has to count as a failure"


def test_kubernetes_manifests_fit_the_schema(tmp_path: Path) -> None:
    validate = pytest.importorskip("kubernetes_validate")
    files = written("kubernetes", tmp_path)
    documents: list[dict[str, Any]] = list(yaml.safe_load_all(files["keyadmin-rotation.yaml"].read_text()))
    for document in documents:
        validate.validate(document, "1.31", strict=True)
    job = next(document for document in documents if document["kind"] == "CronJob")["spec"]
    assert job["concurrencyPolicy"] == "Forbid"
    assert job["jobTemplate"]["spec"]["completions"] == 4
    policy = next(document for document in documents if document["kind"] == "ConfigMap")["data"]["keyadmin.toml"]
    (tmp_path / "policy.toml").write_text(policy)
    assert load(tmp_path / "policy.toml").rules


def test_the_github_workflow_fits_the_schema(tmp_path: Path) -> None:
    pytest.importorskip("check_jsonschema")
    path = written("github-actions", tmp_path)[".github/workflows/keyadmin-rotation.yml"]
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    workflow = yaml.safe_load(path.read_text())
    assert workflow["concurrency"] == {"group": "keyadmin-rotation", "cancel-in-progress": False}


def test_the_cloud_run_job_has_only_fields_that_the_api_knows(tmp_path: Path) -> None:
    discovery = pytest.importorskip("googleapiclient.discovery_cache")
    text = (Path(discovery.__file__).parent / "documents" / "run.v1.json").read_text("utf-8")
    schemas = json.loads(text)["schemas"]
    job = yaml.safe_load(written("cloud-run", tmp_path)["job.yaml"].read_text())

    def check(value: Any, schema: dict[str, Any], where: str) -> None:
        if "$ref" in schema:
            schema = schemas[schema["$ref"]]
        if isinstance(value, list):
            for item in value:
                check(item, schema["items"], f"{where}[]")
        elif isinstance(value, dict):
            if "additionalProperties" in schema:
                return
            for name, item in value.items():
                assert name in schema["properties"], f"{where}.{name}"
                check(item, schema["properties"][name], f"{where}.{name}")

    check(job, schemas["Job"], "job")
    assert job["spec"]["template"]["spec"]["taskCount"] == 4


def test_cron_does_not_overlap_and_tells(tmp_path: Path) -> None:
    files = written("cron", tmp_path)
    script = files["rotate.sh"].read_text()
    assert "flock -n" in script
    assert "logger" in script
    table = [line for line in files["keyadmin-rotation.cron"].read_text().splitlines() if line and line[0].isdigit()]
    assert len(table) == 1
    assert table[0].split()[5] == "keyadmin", "the user stands in the sixth field"


@pytest.mark.parametrize("values", [{"every": "sometimes"}, {"tasks": 0}, {"tasks": 10_001}, {"project": "a; rm -rf"}])
def test_wrong_values_are_usage(values: dict[str, Any]) -> None:
    with pytest.raises(Problem) as caught:
        Plan(**({"project": "my-project"} | values))
    assert caught.value.exit is Exit.USAGE
