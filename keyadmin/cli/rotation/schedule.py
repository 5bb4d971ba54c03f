"""`keyadmin rotation schedule`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keyadmin.cli.notices import WebhookSecret
from keyadmin.cli.options import DryRun
from keyadmin.cli.rotation.options import PolicyIfAny
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
from keyadmin.cli.session import current
from keyadmin.local.trust import read_trusted
from keyadmin.model.command_line import typed
from keyadmin.model.problem import usage
from keyadmin.rotation.policy import DEFAULT_FILE, parse_policy
from keyadmin.rotation.schedule import RotationSchedule
from keyadmin.unattended.schedule import ON_ONE_MACHINE, files_for

if TYPE_CHECKING:
    from keyadmin.cli.session import Session

Tasks = Annotated[
    int, typer.Option("--tasks", metavar="N", help="How many tasks share the projects (cloud-run, kubernetes, github-actions).")
]
Migrate = Annotated[bool, typer.Option("--migrate", help="Schedule `rotation migrate` instead of `rotation run`.")]


def schedule(
    context: typer.Context,
    engine: Engine,
    policy: PolicyIfAny = None,
    every: Every = "daily",
    tasks: Tasks = 1,
    migrate: Migrate = False,
    region: Region = "europe-west1",
    install_from: InstallFrom = None,
    hash_: Hashes = None,
    notify: ScheduledNotify = None,
    webhook_secret_from_env: WebhookSecret = None,
    output: Output = None,
    dry_run: DryRun = False,
) -> None:
    """Print complete files that run the rotation on a schedule: account, least-privilege role, no overlap, alert.

    This command sets nothing up; the files say how to. The project (-p) is the one of the account. What the account may do,
    and where, follows from the policy: print the files again when it changes.
    """
    session = current(context)
    if session.settings.project is None:
        raise usage("no project was given: the account that rotates has to live in one", "add --project ID")
    plan = RotationSchedule(
        project=session.settings.project.value,
        every=every,
        tasks=tasks,
        migrate=migrate,
        region=region,
        notify=notice_variables(notify),
        webhook_secret=webhook_secret_from_env,
        **_by_policy(policy),
        **installation(engine, install_from, hash_ or ()),
    )
    files = files_for(engine, plan)
    _tell(session, engine, plan)
    show_files(session, files, output, dry_run=dry_run)


def _by_policy(policy: str | None) -> dict[str, Any]:
    """What the policy says, where there is one yet. Raises Problem for a wrong one."""
    path = Path(policy or DEFAULT_FILE)
    text = read_trusted(path, found=policy is None) if path.exists() else ""
    rules = parse_policy(path, text).rules if text else ()
    return {"policy": str(path), "policy_text": text, "policy_rules": rules}


def _tell(session: Session, engine: str, plan: RotationSchedule) -> None:
    """What would go unnoticed until the first run."""
    for words in dict.fromkeys(words for needs in plan.sink_needs for words in needs.words):
        session.console.note(f"The account needs, for its sinks: {words}.", always=True)
    if not plan.policy_rules:
        session.console.note(
            f"There is no policy file {plan.policy} yet: the files are for the keys of {plan.project} and for secrets. "
            f"Write one ({typed('rotation init')}) and print them again."
        )
    if plan.patterns:
        patterns = ", ".join(plan.patterns)
        session.console.note(f"setup.sh cannot know which projects {patterns} are: add them to PROJECTS there.", always=True)
    for rule in plan.elsewhere:
        if engine not in ON_ONE_MACHINE:
            session.console.warning(
                f"{rule.name}: its env-file and exec sinks belong to the machine {rule.machine}; {engine} leaves its keys "
                "alone. Schedule systemd or cron there, or hand over to Secret Manager."
            )
        elif not rule.here:
            session.console.note(f"{rule.name} belongs to the machine {rule.machine}: install the files there.", always=True)
