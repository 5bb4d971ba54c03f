"""`audit schedule`: complete files that pass the validators of what they are for, and a command that does what they promise.

What is shared with rotation's files: test_rotation_schedule.py; how they are installed: tests/cli/rotation.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml

from keyadmin.access.permissions import FEATURES
from keyadmin.audit.schedule import AuditSchedule
from keyadmin.model.problem import Problem
from keyadmin.unattended.schedule import ENGINES, files_for
from keyadmin.unattended.schedule.install import parse_source
from keyadmin.unattended.schedule.plan import TIMES
from tests.sandbox.clients import Gcloud
from tests.sandbox.conftest import Running
from tests.unit.test_schedule_validators import discovered, fits, gcloud_commands, passes, program

SOURCE = parse_source(f"git:https://git.example/keyadmin.git@{'a' * 40}")
POLICY = '[[audit.accept]]\nrule = "key-too-old"\nproject = "shop-one"\nkey = "k"\nreason = "kiosk"\nuntil = 2099-01-01\n'
FULL: dict[str, Any] = {
    "organization": "34",
    "policy_text": POLICY,
    "notify": ("NOTICE_WEBHOOK",),
    "webhook_secret": "NOTICE_SECRET",
    "anomaly": 5.0,
}
LEAN: dict[str, Any] = {"projects": ("shop-one", "shop-two")}
BOTH = pytest.mark.parametrize("plan", [FULL, LEAN], ids=["full", "lean"])


def written(engine: str, folder: Path, plan: dict[str, Any], **more: Any) -> dict[str, Path]:
    """The files of an engine."""
    out = {}
    values: dict[str, Any] = {"project": "my-project", "install": SOURCE} | plan | more
    for file in files_for(engine, AuditSchedule(**values)):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content)
        out[file.path] = path
    return out


@BOTH
@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_audits_at_google_with_a_role_that_only_reads(engine: str, plan: dict[str, Any], tmp_path: Path) -> None:
    files = written(engine, tmp_path, plan)
    everything = "\n".join(path.read_text() for path in files.values())
    assert not re.search("@[A-Z_]+@|^#(if|ifnot|end)", everything, re.MULTILINE), "every placeholder is filled"
    assert not re.search(r"[Rr]otat(?!e\b|e 12)", everything.replace("annotations", "").replace("logrotate", "")), (
        "it speaks of audits"
    )
    for word in ("--no-sandbox", "--keep", "--diff", "--fail-on"):
        assert word in everything
    assert ("webhook-from-env:NOTICE_WEBHOOK" in everything) is (plan is FULL)
    role = set(yaml.safe_load(files["keyadmin-audit-role.yaml"].read_text())["includedPermissions"])
    assert set(FEATURES["audit"].permissions) | {"monitoring.timeSeries.list"} <= role
    assert all(name.rpartition(".")[2] in ("get", "list", "searchAllResources", "listResource") for name in role)
    assert ("cloudasset.assets.searchAllResources" in role) is (plan is FULL)


@BOTH
@pytest.mark.parametrize("engine", ENGINES)
def test_shellcheck_has_nothing_to_say_of_the_scripts(engine: str, plan: dict[str, Any], tmp_path: Path) -> None:
    scripts = [path for name, path in written(engine, tmp_path, plan).items() if name.endswith(".sh")]
    passes(program("shellcheck"), "--severity=style", *scripts)


@BOTH
def test_systemd_units_verify_and_are_locked_up(plan: dict[str, Any], tmp_path: Path) -> None:
    analyze = program("systemd-analyze")
    files = written("systemd", tmp_path, plan)
    service = files["keyadmin-audit.service"]
    service.write_text(service.read_text().replace("/opt/keyadmin/bin/keyadmin", "/bin/true"))  # it has to be there
    units = [path for name, path in files.items() if name.endswith((".service", ".timer"))]
    ended = subprocess.run([analyze, "verify", *map(str, units)], capture_output=True, text=True)
    assert not [line for line in ended.stderr.splitlines() if str(tmp_path) in line or "keyadmin" in line], ended.stderr
    text = service.read_text()
    assert "Type=oneshot" in text
    assert "OnFailure=keyadmin-audit-alert.service" in text
    assert "--keep /var/lib/keyadmin/audits" in text
    assert f"OnCalendar={TIMES['daily'].calendar}\n" in files["keyadmin-audit.timer"].read_text()


@BOTH
def test_cron_runs_one_at_a_time_and_tells_of_exit_code_3(plan: dict[str, Any], tmp_path: Path) -> None:
    files = written("cron", tmp_path, plan, program="fake-keyadmin")
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, body in (("fake-keyadmin", 'echo "$@" >>"$CALLS"; exit 3'), ("logger", 'echo "$@" >>"$CALLS"')):
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls"), "AUDIT_STATE": str(tmp_path)}
    ended = subprocess.run(["sh", files["audit.sh"]], env=env, capture_output=True, text=True)
    assert ended.returncode == 3
    assert "keyadmin audit ended with exit code 3" in ended.stdout
    run, told = (tmp_path / "calls").read_text().splitlines()
    words = shlex.split(run)
    assert words[words.index("--keep") + 1] == f"{tmp_path}/audits"
    assert words[words.index("--metrics") + 1] == f"{tmp_path}/audit.prom"
    assert "user.err" in told
    assert "flock -n 9" in files["audit.sh"].read_text()
    table = files["keyadmin-audit.cron"].read_text()
    assert "keyadmin /usr/local/lib/keyadmin/audit.sh" in table


@BOTH
def test_kubernetes_manifests_fit_the_schema_and_keep_what_was_found(plan: dict[str, Any], tmp_path: Path) -> None:
    validate = pytest.importorskip("kubernetes_validate")
    documents = list(yaml.safe_load_all(written("kubernetes", tmp_path, plan)["keyadmin-audit.yaml"].read_text()))
    kinds = [one["kind"] for one in documents]
    policy = ["ConfigMap"] if plan is FULL else []
    assert kinds == ["Namespace", "ServiceAccount", *policy, "PersistentVolumeClaim", "CronJob"]
    for document in documents:
        validate.validate(document, "1.31", strict=True)
    job = documents[-1]["spec"]
    pod = job["jobTemplate"]["spec"]["template"]["spec"]
    assert job["concurrencyPolicy"] == "Forbid"
    (container,) = pod["containers"]
    assert {one["name"] for one in container["volumeMounts"]} == {one["name"] for one in pod["volumes"]}
    assert container["args"][container["args"].index("--keep") + 1] == "/history"
    secrets = {one["name"]: one["valueFrom"]["secretKeyRef"]["key"] for one in container.get("env", [])}
    assert secrets == ({name: name for name in ("NOTICE_WEBHOOK", "NOTICE_SECRET")} if plan is FULL else {})


@BOTH
def test_the_cloud_run_job_and_its_alerts_are_as_the_apis_know_them(plan: dict[str, Any], tmp_path: Path) -> None:
    files = written("cloud-run", tmp_path, plan)
    run, monitoring = discovered("run.v1"), discovered("monitoring.v3")
    job = yaml.safe_load(files["job.yaml"].read_text())
    fits(run, job, run["Job"], "job")
    task = job["spec"]["template"]["spec"]["template"]["spec"]
    (container,) = task["containers"]
    assert {one["name"] for one in container["volumeMounts"]} == {one["name"] for one in task["volumes"]}
    assert {one["name"] for one in container.get("env", [])} == ({"NOTICE_WEBHOOK", "NOTICE_SECRET"} if plan is FULL else set())
    for name in ("alert-failed.json", "alert-not-started.json"):
        fits(monitoring, json.loads(files[name].read_text()), monitoring["AlertPolicy"], name)
    passes(program("hadolint"), "--no-color", files["Dockerfile"])


def test_gcloud_understands_every_command_of_the_scripts(tmp_path: Path) -> None:
    gcloud = Gcloud(Running(None, "http://127.0.0.1:9", ""), tmp_path / "gcloud")  # type: ignore[arg-type]
    commands: set[str] = set()
    for engine, script in (("cloud-run", "setup.sh"), ("cloud-run", "deploy.sh"), ("kubernetes", "deploy.sh")):
        (tmp_path / engine).mkdir(exist_ok=True)
        (tmp_path / engine / "keyadmin.toml").write_text(POLICY)
        path = written(engine, tmp_path / engine, FULL)[script]
        commands |= {shlex.join(["gcloud", *words]) for words in gcloud_commands(path, tmp_path / engine)}
    assert any("storage buckets create" in command for command in commands)
    assert any("keyadmin-NOTICE_SECRET" in command for command in commands)
    (tmp_path / "commands.json").write_text(json.dumps([{"command_string": command} for command in sorted(commands)]))
    lint = (program("gcloud"), "meta", "lint-gcloud-commands", f"--commands-file={tmp_path / 'commands.json'}")
    verdicts = json.loads(passes(*lint, env=gcloud.environment, cwd=tmp_path))
    assert len(verdicts) == len(commands)
    assert not [(one["command_string"], one["error_message"]) for one in verdicts if not one["success"]]


def test_the_workflow_uploads_alerts_keeps_reports_and_stores_no_credentials(tmp_path: Path) -> None:
    path = written("github-actions", tmp_path, FULL)[".github/workflows/keyadmin-audit.yml"]
    shellcheck = shutil.which("shellcheck", path=sysconfig.get_path("scripts")) or shutil.which("shellcheck") or ""
    passes(program("actionlint"), "-no-color", f"-shellcheck={shellcheck}", path)
    pytest.importorskip("check_jsonschema")
    passes(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", path)
    passes(program("zizmor"), "--offline", "--no-progress", "--persona=regular", path)
    workflow = yaml.safe_load(path.read_text())
    assert workflow["concurrency"] == {"group": "keyadmin-audit", "cancel-in-progress": False}
    steps = {step.get("name", step.get("uses", "").partition("@")[0]): step for step in workflow["jobs"]["audit"]["steps"]}
    assert "--output audit.sarif" in steps["Audit"]["run"]
    assert steps["Audit"]["env"] == {name: f"${{{{ secrets.{name} }}}}" for name in ("NOTICE_WEBHOOK", "NOTICE_SECRET")}
    assert steps["Alerts"]["uses"].startswith("github/codeql-action/upload-sarif@")
    assert "hashFiles('audit.sarif')" in steps["Alerts"]["if"]
    assert steps["Keep the reports"]["with"]["path"] == "audits"
    pins = (Path(__file__).parents[2] / "requirements" / "actions.txt").read_text()
    for action, _, commit in (step["uses"].partition("@") for step in steps.values() if "uses" in step):
        assert f"{'/'.join(action.split('/')[:2])} {commit}" in pins


SERIES = [
    ({'keyadmin_audit_findings{severity="high"}': "0x50", "keyadmin_audit_last_run_timestamp_seconds": "0+3600x50"}, []),
    ({'keyadmin_audit_findings{severity="high"}': "2x50"}, ["KeyadminAuditFindings"]),
    ({'keyadmin_audit_findings{severity="low"}': "2x50"}, []),
    ({"keyadmin_audit_unreadable_projects": "1x50"}, ["KeyadminAuditUnreadable"]),
    ({"keyadmin_audit_last_run_timestamp_seconds": "0x50"}, ["KeyadminAuditMissing"]),
]


def test_prometheus_alerts_when_it_should(tmp_path: Path) -> None:
    promtool = program("promtool")
    rules = written("systemd", tmp_path, LEAN)["keyadmin-audit.rules.yaml"]
    passes(promtool, "check", "rules", rules)
    names = ("KeyadminAuditFindings", "KeyadminAuditUnreadable", "KeyadminAuditMissing")
    tests = []
    for series, expected in SERIES:
        query = []
        for name in names:
            samples = {"exp_samples": [{"labels": "{}", "value": 1}]} if name in expected else {}
            query.append({"expr": f'count(ALERTS{{alertname="{name}"}})', "eval_time": "50h"} | samples)
        given = [{"series": name, "values": values} for name, values in series.items()]
        tests.append({"interval": "1h", "input_series": given, "promql_expr_test": query})
    path = tmp_path / "tests.yaml"
    path.write_text(yaml.safe_dump({"rule_files": [str(rules)], "evaluation_interval": "1h", "tests": tests}))
    passes(promtool, "test", "rules", path)
    manifest = yaml.safe_load(written("kubernetes", tmp_path, LEAN)["keyadmin-audit-alert.yaml"].read_text())
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(manifest["spec"]))
    passes(promtool, "check", "rules", tmp_path / "rules.yaml")


@pytest.mark.parametrize("values", [
    {"folder": "team"},
    {"organization": "example.com"},
    {"organization": "1; id"},
    {"projects": ("a b",)},
    {"projects": ("shop-one",), "notify": ("hook; id",)},
    {"projects": ("shop-one",), "notify": ("HOOK",), "webhook_secret": "x y"},
    {"projects": ("shop-one",), "every": "yearly"},
    {"projects": ("shop-one",), "project": "NO"},
])  # fmt: skip
def test_wrong_values_are_usage(values: dict[str, Any]) -> None:
    with pytest.raises(Problem) as caught:
        AuditSchedule(**({"project": "my-project"} | values))
    assert caught.value.exit == 2
