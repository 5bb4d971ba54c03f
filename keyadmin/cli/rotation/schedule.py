"""`keyadmin rotation schedule`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keyadmin.cli.options import DryRun
from keyadmin.cli.render import show_document, show_to_programs
from keyadmin.cli.rotation.options import PolicyIfAny
from keyadmin.cli.session import current
from keyadmin.cli.suggest import one_of
from keyadmin.local.files import read_bytes, write_text
from keyadmin.local.folders import make_private
from keyadmin.local.trust import read_trusted
from keyadmin.model.command_line import typed
from keyadmin.model.problem import Cause, Problem, usage
from keyadmin.rotation.policy import DEFAULT_FILE, parse_policy
from keyadmin.rotation.schedule import ENGINES, ON_ONE_MACHINE, files_for
from keyadmin.rotation.schedule.install import CHOICES, installed_program, parse_source
from keyadmin.rotation.schedule.plan import SchedulePlan
from keyadmin.rotation.schedule.template import ScheduleFile

if TYPE_CHECKING:
    from keyadmin.cli.session import Session

Engine = Annotated[str, typer.Argument(metavar="ENGINE", autocompletion=one_of(ENGINES), help=f"One of {', '.join(ENGINES)}.")]
Every = Annotated[str, typer.Option("--every", metavar="TIME", help="hourly, daily or weekly.")]
Tasks = Annotated[
    int, typer.Option("--tasks", metavar="N", help="How many tasks share the projects (cloud-run, kubernetes, github-actions).")
]
Migrate = Annotated[bool, typer.Option("--migrate", help="Schedule `rotation migrate` instead of `rotation run`.")]
Region = Annotated[str, typer.Option("--region", metavar="REGION", help="The region of Cloud Run and of the image.")]
Output = Annotated[Path | None, typer.Option("--output", metavar="DIR", help="Write the files there instead of printing them.")]

InstallFrom = Annotated[
    str | None,
    typer.Option(
        "--install-from",
        metavar="SOURCE",
        help="How it is installed: wheel:PATH, git:URL@REV or index:NAME==VERSION; by default as this one was.",
    ),
]
Hashes = Annotated[
    list[str] | None,
    typer.Option("--hash", metavar="sha256:HEX", help="The hash of the wheel or the release; may be repeated."),
]


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
    plan = _plan(session.settings.project.value, policy, every, tasks, migrate, region)
    plan = replace(plan, **_installation(engine, install_from, hash_ or ()))
    files = files_for(engine, plan)
    _tell(session, engine, plan)
    if output is None or dry_run:
        text = "\n".join(f"# ==> {file.path}\n{file.content}" for file in files)
        show_document(session, [{"path": file.path, "content": file.content} for file in files], text)
        return
    for file in files:
        _write(output, file)
        session.console.note(f"Wrote {output / file.path}")
    show_to_programs(session, {"files": [str(output / file.path) for file in files]})


def _installation(engine: str, source: str | None, hashes: Sequence[str]) -> dict[str, Any]:
    """The program that one machine runs, or where it is installed from. Raises usage()."""
    if engine in ON_ONE_MACHINE:
        if source is not None or hashes:
            raise usage(f"{engine} runs the keyadmin that is installed on its machine", "leave out --install-from and --hash")
        return {"program": installed_program()}
    if source is None and hashes:
        raise usage("--hash belongs to --install-from", *CHOICES)
    return {} if source is None else {"install": parse_source(source, hashes)}


def _plan(project: str, policy: str | None, every: str, tasks: int, migrate: bool, region: str) -> SchedulePlan:
    """With what the policy says, where there is one yet. Raises Problem for a wrong one."""
    path = Path(policy or DEFAULT_FILE)
    text = read_trusted(path, found=policy is None) if path.exists() else ""
    rules = parse_policy(path, text).rules if text else ()
    return SchedulePlan(project, str(path), every, tasks, migrate, region, rules, text)


def _tell(session: Session, engine: str, plan: SchedulePlan) -> None:
    """What would go unnoticed until the first run."""
    for words in dict.fromkeys(words for needs in plan.sink_needs for words in needs.words):
        session.console.note(f"The account needs, for its sinks: {words}.", always=True)
    if not plan.rules:
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


def _write(folder: Path, file: ScheduleFile) -> None:
    path = folder / file.path
    if path.exists() and read_bytes(path) != file.content.encode():
        raise Problem(Cause.ALREADY_EXISTS, f"{path} is there already and differs", fix=("name another folder: --output DIR",))
    try:
        make_private(path.parent, 0o755)  # read by root and by the account that rotates, writable by neither's neighbours
    except OSError as error:
        raise Problem(Cause.UNKNOWN, f"{path.parent} cannot be made: {error.strerror}") from None
    write_text(path, file.content, mode=0o755 if path.suffix == ".sh" else 0o644)
