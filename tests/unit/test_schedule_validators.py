"""Every printed file passes the validator of what it is for. Where one is not installed its test is skipped and says so."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from keyadmin.rotation.schedule import RotationSchedule
from keyadmin.unattended.schedule import ENGINES, ON_ONE_MACHINE, files_for
from keyadmin.unattended.schedule.install import parse_source
from keyadmin.unattended.schedule.plan import TIMES
from tests.sandbox.clients import Gcloud
from tests.sandbox.conftest import Running

POLICY = """\
[[rule]]
projects = ["shop-one", "web-*"]
folders = ["folders/12"]
sinks = ["secret-manager:projects/the-vault/secrets/{lineage}", "env-file:/srv/app/{lineage}.env", "env-file:/srv/web/.env"]
machine = "web-1"
"""


def written(engine: str, folder: Path, **plan: Any) -> dict[str, Path]:
    """The files of an engine for a policy that has everything; as many tasks as it can have, up to 4."""
    from keyadmin.rotation.policy import load

    folder.mkdir(exist_ok=True)
    policy = folder / "keyadmin.toml"
    policy.write_text(POLICY)
    values = {"project": "my-project", "tasks": 1 if engine in ON_ONE_MACHINE else 4, "policy_rules": load(policy).rules} | plan
    values.setdefault("install", parse_source(f"git:https://git.example/keyadmin.git@{'a' * 40}"))
    out = {}
    for file in files_for(engine, RotationSchedule(policy_text=POLICY, **values)):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content)
        out[file.path] = path
    return out


def program(name: str) -> str:
    """A program of this Python environment or of the machine; skips where there is none."""
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def passes(*words: str | Path, **options: Any) -> str:
    """Run a validator that has nothing to complain of; its standard output."""
    ended = subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


# ---- shell, containers, gcloud -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_shellcheck_has_nothing_to_say_of_the_scripts(engine: str, tmp_path: Path) -> None:
    scripts = [path for name, path in written(engine, tmp_path).items() if name.endswith(".sh")]
    assert scripts
    passes(program("shellcheck"), "--severity=style", *scripts)


@pytest.mark.parametrize("engine", ["cloud-run", "kubernetes"])
def test_hadolint_has_nothing_to_say_of_the_image(engine: str, tmp_path: Path) -> None:
    passes(program("hadolint"), "--no-color", written(engine, tmp_path)["Dockerfile"])


FAKE = """\
import json, os, sys
words = sys.argv[1:]
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps(words) + "\\n")
looking = "describe" in words or "access" in words
told = any("keyadmin-NOTICE" in word for word in words)
there = words[0] == "projects" or told or (words[:2] == ["iam", "service-accounts"] and os.environ["SCRIPT"] != "setup.sh")
if looking and not there and os.environ["WORLD"] == "empty":
    sys.exit(1)
if any(word.startswith("--format=value(projectNumber") for word in words):
    print("123456789012")
if words[1:4] == ["monitoring", "policies", "list"] and os.environ["WORLD"] == "full":
    print("projects/my-project/alertPolicies/1")
"""


def gcloud_commands(script: Path, folder: Path, *arguments: str) -> list[list[str]]:
    """Every gcloud command that a script types, where nothing is there yet and where all is there."""
    programs, calls = folder / "programs", folder / "calls"
    programs.mkdir(exist_ok=True)
    (programs / "gcloud.py").write_text(FAKE)
    (programs / "gcloud").write_text(f'#!/bin/sh\nexec {sys.executable} {programs}/gcloud.py "$@"\n')
    (programs / "kubectl").write_text("#!/bin/sh\n")
    for one in programs.iterdir():
        one.chmod(0o755)
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "CALLS": str(calls), "SCRIPT": script.name}
    env["NOTIFICATION_CHANNEL"] = "projects/my-project/notificationChannels/1"
    for world in ("empty", "full"):
        passes("sh", script, *arguments, env=env | {"WORLD": world}, cwd=folder)
    return [json.loads(line) for line in calls.read_text().splitlines()]


@pytest.mark.parametrize(("engine", "script", "arguments"), [
    ("cron", "setup.sh", ()),
    ("cloud-run", "deploy.sh", ()),
    ("kubernetes", "deploy.sh", ()),
    ("github-actions", "federation.sh", ("OWNER/NAME",)),
])  # fmt: skip
def test_gcloud_understands_every_command_of_the_scripts(
    engine: str, script: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    gcloud = Gcloud(Running(None, "http://127.0.0.1:9", ""), tmp_path / "gcloud")  # type: ignore[arg-type]
    path = written(engine, tmp_path)[script]
    path.write_text(path.read_text().replace('ORGANIZATION=""', 'ORGANIZATION="34"', 1))
    commands = {shlex.join(["gcloud", *words]) for words in gcloud_commands(path, tmp_path, *arguments)}
    assert len(commands) > 4
    (tmp_path / "commands.json").write_text(json.dumps([{"command_string": command} for command in sorted(commands)]))
    linted = passes(
        *(program("gcloud"), "meta", "lint-gcloud-commands", f"--commands-file={tmp_path / 'commands.json'}"),
        env=gcloud.environment,
        cwd=tmp_path,
    )
    verdicts = json.loads(linted)
    assert len(verdicts) == len(commands)
    assert not [(one["command_string"], one["error_message"]) for one in verdicts if not one["success"]]


def test_the_scripts_say_what_is_missing(tmp_path: Path) -> None:
    deploy = written("cloud-run", tmp_path)["deploy.sh"]
    federation = written("github-actions", tmp_path)["federation.sh"]
    empty = tmp_path / "empty"
    empty.mkdir()
    for name in ("dirname", "sed"):
        (empty / name).symlink_to(shutil.which(name) or name)
    for script, words, expected in (
        (deploy, (), "gcloud is not installed"),
        (federation, (), "say which repository"),
        (federation, ("OWNER",), "say which repository"),
        (federation, ("a b/c",), "say which repository"),
    ):
        ended = subprocess.run(["/bin/sh", str(script), *words], env={"PATH": str(empty)}, capture_output=True, text=True)
        assert ended.returncode == 1
        assert expected in ended.stderr


# ---- the engines -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("every", TIMES)
def test_systemd_units_verify_and_are_locked_up(every: str, tmp_path: Path) -> None:
    analyze = program("systemd-analyze")
    files = written("systemd", tmp_path, every=every)
    service = files["keyadmin-rotation.service"]
    service.write_text(service.read_text().replace("/opt/keyadmin/bin/keyadmin", "/bin/true"))  # it has to be there
    units = [path for name, path in files.items() if name.endswith((".service", ".timer"))]
    ended = subprocess.run([analyze, "verify", *map(str, units)], capture_output=True, text=True)
    complaints = [line for line in ended.stderr.splitlines() if str(tmp_path) in line or "keyadmin" in line]
    assert not complaints, ended.stderr
    timer = files["keyadmin-rotation.timer"].read_text()
    assert f"OnCalendar={TIMES[every].calendar}\n" in timer
    assert "Next elapse" in passes(analyze, "calendar", TIMES[every].calendar)
    helped = subprocess.run([analyze, "--help"], capture_output=True, text=True).stdout
    if "--offline" in helped:  # systemd 250
        passes(analyze, "security", "--offline=true", "--threshold=20", service)  # of 100


@pytest.mark.parametrize("every", TIMES)
def test_cron_takes_the_table(every: str, tmp_path: Path) -> None:
    lines = written("cron", tmp_path, every=every)["keyadmin-rotation.cron"].read_text().splitlines()
    table = [line.split(maxsplit=6) for line in lines if line[0].isdigit()]
    assert [entry[5] for entry in table] == ["keyadmin"], "a table of the system names the user in the sixth field"
    personal = [line for line in lines if not line[0].isdigit()] + [" ".join([*entry[:5], entry[6]]) for entry in table]
    (tmp_path / "table").write_text("\n".join(personal) + "\n")
    crontab = program("crontab")
    if "-n" not in subprocess.run([crontab, "-h"], capture_output=True, text=True).stderr:
        pytest.skip("this crontab cannot check a table without installing it")
    passes(crontab, "-n", tmp_path / "table")


def test_kubernetes_manifests_fit_the_schema(tmp_path: Path) -> None:
    validate = pytest.importorskip("kubernetes_validate")
    documents = list(yaml.safe_load_all(written("kubernetes", tmp_path)["keyadmin-rotation.yaml"].read_text()))
    assert [one["kind"] for one in documents] == ["Namespace", "ServiceAccount", "ConfigMap", "CronJob"]
    for document in documents:
        validate.validate(document, "1.31", strict=True)


def discovered(api: str) -> dict[str, Any]:
    discovery = pytest.importorskip("googleapiclient.discovery_cache")
    text = (Path(discovery.__file__).parent / "documents" / f"{api}.json").read_text("utf-8")
    schemas: dict[str, Any] = json.loads(text)["schemas"]
    return schemas


def fits(schemas: dict[str, Any], value: Any, schema: dict[str, Any], where: str) -> None:
    """A value has only what the discovery document knows."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"]]
    if isinstance(value, list):
        for item in value:
            fits(schemas, item, schema["items"], f"{where}[]")
    elif isinstance(value, dict):
        if "additionalProperties" in schema:
            return
        for name, item in value.items():
            assert name in schema["properties"], f"{where}.{name}"
            fits(schemas, item, schema["properties"][name], f"{where}.{name}")
    elif "enum" in schema:
        assert value in schema["enum"], where


def test_the_cloud_run_job_and_its_alerts_are_as_the_apis_know_them(tmp_path: Path) -> None:
    files = written("cloud-run", tmp_path)
    run, monitoring = discovered("run.v1"), discovered("monitoring.v3")
    fits(run, yaml.safe_load(files["job.yaml"].read_text()), run["Job"], "job")
    for name in ("alert-failed.json", "alert-not-started.json"):
        fits(monitoring, json.loads(files[name].read_text()), monitoring["AlertPolicy"], name)


def test_actionlint_has_nothing_to_say_of_the_workflow(tmp_path: Path) -> None:
    path = written("github-actions", tmp_path)[".github/workflows/keyadmin-rotation.yml"]
    shellcheck = shutil.which("shellcheck", path=sysconfig.get_path("scripts")) or shutil.which("shellcheck") or ""
    passes(program("actionlint"), "-no-color", f"-shellcheck={shellcheck}", path)


def test_the_workflow_fits_the_schema(tmp_path: Path) -> None:
    pytest.importorskip("check_jsonschema")
    path = written("github-actions", tmp_path)[".github/workflows/keyadmin-rotation.yml"]
    passes(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", path)


# ---- alerts ------------------------------------------------------------------------------------------------------------

KUBE = 'namespace="keyadmin", cronjob="keyadmin-rotation"'
FAILED_JOB = 'kube_job_failed{namespace="keyadmin", job_name="keyadmin-rotation-2", condition="true"}'
# Series by name with their hourly values, and the alerts that they raise after 50 hours (daily runs).
TEXTFILE = [
    ({"keyadmin_rotation_failed": "0x50", "keyadmin_rotation_last_run_timestamp_seconds": "0+3600x50"}, []),
    (
        {"keyadmin_rotation_failed": "2x50", "keyadmin_rotation_last_run_timestamp_seconds": "0+3600x50"},
        ["KeyadminRotationFailed"],
    ),
    ({"keyadmin_rotation_failed": "0x50", "keyadmin_rotation_unreadable_projects": "1x50"}, ["KeyadminRotationFailed"]),
    ({"keyadmin_rotation_stuck": "1x50"}, ["KeyadminRotationStuck"]),
    ({"keyadmin_rotation_last_run_timestamp_seconds": "0x50"}, ["KeyadminRotationMissing"]),
]
IN_CLUSTER = [
    ({f"kube_cronjob_created{{{KUBE}}}": "0x50", f"kube_cronjob_status_last_successful_time{{{KUBE}}}": "0+3600x50"}, []),
    ({f"kube_cronjob_created{{{KUBE}}}": "0x50"}, ["KeyadminRotationMissing"]),
    (
        {f"kube_cronjob_created{{{KUBE}}}": "0x50", f"kube_cronjob_status_last_successful_time{{{KUBE}}}": "0x50"},
        ["KeyadminRotationMissing"],
    ),
    ({FAILED_JOB: "1x50"}, ["KeyadminRotationFailed"]),
    ({FAILED_JOB: "0x50"}, []),
    ({FAILED_JOB.replace("keyadmin-rotation-2", "something-else"): "1x50"}, []),
]


def rules_of(engine: str, folder: Path) -> Path:
    """The rules as Prometheus reads them: those of the operator stand in `spec`."""
    files = written(engine, folder)
    if engine != "kubernetes":
        return files["keyadmin-rotation.rules.yaml"]
    document = yaml.safe_load(files["keyadmin-rotation-alert.yaml"].read_text())
    assert (document["apiVersion"], document["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert set(document["spec"]) == {"groups"}
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump(document["spec"]))
    return path


@pytest.mark.parametrize(("engine", "cases"), [("systemd", TEXTFILE), ("cron", TEXTFILE), ("kubernetes", IN_CLUSTER)])
def test_prometheus_alerts_when_it_should(engine: str, cases: list[tuple[dict[str, str], list[str]]], tmp_path: Path) -> None:
    promtool = program("promtool")
    rules = rules_of(engine, tmp_path)
    passes(promtool, "check", "rules", rules)
    text = rules.read_text()
    names = ["KeyadminRotationFailed", "KeyadminRotationMissing", *(["KeyadminRotationStuck"] if "Stuck" in text else [])]
    for series, expected in cases:
        tests = tmp_path / "tests.yaml"
        given = [{"series": name, "values": values} for name, values in series.items()]
        query = [{"expr": f'count(ALERTS{{alertname="{name}"}})', "eval_time": "50h"} for name in names]
        for one, name in zip(query, names, strict=True):
            if name in expected:
                one["exp_samples"] = [{"labels": "{}", "value": 1}]  # type: ignore[assignment]
        test = {"interval": "1h", "input_series": given, "promql_expr_test": query}
        tests.write_text(yaml.safe_dump({"rule_files": [str(rules)], "evaluation_interval": "1h", "tests": [test]}))
        passes(promtool, "test", "rules", tests)


@pytest.mark.parametrize("engine", ["systemd", "cron"])
def test_prometheus_alerts_when_an_old_key_is_used_for_weeks(engine: str, tmp_path: Path) -> None:
    rules, tests = rules_of(engine, tmp_path), tmp_path / "tests.yaml"
    alerts = 'count(ALERTS{alertname="KeyadminRotationOldKeyKept",alertstate="firing"})'
    two_weeks = {"expr": alerts, "eval_time": "15d", "exp_samples": [{"labels": "{}", "value": 1}]}
    query = [{"expr": alerts, "eval_time": "13d"}, two_weeks]
    given = [{"series": "keyadmin_rotation_kept", "values": "1x400"}]
    test = {"interval": "1h", "input_series": given, "promql_expr_test": query}
    tests.write_text(yaml.safe_dump({"rule_files": [str(rules)], "evaluation_interval": "1h", "tests": [test]}))
    passes(program("promtool"), "test", "rules", tests)


def metrics(folder: Path) -> str:
    """A textfile as a run writes it, with names that have to be escaped."""
    from keyadmin.model.key import Key
    from keyadmin.model.lineage import read
    from keyadmin.model.problem import Cause, Problem
    from keyadmin.rotation.decide import Action, Decision, RotationTerms
    from keyadmin.rotation.find import Chosen, Selection
    from keyadmin.rotation.notices import write_metrics
    from keyadmin.rotation.plan import Planned
    from keyadmin.rotation.policy import PolicyRule

    now = datetime(2026, 11, 23, tzinfo=UTC)
    names = ("plain", 'quoted "one"', "back\\slash", "two\nlines", "")
    keys = [
        Key(
            name=f"projects/shop-one/locations/global/keys/k-{number}",
            uid=f"uid-{number}",
            display_name=name,
            create_time=datetime(2026, 11, 20, tzinfo=UTC),
            project="shop-one",
        )
        for number, name in enumerate(names)
    ]
    actions = (Action.CREATE, Action.REST, Action.STUCK, Action.REST, Action.REST)
    planned = [
        Planned(Chosen(lineage, PolicyRule("rule"), ()), RotationTerms(), Decision(action, ""), failed=number == 3)
        for number, (lineage, action) in enumerate(zip(read(keys, "shop-one"), actions, strict=True))
    ]
    write_metrics(folder / "rotation.prom", planned, now, Selection(errors={"gone": Problem(Cause.NOT_FOUND, "gone")}))
    return (folder / "rotation.prom").read_text()


def test_metrics_are_read_by_prometheus_own_parser(tmp_path: Path) -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    families = {family.name: family for family in parser.text_string_to_metric_families(metrics(tmp_path))}
    ages = {sample.labels["name"]: sample.value for sample in families["keyadmin_key_age_seconds"].samples}
    assert ages == dict.fromkeys(("plain", 'quoted "one"', "back\\slash", "two\nlines", ""), 3 * 86_400)
    values = {name.removeprefix("keyadmin_rotation_"): one.samples[0].value for name, one in families.items()}
    assert (values["due"], values["failed"], values["unreadable_projects"], values["stuck"]) == (1, 1, 1, 2)
    assert values["last_run_timestamp_seconds"] == datetime(2026, 11, 23, tzinfo=UTC).timestamp()
    assert all(family.type == "gauge" and family.documentation for family in families.values())


def test_promtool_has_nothing_to_say_of_the_metrics(tmp_path: Path) -> None:
    passes(program("promtool"), "check", "metrics", input=metrics(tmp_path))
