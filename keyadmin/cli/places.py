"""The options that say where to look: some projects, or all below a folder or in an organisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from keyadmin.cli.session import Session
from keyadmin.cli.suggest import projects_and_more
from keyadmin.model.problem import usage

Projects = Annotated[
    list[str] | None,
    typer.Option("--projects", metavar="A,B", autocompletion=projects_and_more, help="Only these projects; may be repeated."),
]
Folder = Annotated[
    str | None, typer.Option("--folder", metavar="N", help="All projects below a folder: its number or its name.")
]
Organization = Annotated[
    str | None, typer.Option("--organization", metavar="N", help="All projects of an organisation: its number or its domain.")
]


@dataclass(frozen=True)
class Places:
    """What was given: projects, or a container of a kind (`folders`, `organizations`).

    A container is `KIND/NUMBER` or a name that is to be looked up.
    """

    projects: tuple[str, ...] = ()
    kind: str | None = None
    container: str = ""


def places(session: Session, projects: list[str] | None, folder: str | None, organization: str | None) -> Places | None:
    """Where to look; None = none of the options was given.

    Raises usage() for more than one of the options and `--project`, and for an option that names nothing.
    """
    given = {
        "--projects": projects is not None,
        "--folder": folder is not None,
        "--organization": organization is not None,
    }
    options = [option for option, there in given.items() if there]
    if options and session.project_given:
        options.append("--project")
    if len(options) > 1:
        raise usage(f"{' and '.join(options)} do not go together", "leave all but one of them out")
    listed = [name.strip() for text in projects or () for name in text.split(",") if name.strip()]
    if projects is not None and not listed:
        raise usage("--projects names no project", "--projects my-project,other-project")
    if folder is not None:
        return Places(kind="folders", container=_container(folder, "folders", "--folder"))
    if organization is not None:
        return Places(kind="organizations", container=_container(organization, "organizations", "--organization"))
    return Places(tuple(dict.fromkeys(listed))) if listed else None


def _container(text: str, kind: str, option: str) -> str:
    """`KIND/NUMBER`, or a name to be looked up. Raises usage() for another kind."""
    if text.isascii() and text.isdigit():
        return f"{kind}/{text}"
    if not text.strip() or ("/" in text and not text.startswith(f"{kind}/")):
        raise usage(f"{option}: {text!r} is none of the {kind}", f"write its number, {kind}/NUMBER, or its name")
    return text
