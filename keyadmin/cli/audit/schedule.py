"""`keyadmin audit schedule`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from keyadmin.audit.accepted import read_accepted
from keyadmin.audit.schedule import AuditSchedule
from keyadmin.cli.audit import options as given
from keyadmin.cli.notices import WebhookSecret
from keyadmin.cli.options import DryRun
from keyadmin.cli.places import Folder, Organization, Places, Projects, places
from keyadmin.cli.schedule import (
    Engine,
    Every,
    Hashes,
    InstallFrom,
    Output,
    Region,
    ScheduledNotify,
    installation,
    notice_variables,
    show_files,
)
from keyadmin.cli.session import Session, current
from keyadmin.local.trust import read_trusted
from keyadmin.model import duration
from keyadmin.model.problem import usage
from keyadmin.rotation.policy import DEFAULT_FILE
from keyadmin.unattended.schedule import files_for

AccountProject = Annotated[
    str | None,
    typer.Option("--account-project", metavar="ID", help="The project that the account lives in; else --project."),
]


def schedule(
    context: typer.Context,
    engine: Engine,
    projects: Projects = None,
    folder: Folder = None,
    organization: Organization = None,
    account_project: AccountProject = None,
    every: Every = "daily",
    fail_on: given.FailOn = "high",
    max_age: given.MaxAge = "90d",
    anomaly: given.Anomaly = None,
    policy: given.PolicyFile = None,
    region: Region = "europe-west1",
    install_from: InstallFrom = None,
    hash_: Hashes = None,
    notify: ScheduledNotify = None,
    webhook_secret_from_env: WebhookSecret = None,
    output: Output = None,
    dry_run: DryRun = False,
) -> None:
    """Print complete files that audit on a schedule: account, least-privilege role, no overlap, kept reports, alert.

    This command sets nothing up; the files say how to. Each run keeps its report and says what changed since the last one;
    exit code 3 (findings at --fail-on, or a project that could not be checked) raises the alert. For a folder or an
    organisation say with --account-project where the account lives.
    """
    session = current(context)
    if fail_on not in given.THRESHOLDS:
        raise usage(f"--fail-on: {fail_on!r} is not a severity here", f"use one of: {', '.join(given.THRESHOLDS)}")
    duration.parse(max_age)
    where = places(session, projects, folder, organization)
    plan = AuditSchedule(
        project=_home(session, account_project),
        every=every,
        region=region,
        fail_on=fail_on,
        max_age=max_age,
        anomaly=given.anomaly_of(anomaly),
        notify=notice_variables(notify),
        webhook_secret=webhook_secret_from_env,
        **_scope(session, where),
        **_accepted(policy),
        **installation(engine, install_from, hash_ or ()),
    )
    files = files_for(engine, plan)
    if plan.uses_policy:
        session.console.note(f"Accepted findings: {plan.policy}; print the files again when it changes.", always=True)
    if plan.folder:
        session.console.note("setup.sh keeps the role in the folder's organisation: write its number there.", always=True)
    show_files(session, files, output, dry_run=dry_run)


def _home(session: Session, named: str | None) -> str:
    if named is not None:
        return named
    if session.settings.project is None:
        raise usage("no project was given: the account that audits has to live in one", "add --account-project ID")
    return session.settings.project.value


def _scope(session: Session, where: Places | None) -> dict[str, Any]:
    if where is not None:
        number = where.container.rpartition("/")[2]
        return {"projects": where.projects} if where.kind is None else {where.kind.removesuffix("s"): number}
    if session.settings.project is None:
        raise usage("no scope was given for the audit", "add --project ID, --projects A,B, --folder N or --organization N")
    return {"projects": (session.settings.project.value,)}


def _accepted(policy: str | None) -> dict[str, Any]:
    """The policy file with accepted findings, where there is one. Raises Problem for one that was named and is not there."""
    path = Path(policy or DEFAULT_FILE)
    if not path.exists():
        if policy is not None:
            raise usage(f"there is no file {path}", "name a file with [[audit.accept]], or leave --policy out")
        return {}
    accepted = read_accepted(path, datetime.now(UTC), found=policy is None)
    text = read_trusted(path, found=policy is None)
    return {"policy": str(path), "policy_text": text} if accepted.entries or policy is not None else {}
