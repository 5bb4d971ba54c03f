"""`audit schedule`, as typed: what is printed, what is refused, and that the account it sets up can do its work and no more."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from keyadmin.audit.schedule import AuditSchedule
from keyadmin.unattended.schedule.plan import RunPlace

from .conftest import GEMINI, ON, ORGANIZATION, ago, key, project

Run = Callable[..., Any]
FROM = ("--install-from", f"git:https://git.example/keyadmin.git@{'a' * 40}")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own to type in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_files_are_written_and_say_where_to_audit(run: Run, here: Path) -> None:
    where = ("--organization", "77", "--account-project", "ops-home", "--output", "out")
    done = run("audit", "schedule", "github-actions", *where, *FROM, "--notify", "webhook-from-env:HOOK", "--anomaly", "5")
    assert done.code == 0, done.err
    workflow = (here / "out" / ".github" / "workflows" / "keyadmin-audit.yml").read_text()
    assert "audit --organization 77 --keep audits --diff --fail-on high --max-age 90d --anomaly 5" in workflow
    assert "HOOK: ${{ secrets.HOOK }}" in workflow
    assert "service_account: keyadmin-audit@ops-home.iam.gserviceaccount.com" in workflow
    assert (here / "out" / "setup.sh").stat().st_mode & 0o777 == 0o755
    assert 'WHOLE_ORGANIZATION="yes"' in (here / "out" / "setup.sh").read_text()


def test_accepted_findings_go_along(run: Run, here: Path) -> None:
    entry = '[[audit.accept]]\nrule = "key-too-old"\nproject = "web-one"\nkey = "old"\nreason = "kiosk"\nuntil = 2099-01-01\n'
    (here / "keyadmin.toml").write_text(entry)
    done = run("audit", "schedule", "systemd", "-p", "web-one")
    assert "Accepted findings: keyadmin.toml" in done.err
    assert "--policy /etc/keyadmin/audit.toml" in done.out
    assert 'install -D -m 0644 "$POLICY" /etc/keyadmin/audit.toml' in done.out
    (here / "keyadmin.toml").unlink()
    assert "--policy" not in run("audit", "schedule", "systemd", "-p", "web-one").out


@pytest.mark.parametrize(("words", "why"), [
    (("cron", "-p", "web-one", "--notify", "webhook:https://hooks.example/secret-path"), "takes webhook-from-env:VAR only"),
    (("cron", "-p", "web-one", "--notify", "exec:mail"), "takes webhook-from-env:VAR only"),
    (("cron", "-p", "web-one", "--notify", "webhook-from-env:a b"), "capital letters"),
    (("cron", "-p", "web-one", "--organization", "77"), "do not go together"),
    (("cron", "--organization", "audit.example", "--account-project", "ops-home"), "a schedule is for a number"),
    (("cron", "-p", "web-one", "--fail-on", "worst"), "is not a severity"),
    (("cron", "-p", "web-one", "--max-age", "soon"), "is not a duration"),
    (("cron", "-p", "web-one", "--anomaly", "1"), "a number above 1"),
    (("cron", "-p", "web-one", "--policy", "gone.toml"), "there is no file gone.toml"),
    (("at", "-p", "web-one"), "use one of: systemd"),
    (("kubernetes", "-p", "web-one"), "a folder of this machine"),
])  # fmt: skip
def test_what_cannot_be_scheduled_is_refused_before_anything_is_printed(run: Run, words: tuple[str, ...], why: str) -> None:
    done = run("audit", "schedule", *words)
    assert done.code == 2
    assert why in done.err
    assert "secret-path" not in done.err
    assert not done.out


def test_without_a_project_nothing_says_where_the_account_lives(cli: Run) -> None:
    done = cli("audit", "schedule", "cron", "--organization", "77")
    assert done.code == 2
    assert "--account-project ID" in done.err


def test_the_account_with_the_printed_role_audits_keeps_and_compares(
    run: Run, organization: Any, served: Any, here: Path
) -> None:
    """That setup.sh makes this role and binds it: tests/rotation/test_schedule_permissions.py, with the same script."""
    services = [*ON, "monitoring.googleapis.com"]
    organization(project("web-one", key("open", age=5, lastUsed=ago(1)), services=services), project("ops-home", parent=None))
    printed = run("audit", "schedule", "cron", "--projects", "web-one", "--account-project", "ops-home", "--output", "out")
    assert printed.code == 0, printed.err
    account = "keyadmin-audit@ops-home.iam.gserviceaccount.com"
    role = yaml.safe_load((here / "out" / "keyadmin-audit-role.yaml").read_text())["includedPermissions"]
    name = f"projects/web-one/roles/{AuditSchedule.role_id}"
    served.seed(customRoles={name: role}, projects=[{"projectId": "web-one", "iam": {name: [f"serviceAccount:{account}"]}}])
    script = (here / "out" / "audit.sh").read_text()
    (line,) = [line for line in script.splitlines() if " --no-sandbox " in line]
    words = shlex.split(line.partition(" >>")[0].replace("$STATE", str(here / "state")))
    (here / "state").mkdir()
    scheduled = [word for word in words[1:] if word != "--no-sandbox"]
    first = run(*scheduled, user=account)
    assert first.code == 3, first.err
    assert "gemini-exposed-key" in first.out
    assert "could not" not in first.err
    assert "unknown" not in first.err
    served.seed(projects=[project("web-one", key("second", age=5, lastUsed=ago(1)), services=services)])
    second = run(*scheduled, user=account)
    assert second.code == 3
    assert "New (" in second.out
    assert "Since the last audit" in second.err
    assert len(list((here / "state" / "audits").iterdir())) == 2
    assert "keyadmin_audit_exit_code 3" in (here / "state" / "audit.prom").read_text()


def test_an_organisation_is_audited_with_the_role_and_with_nothing_more(run: Run, organization: Any, served: Any) -> None:
    plan = AuditSchedule(project="ops-home", organization="77")
    role = f"{ORGANIZATION}/roles/{AuditSchedule.role_id}"
    services = [*ON, "monitoring.googleapis.com", "cloudasset.googleapis.com"]
    organization(project("web-one", key("open", age=5), key("old", GEMINI, age=200), services=services))
    bound = {role: [f"serviceAccount:{plan.account}"]}
    top = {"name": ORGANIZATION, "displayName": "audit.example", "iam": bound}
    served.seed(customRoles={role: list(plan.needs.permissions)}, organizations=[top])
    words = plan.command(RunPlace("", history="kept"))[2:]
    done = run(*words, "--format", "json", user=plan.account)
    assert done.code == 3, done.err
    report = json.loads(done.out)
    assert report["errors"] == []
    assert report["scan"]["inventory"] == "asset"
    assert report["scan"]["known"]["use"]["read"] == "all"
    assert {"gemini-exposed-key", "key-too-old", "unused-key"} <= {each["rule"] for each in report["findings"]}
