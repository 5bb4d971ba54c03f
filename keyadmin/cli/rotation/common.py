"""From a policy file to what a run would do: shared by plan, status, run and migrate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from keyadmin.cli.confirm import confirm
from keyadmin.cli.places import Places
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.cli.text import counted
from keyadmin.model import duration
from keyadmin.model.observer import Observer
from keyadmin.rotation.decide import migrates
from keyadmin.rotation.find import Selection, find, only
from keyadmin.rotation.plan import Planned, plan, within
from keyadmin.rotation.policy import RotationPolicy, load, of_options
from keyadmin.rotation.shard import Shard, shard

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


@dataclass(frozen=True)
class RotationScope:
    """What the options of a command select, checked before any call."""

    policy: RotationPolicy
    names: tuple[str, ...]
    part: Shard | None
    emergency: bool
    migrate: bool = False
    project: str | None = None
    """Only what is in this project."""


def scope(
    session: Session,
    policy: str,
    *,
    names: list[str] | None = None,
    max_age: str | None = None,
    grace: str | None = None,
    shard_text: str | None = None,
    emergency: bool = False,
    migrate: bool = False,
    adopted: bool = False,
    where: Places | None = None,
    to: Sequence[str] | None = None,
) -> RotationScope:
    """Read the policy and put the options over it; `where` with the sinks `to` stands in for a policy.

    `--project` narrows it; a project that is only the default does not. `adopted` = select what is not adopted yet, too.
    Raises usage().
    """
    loaded = load(Path(policy)) if where is None else of_options(_selectors(where), to or ())
    changes: dict[str, object] = {}
    if max_age is not None:
        changes["max_age"] = duration.parse(max_age)
    elif emergency or migrate:
        changes["max_age"] = None
    if grace is not None:
        changes["grace"] = duration.parse(grace)
    if migrate:
        changes["new_type"] = "auth"
    if adopted:
        changes["adopted"] = False
    rules = tuple(replace(rule, **changes) for rule in loaded.rules)  # type: ignore[arg-type]
    part = shard(shard_text) if shard_text is not None else None
    project = session.settings.project.value if session.project_given and session.settings.project else None
    return RotationScope(replace(loaded, rules=rules), tuple(names or ()), part, emergency, migrate, project)


def _selectors(where: Places) -> dict[str, tuple[str, ...]]:
    """Those of a rule."""
    return {"projects": where.projects} if where.kind is None else {where.kind: (where.container,)}


def ask(context: typer.Context, wanted: RotationScope, limit: int | None, question: str, *, yes: bool) -> None:
    """Ask before much is changed. `{what}` in the question is how much, which is looked up where somebody is there to ask.

    Raises usage() where nobody is and there is no `--yes`, Problem where the answer is no.
    """
    session, what = current(context), "all selected keys"
    if session.interactive and not yes:
        _, planned = run(context, lambda cloud: survey(cloud, wanted, session.observer))
        due = within(planned, limit)
        if not due:
            return
        projects = len({one.chosen.lineage.project for one in due})
        what = f"{counted(len(due), 'key')} in {counted(projects, 'project')}"
    confirm(session, question.format(what=what), yes=yes)


async def survey(cloud: Cloud, wanted: RotationScope, observer: Observer) -> tuple[Selection, list[Planned]]:
    """What the policy is about, and what a run would do with each."""
    found = await find(cloud, wanted.policy.rules, observer, wanted.part, wanted.project)
    if wanted.migrate:
        found.chosen = [one for one in found.chosen if migrates(one.lineage)]
    chosen = only(found.chosen, wanted.names) if wanted.names else found.chosen
    return found, plan(chosen, cloud.now(), emergency=wanted.emergency)
