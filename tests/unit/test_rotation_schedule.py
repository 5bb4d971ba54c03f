"""Schedules are complete and do what each engine needs. What validators say of them: test_schedule_validators.py."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from keyadmin.access.permissions import FEATURES
from keyadmin.handover.sinks.secret_manager import PERMISSIONS
from keyadmin.model.problem import Exit, Problem
from keyadmin.rotation.policy import load
from keyadmin.rotation.schedule import RotationSchedule
from keyadmin.unattended.schedule import ENGINES, ON_ONE_MACHINE, files_for
from keyadmin.unattended.schedule.identity import secrets_role_file
from keyadmin.unattended.schedule.install import parse_source
from keyadmin.unattended.schedule.plan import TIMES

SOURCE = parse_source(f"git:https://git.example/keyadmin.git@{'a' * 40}")
SHARED = tuple(engine for engine in ENGINES if engine not in ON_ONE_MACHINE)


def written(engine: str, folder: Path, **plan: Any) -> dict[str, Path]:
    """The files of an engine; as many tasks as it can have, up to 4."""
    values = {"project": "my-project", "tasks": 1 if engine in ON_ONE_MACHINE else 4, "install": SOURCE} | plan
    out = {}
    for file in files_for(engine, RotationSchedule(**values)):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content)
        out[file.path] = path
    return out


def with_policy(folder: Path, text: str) -> dict[str, Any]:
    """What a policy adds to a plan."""
    path = folder / "policy.toml"
    path.write_text(text)
    return {"policy_rules": load(path).rules, "policy_text": text}


def permissions(files: dict[str, Path], name: str = "keyadmin-rotation-role.yaml") -> set[str]:
    return set(yaml.safe_load(files[name].read_text())["includedPermissions"])


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_rotates_at_google_with_a_role_of_just_what_it_needs(engine: str, tmp_path: Path) -> None:
    files = written(engine, tmp_path)
    everything = "\n".join(path.read_text() for path in files.values())
    assert "--no-sandbox" in everything
    if engine not in ON_ONE_MACHINE:
        assert f"git+https://git.example/keyadmin.git@{'a' * 40}" in everything, "the commit is pinned"
    assert "install keyadmin==" not in everything
    assert ":latest" not in everything
    assert not re.search("@[A-Z_]+@", everything), "every placeholder is filled"
    assert permissions(files) == {*FEATURES["rotate"].permissions, "monitoring.timeSeries.list", *PERMISSIONS}
    for too_much in ("roles/owner}", "--role=roles/owner", "roles/editor", "service-accounts keys create"):
        assert too_much not in everything


def test_a_migration_may_make_service_accounts(tmp_path: Path) -> None:
    files = written("systemd", tmp_path, migrate=True)
    assert set(FEATURES["migrate"].permissions) <= permissions(files)
    assert "rotation migrate --yes" in files["keyadmin-rotation.service"].read_text()
    by_policy = with_policy(tmp_path, '[[rule]]\nprojects = ["shop-one"]\nnew-type = "auth"\nsinks = []\n')
    assert set(FEATURES["migrate"].permissions) <= permissions(written("systemd", tmp_path, **by_policy))


def test_the_role_and_where_it_is_given_follow_the_policy(tmp_path: Path) -> None:
    policy = (
        '[[rule]]\nprojects = ["shop-one", "web-*"]\nsinks = ["secret-manager:projects/the-vault/secrets/{lineage}"]\n'
        '[[rule]]\nfolders = ["folders/12"]\norganizations = ["organizations/34"]\nsinks = []\n'
    )
    files = written("cloud-run", tmp_path, **with_policy(tmp_path, policy))
    script = files["setup.sh"].read_text()
    for line in ('PROJECTS="shop-one"', 'SECRET_PROJECTS="the-vault"', 'FOLDERS="12"', 'ORGANIZATION="34"', "web-*"):
        assert line in script
    assert permissions(files, secrets_role_file("rotation")) == set(PERMISSIONS)
    assert {"resourcemanager.projects.get", "resourcemanager.folders.list"} <= permissions(files)


def test_several_organisations_are_refused(tmp_path: Path) -> None:
    text = '[[rule]]\norganizations = ["organizations/1", "organizations/2"]\nsinks = []\n'
    with pytest.raises(Problem) as caught:
        written("cron", tmp_path, **with_policy(tmp_path, text))
    assert caught.value.exit is Exit.USAGE


def test_keys_are_not_left_in_the_logs(tmp_path: Path) -> None:
    policy = with_policy(tmp_path, '[[rule]]\nprojects = ["shop-one"]\nsinks = ["stdout"]\n')
    with pytest.raises(Problem, match="logs of the schedule") as caught:
        written("cloud-run", tmp_path, **policy)
    assert caught.value.exit is Exit.USAGE


def test_a_sink_that_several_tasks_would_share_is_refused_before_it_is_scheduled(tmp_path: Path) -> None:
    text = '[[rule]]\nprojects = ["shop-one", "shop-two"]\nsinks = ["secret-manager:projects/shop-one/secrets/the-key"]\n'
    policy = with_policy(tmp_path, text)
    assert written("kubernetes", tmp_path, tasks=1, **policy)
    with pytest.raises(Problem) as caught:
        written("kubernetes", tmp_path, tasks=2, **policy)
    assert caught.value.exit is Exit.USAGE


@pytest.mark.parametrize("engine", ON_ONE_MACHINE)
def test_one_machine_needs_no_sharing(engine: str, tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        written(engine, tmp_path, tasks=2)
    assert caught.value.exit is Exit.USAGE
    assert "cloud-run, kubernetes or github-actions" in caught.value.fix[0]


def test_a_workflow_has_no_more_jobs_than_github_starts(tmp_path: Path) -> None:
    assert written("github-actions", tmp_path, tasks=256)
    with pytest.raises(Problem) as caught:
        written("github-actions", tmp_path, tasks=257)
    assert caught.value.exit is Exit.USAGE


@pytest.mark.parametrize("policy", ["/etc/keyadmin.toml", "../keyadmin.toml"])
def test_a_workflow_finds_its_policy_in_its_repository_only(policy: str, tmp_path: Path) -> None:
    assert (
        "--policy ops/keyadmin.toml"
        in written("github-actions", tmp_path, policy="ops/keyadmin.toml")[
            ".github/workflows/keyadmin-rotation.yml"
        ].read_text()
    )
    with pytest.raises(Problem) as caught:
        written("github-actions", tmp_path, policy=policy)
    assert caught.value.exit is Exit.USAGE


@pytest.mark.parametrize("every", TIMES)
@pytest.mark.parametrize("tasks", [1, 10, 11, 50])
def test_cloud_run_tasks_end_before_the_next_execution_starts(every: str, tasks: int, tmp_path: Path) -> None:
    job = yaml.safe_load(written("cloud-run", tmp_path, every=every, tasks=tasks)["job.yaml"].read_text())["spec"]["template"]
    spec, task = job["spec"], job["spec"]["template"]["spec"]
    rounds = -(-spec["taskCount"] // spec["parallelism"])
    assert rounds * (1 + task["maxRetries"]) * int(task["timeoutSeconds"]) < TIMES[every].seconds
    assert spec["taskCount"] == tasks


def test_more_tasks_than_fit_into_the_interval_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        written("cloud-run", tmp_path, every="hourly", tasks=1000)
    assert caught.value.exit is Exit.USAGE
    most = int(caught.value.fix[0].split()[3])
    assert written("cloud-run", tmp_path, every="hourly", tasks=most)
    with pytest.raises(Problem):
        written("cloud-run", tmp_path, every="hourly", tasks=most + 1)


def test_every_container_gets_its_share_and_the_policy(tmp_path: Path) -> None:
    policy = '  # indented\n[[rule]]\nprojects = ["shop-one"]\nsinks = []\n\n# the end'
    job = yaml.safe_load(written("cloud-run", tmp_path / "c")["job.yaml"].read_text())
    task = job["spec"]["template"]["spec"]["template"]["spec"]
    container = task["containers"][0]
    assert container["args"][-2:] == ["--shard", "auto"]
    mount = container["volumeMounts"][0]
    assert container["args"][container["args"].index("--policy") + 1] == f"{mount['mountPath']}/keyadmin.toml"
    assert task["volumes"][0]["secret"]["items"] == [{"key": "latest", "path": "keyadmin.toml"}]
    files = written("kubernetes", tmp_path / "k", **with_policy(tmp_path, policy))
    documents = {one["kind"]: one for one in yaml.safe_load_all(files["keyadmin-rotation.yaml"].read_text())}
    assert documents["ConfigMap"]["data"]["keyadmin.toml"] == policy + "\n"
    spec = documents["CronJob"]["spec"]["jobTemplate"]["spec"]
    pod = spec["template"]["spec"]["containers"][0]
    assert pod["args"][-2:] == ["--shard", "auto"]
    assert {"name": "JOB_COMPLETION_COUNT", "value": str(spec["completions"])} in pod["env"]
    assert spec["completions"] == 4


def test_without_a_policy_the_manifest_has_the_commented_one(tmp_path: Path) -> None:
    text = written("kubernetes", tmp_path)["keyadmin-rotation.yaml"].read_text()
    documents = {one["kind"]: one for one in yaml.safe_load_all(text)}
    (tmp_path / "policy.toml").write_text(documents["ConfigMap"]["data"]["keyadmin.toml"])
    assert load(tmp_path / "policy.toml").rules


def test_kubernetes_runs_do_not_overlap_and_one_pod_stops_no_other(tmp_path: Path) -> None:
    text = written("kubernetes", tmp_path)["keyadmin-rotation.yaml"].read_text()
    cron = next(one for one in yaml.safe_load_all(text) if one["kind"] == "CronJob")["spec"]
    assert cron["concurrencyPolicy"] == "Forbid"
    job = cron["jobTemplate"]["spec"]
    assert job["backoffLimitPerIndex"] == 1
    assert "backoffLimit" not in job
    rule = job["podFailurePolicy"]["rules"][0]
    assert (rule["action"], rule["onExitCodes"]["values"]) == ("FailIndex", [2, 3])


def test_a_workflow_stores_no_credentials_and_tells_of_every_failure(tmp_path: Path) -> None:
    text = written("github-actions", tmp_path)[".github/workflows/keyadmin-rotation.yml"].read_text()
    workflow = yaml.safe_load(text)
    assert "secrets." not in text
    assert workflow["concurrency"] == {"group": "keyadmin-rotation", "cancel-in-progress": False}
    assert workflow["permissions"] == {}
    rotate, tell = workflow["jobs"]["rotate"], workflow["jobs"]["tell"]
    assert rotate["permissions"] == {"contents": "read", "id-token": "write"}
    assert rotate["strategy"] == {"fail-fast": False, "matrix": {"shard": ["0/4", "1/4", "2/4", "3/4"]}}
    assert all(len(step["uses"].partition("@")[2]) == 40 for step in rotate["steps"] if "uses" in step), "pinned by commit"
    assert tell["needs"] == "rotate"
    assert tell["if"] == "always() && needs.rotate.result != 'success'"
    assert tell["permissions"] == {"issues": "write"}


def test_systemd_tells_of_exit_code_3_makes_up_for_missed_runs_and_may_write_where_sinks_are(tmp_path: Path) -> None:
    policy = '[[rule]]\nprojects = ["shop-one"]\nsinks = ["env-file:/srv/app/.env"]\nmachine = "web-1"\n'
    files = written("systemd", tmp_path, **with_policy(tmp_path, policy))
    service = files["keyadmin-rotation.service"].read_text()
    assert "OnFailure=keyadmin-rotation-alert.service" in service
    assert "SuccessExitStatus" not in service, "exit code 3 has to count as a failure"
    assert 'ReadWritePaths=/var/lib/keyadmin "-/srv/app"' in service
    assert "Environment=GOOGLE_APPLICATION_CREDENTIALS" not in service, "machines of Google's have no such file"
    assert "Persistent=true" in files["keyadmin-rotation.timer"].read_text()


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """Where rotate.sh runs: a keyadmin that writes down how it was called and ends as it is told to."""
    for program in ("flock", "logger"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "keyadmin").write_text(f'#!/bin/sh\necho "{{}}"\necho "$CREDENTIALS $@" >>{tmp_path}/calls\nexit "$CODE"\n')
    (programs / "logger").write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/log\n')
    for path in programs.iterdir():
        path.chmod(0o755)
    (tmp_path / "settings").write_text("CREDENTIALS=of-the-machine\n")
    return {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "ROTATION_STATE": str(tmp_path),
        "ROTATION_SETTINGS": str(tmp_path / "settings"),
        "CODE": "0",
    }


def test_the_script_of_cron_tells_of_failures(tmp_path: Path, machine: dict[str, str]) -> None:
    script = str(written("cron", tmp_path)["rotate.sh"])
    well = subprocess.run(["sh", script], env=machine, capture_output=True, text=True)
    assert (well.returncode, well.stdout, well.stderr) == (0, "", ""), "cron mails what is printed"
    failed = subprocess.run(["sh", script], env=machine | {"CODE": "3"}, capture_output=True, text=True)
    assert failed.returncode == 3
    assert "ended with exit code 3" in failed.stdout
    assert "rotation ended with exit code 3" in (tmp_path / "log").read_text()
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls[0].startswith("of-the-machine --no-sandbox --quiet --format jsonl rotation run --policy")
    assert (tmp_path / "rotation.jsonl").read_text() == "{}\n{}\n"


def test_the_script_of_cron_does_not_overlap(tmp_path: Path, machine: dict[str, str]) -> None:
    script = str(written("cron", tmp_path)["rotate.sh"])
    with subprocess.Popen(
        ["flock", str(tmp_path / "rotation.lock"), "sh", "-c", "echo held; read line"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        second = subprocess.run(["sh", script], env=machine, capture_output=True, text=True)
        assert (second.returncode, second.stdout) == (0, "")
        assert not (tmp_path / "calls").exists(), "the second one does nothing"
        holder.communicate(b"\n")
    assert subprocess.run(["sh", script], env=machine).returncode == 0
    assert (tmp_path / "calls").exists()


@pytest.mark.parametrize(
    "values",
    [
        {"every": "sometimes"},
        {"tasks": 0},
        {"tasks": 10_001},
        {"project": "a; rm -rf"},
        {"project": "123456789012"},
        {"region": "europe west1"},
        {"policy": "my policy.toml; rm -rf"},
    ],
)
def test_wrong_values_are_usage(values: dict[str, Any]) -> None:
    with pytest.raises(Problem) as caught:
        RotationSchedule(**({"project": "my-project"} | values))
    assert caught.value.exit is Exit.USAGE


def test_an_engine_that_is_none_is_usage() -> None:
    with pytest.raises(Problem) as caught:
        files_for("at", RotationSchedule(project="my-project"))
    assert caught.value.exit is Exit.USAGE


def test_projects_of_a_domain_have_accounts_and_images_of_their_own_form() -> None:
    plan = RotationSchedule(project="example.com:my-project", install=SOURCE)
    assert plan.account == "keyadmin-rotation@my-project.example.com.iam.gserviceaccount.com"
    assert plan.image.startswith("europe-west1-docker.pkg.dev/example.com/my-project/keyadmin/keyadmin:")
