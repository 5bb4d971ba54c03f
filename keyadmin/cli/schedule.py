"""What `rotation schedule` and `audit schedule` have in common: options, and the files printed or written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keyadmin.cli.render import show_document, show_to_programs
from keyadmin.cli.suggest import one_of
from keyadmin.local.files import read_bytes, write_text
from keyadmin.local.folders import make_private
from keyadmin.model.problem import Cause, Problem, usage
from keyadmin.unattended.schedule import ENGINES, ON_ONE_MACHINE
from keyadmin.unattended.schedule.install import CHOICES, installed_program, parse_source
from keyadmin.unattended.schedule.template import ScheduleFile

if TYPE_CHECKING:
    from keyadmin.cli.session import Session

Engine = Annotated[str, typer.Argument(metavar="ENGINE", autocompletion=one_of(ENGINES), help=f"One of {', '.join(ENGINES)}.")]
Every = Annotated[str, typer.Option("--every", metavar="TIME", help="hourly, daily or weekly.")]
Region = Annotated[str, typer.Option("--region", metavar="REGION", help="The region of Cloud Run and of the image.")]
Output = Annotated[Path | None, typer.Option("--output", metavar="DIR", help="Write the files there instead of printing them.")]
InstallFrom = Annotated[
    str | None,
    typer.Option(
        "--install-from",
        metavar="SOURCE",
        help="How it is installed: wheel:PATH, git:REPOSITORY@COMMIT or index:NAME==VERSION; by default as this one was.",
    ),
]
Hashes = Annotated[
    list[str] | None,
    typer.Option("--hash", metavar="sha256:HEX", help="The hash of the wheel or the release; may be repeated."),
]
ScheduledNotify = Annotated[
    list[str] | None,
    typer.Option(
        "--notify",
        metavar="webhook-from-env:VAR",
        help="Tell the webhook whose address is in this variable there; may be repeated.",
    ),
]


def installation(engine: str, source: str | None, hashes: Sequence[str]) -> dict[str, Any]:
    """The program that one machine runs, or where it is installed from. Raises usage()."""
    if engine in ON_ONE_MACHINE:
        if source is not None or hashes:
            raise usage(f"{engine} runs the keyadmin that is installed on its machine", "leave out --install-from and --hash")
        return {"program": installed_program()}
    if source is None and hashes:
        raise usage("--hash belongs to --install-from", *CHOICES)
    return {} if source is None else {"install": parse_source(source, hashes)}


def notice_variables(specs: Sequence[str] | None) -> tuple[str, ...]:
    """The variables of `--notify`. Raises usage() for other forms: an address in a printed file is no secret any more."""
    for spec in specs or ():
        if not spec.startswith("webhook-from-env:"):
            raise usage(
                "--notify: a schedule takes webhook-from-env:VAR only",
                "name the variable in which the address is kept there, NOTICE_WEBHOOK for instance",
            )
    return tuple(dict.fromkeys(spec.partition(":")[2] for spec in specs or ()))


def show_files(session: Session, files: Sequence[ScheduleFile], output: Path | None, *, dry_run: bool) -> None:
    """Print the files, or write them into a folder. Raises Problem where another one is there."""
    if output is None or dry_run:
        text = "\n".join(f"# ==> {file.path}\n{file.content}" for file in files)
        show_document(session, [{"path": file.path, "content": file.content} for file in files], text)
        return
    for file in files:
        _write(output, file)
        session.console.note(f"Wrote {output / file.path}")
    show_to_programs(session, {"files": [str(output / file.path) for file in files]})


def _write(folder: Path, file: ScheduleFile) -> None:
    path = folder / file.path
    if path.exists() and read_bytes(path) != file.content.encode():
        raise Problem(Cause.ALREADY_EXISTS, f"{path} is there already and differs", fix=("name another folder: --output DIR",))
    try:
        make_private(path.parent, 0o755)  # read by root and by the account that runs it, writable by neither's neighbours
    except OSError as error:
        raise Problem(Cause.UNKNOWN, f"{path.parent} cannot be made: {error.strerror}") from None
    write_text(path, file.content, mode=0o755 if path.suffix == ".sh" else 0o644)
