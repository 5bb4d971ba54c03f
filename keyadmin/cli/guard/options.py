"""The options of `keyadmin guard`: where, which constraints, with which exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.places import Folder, Organization, Places, places
from keyadmin.cli.session import Session
from keyadmin.guard.constraints import RULES, GuardRule, chosen, exceptions
from keyadmin.guard.export import FORMS
from keyadmin.guard.model import GuardRequest
from keyadmin.guard.scope import GuardScope, scope_of
from keyadmin.projects import parents

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

__all__ = ["Folder", "Organization"]


def _rules(incomplete: str) -> list[tuple[str, str]]:
    return [(rule.option, rule.words) for rule in RULES.values() if rule.option.startswith(incomplete)]


def _forms(incomplete: str) -> list[str]:
    return [name for name in FORMS if name.startswith(incomplete)]


Constraint = Annotated[
    list[str] | None,
    typer.Option(
        "--constraint",
        metavar="NAME",
        autocompletion=_rules,
        help=f"Only this one; may be repeated: {', '.join(RULES)}.",
    ),
]
ExceptTag = Annotated[
    list[str] | None,
    typer.Option(
        "--except-tag",
        metavar="ORG/KEY=VALUE",
        help="Exempt what has this tag; may be repeated. Without it, existing exemptions stay.",
    ),
]
CreationsOnly = Annotated[
    bool | None,
    typer.Option(
        "--creations-only/--changes-too",
        help="Refuse only new keys, or also changes of keys that violate it (the default for new constraints).",
    ),
]
DenyGemini = Annotated[
    bool,
    typer.Option(
        "--deny-gemini",
        help="Also block the Gemini API in the folder or project (gcp.restrictServiceUsage): keys in use stop working.",
    ),
]
Rehearse = Annotated[bool, typer.Option("--rehearse", help="Show which keys of the inventory it would refuse as they are now.")]
Preview = Annotated[bool, typer.Option("--preview/--no-preview", help="Also ask Google's own preview, if permitted.")]
As = Annotated[
    str | None,
    typer.Option("--as", metavar="gcloud|terraform", autocompletion=_forms, help="Print the files for gcloud or Terraform."),
]
Wait = Annotated[str, typer.Option("--wait", metavar="DURATION", help="How long to wait until enforcement is visible.")]


def request(
    constraint: list[str] | None,
    except_tag: list[str] | None,
    creations_only: bool | None,
    deny_gemini: bool,
    *,
    enforce: bool,
) -> GuardRequest:
    """What is wanted. Raises usage() for an unknown constraint, Problem for a malformed tag."""
    return GuardRequest(chosen(constraint), enforce, exceptions(except_tag or ()), creations_only, deny_gemini)


def rules(constraint: list[str] | None) -> tuple[GuardRule, ...]:
    """The rules that are named; all where none is."""
    return chosen(constraint)


def where(session: Session, folder: str | None, organization: str | None) -> Places | None:
    """The options that say where. Raises usage() for several."""
    return places(session, None, folder, organization)


async def scope(cloud: Cloud, session: Session, place: Places | None) -> GuardScope:
    """The node. Raises Problem: it has no organisation, or is not there."""
    if place is not None and place.kind is not None:
        return await scope_of(cloud, await parents.find(cloud, place.container, place.kind))
    return await scope_of(cloud, f"projects/{await session.project(cloud)}")
