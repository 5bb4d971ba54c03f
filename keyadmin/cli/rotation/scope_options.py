"""From the options of a rotation command to what it is about: the policy that was named or found, and what narrows it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from keyadmin.cli.places import Places
from keyadmin.cli.session import Session
from keyadmin.model import duration
from keyadmin.rotation.policy import DEFAULT_FILE, PolicyRule, RotationPolicy, load, of_options
from keyadmin.rotation.scope import RotationScope
from keyadmin.rotation.shard import shard


def scope(
    session: Session,
    policy: str | None,
    *,
    names: Sequence[str] | None = None,
    max_age: str | None = None,
    grace: str | None = None,
    shard_text: str | None = None,
    emergency: bool = False,
    migrate: bool = False,
    adopted: bool | None = None,
    limit: int | None = None,
    where: Places | None = None,
    to: Sequence[str] | None = None,
) -> RotationScope:
    """Read the policy and put the options over it; `where` with the sinks `to` stands in for a policy.

    `--project` narrows it; a project that is only the default does not. Raises usage().
    """
    loaded = the_policy(session, policy) if where is None else of_options(_selectors(where), to or ())
    part = shard(shard_text) if shard_text is not None else None
    project = session.settings.project.value if session.project_given and session.settings.project else None
    return RotationScope(loaded, tuple(names or ()), part, emergency, migrate, project, limit).with_terms(
        max_age=duration.parse(max_age) if max_age is not None else None,
        grace=duration.parse(grace) if grace is not None else None,
        adopted=adopted,
    )


def the_policy(session: Session, named: str | None) -> RotationPolicy:
    """The policy that was named, else the one that lies in this folder, which is said. Raises usage()."""
    if named is not None:
        return load(Path(named))
    found = load(Path(DEFAULT_FILE), found=True)
    session.console.note(f"Policy: ./{DEFAULT_FILE}", always=True)
    return found


def is_there(named: str | None) -> bool:
    """Whether a policy was named, or one lies in this folder."""
    return named is not None or Path(DEFAULT_FILE).exists()


def rules_if_any(session: Session, named: str | None) -> Sequence[PolicyRule]:
    """The rules of the policy, if there is one. Raises usage()."""
    return the_policy(session, named).rules if is_there(named) else ()


def _selectors(where: Places) -> dict[str, tuple[str, ...]]:
    """Those of a rule."""
    return {"projects": where.projects} if where.kind is None else {where.kind: (where.container,)}
