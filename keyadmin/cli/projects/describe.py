"""`keyadmin projects describe`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from keyadmin.cli import remember
from keyadmin.cli.projects.named import ProjectId, given
from keyadmin.cli.projects.view import as_json
from keyadmin.cli.render import Column, View, show_one
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.keys.present import as_json as key_to_json
from keyadmin.model.command_line import typed
from keyadmin.model.problem import Problem
from keyadmin.projects import describe as describing
from keyadmin.projects.describe import Description, Maker

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


def describe(context: typer.Context, which: ProjectId = None) -> None:
    """Show a project: its place in the hierarchy, its state, who may create keys in it, its APIs and its keys.

    Without an ID it shows the project that other commands would use.
    """
    session = current(context)
    named = given(session, which)

    async def work(cloud: Cloud) -> Description:
        session.observer.step("Looking at the project")
        found = await describing.describe(cloud, named or await session.project(cloud))
        if not isinstance(found.keys, Problem):
            remember.keys(session, found.keys)
        return found

    found = run(context, work)
    show_one(session, found, View(_columns(found), lambda each: to_json(session, each)))
    if not isinstance(found.missing, Problem) and found.missing:
        session.console.note(f"What you lack and who can grant it: {typed('doctor', found.project.project_id)}")


def _columns(found: Description) -> list[Column[Description]]:
    project = found.project
    hierarchy = " / ".join([*(each.display_name or each.name for each in reversed(found.above)), project.display_name])
    lines: list[tuple[str, object]] = [
        ("ID", project.project_id),
        ("Name", project.display_name),
        ("Number", project.number),
        ("State", project.state),
        ("Hierarchy", hierarchy),
        ("Parent", project.parent or "none (no organisation)"),
        ("Created", project.create_time),
        ("Deleted", project.delete_time),
        ("Labels", ", ".join(f"{name}={value}" for name, value in sorted(project.labels.items()))),
        ("You may create keys", _mine(found)),
        ("Who may create keys", _makers(found)),
        ("APIs", _unknown(found.apis) if isinstance(found.apis, Problem) else ", ".join(found.apis) or "none"),
        ("Keys", _keys(found)),
    ]
    return [_column(title, value) for title, value in lines if value not in (None, "")]


def _column(title: str, value: object) -> Column[Description]:
    return Column(title, lambda _: value)


def _unknown(problem: Problem) -> str:
    return f"unknown ({problem.message})"


def _mine(found: Description) -> str:
    if isinstance(found.missing, Problem):
        return _unknown(found.missing)
    return "yes" if not found.missing else f"no, missing: {', '.join(found.missing)}"


def _makers(found: Description) -> str:
    if isinstance(found.makers, Problem):
        return _unknown(found.makers)
    text = "; ".join(_maker(each) for each in found.makers) or "nobody by the roles that could be read"
    return f"{text}; and whom {', '.join(found.unread)} may name, which you cannot see" if found.unread else text


def _maker(maker: Maker) -> str:
    roles = ", ".join(dict.fromkeys(f"{grant.role} on {grant.on}" for grant in maker.grants))
    return f"{maker.member} ({roles})" if maker.sure else f"perhaps {maker.member} ({roles})"


def _keys(found: Description) -> str:
    if isinstance(found.keys, Problem):
        return _unknown(found.keys)
    names = [key.display_name or key.key_id for key in found.keys]
    shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    return f"{len(names)}: {shown}" if names else "none"


def to_json(session: Session, found: Description) -> dict[str, Any]:
    """The project's JSON object and what was found out; the word `unknown` stands for what was not."""
    sandbox = session.sandbox is not None
    missing = found.missing
    return as_json(session, found.project) | {
        "hierarchy": [{"name": each.name, "displayName": each.display_name} for each in found.above],
        "mayCreateKeys": "unknown" if isinstance(missing, Problem) else not missing,
        "missingPermissions": "unknown" if isinstance(missing, Problem) else list(missing),
        "keyMakers": "unknown" if isinstance(found.makers, Problem) else _makers_json(found.makers),
        "grantsNotSeen": list(found.unread),
        "apis": "unknown" if isinstance(found.apis, Problem) else list(found.apis),
        "keys": "unknown"
        if isinstance(found.keys, Problem)
        else [key_to_json(key, sandbox=sandbox, now=session.now()) for key in found.keys],
    }


def _makers_json(found: Sequence[Maker]) -> list[dict[str, Any]]:
    return [
        {
            "member": each.member,
            "sure": each.sure,
            "grants": [{"role": grant.role, "on": grant.on, "conditional": grant.conditional} for grant in each.grants],
        }
        for each in found
    ]
