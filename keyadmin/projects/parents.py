"""Folders and organisations by their names, and the way from a project up to its organisation."""

from __future__ import annotations

import asyncio
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from keyadmin.model.causes.table import entry
from keyadmin.model.problem import Cause, Problem, usage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.projects import Container

_NAME: Final = re.compile(r"(?:folders|organizations)/\d+")
_KINDS: Final = {None: "folder and no organisation", "folders": "folder", "organizations": "organisation"}
DEEPEST: Final = 12  # ten folders deep at most (Resource Manager documentation), and the organisation


async def find(cloud: Cloud, text: str, kind: str | None = None) -> str:
    """`folders/N` or `organizations/N`: as it is, or by a folder's display name or an organisation's domain.

    `kind` = only one of `folders` and `organizations`. Raises usage() where several have the name, Problem(not-found) where
    none has.
    """
    if _NAME.fullmatch(text):
        return text
    if text.partition("/")[0] in ("folders", "organizations", "projects"):
        raise usage(f"{text!r} is not a parent: it reads folders/NUMBER, organizations/NUMBER, or the name of one")
    # unsourced: that a folder's displayName query finds it by its whole name; what else it finds is dropped below
    query = f'displayName="{text}"' if kind != "organizations" and not set('"\\') & set(text) else None
    domain = kind != "folders" and re.fullmatch(r"[\w.-]+\.\w+", text)
    folders = _all(cloud.folders.search(query)) if query else _nothing()
    domains = _all(cloud.organizations.search(f"domain:{text}")) if domain else _nothing()
    found = [each for several in await asyncio.gather(folders, domains) for each in several]
    fitting = [each for each in found if each.display_name.casefold() == text.casefold() and each.state == "ACTIVE"]
    exact = [each for each in fitting if each.display_name == text] or fitting
    if len(exact) == 1:
        return exact[0].name
    if exact:
        listed = ", ".join(f"{each.name} (in {each.parent})" for each in exact)
        raise usage(f"several folders are named {text!r}: {listed}", "name one by its number")
    raise await _unknown(cloud, text, kind)


async def _unknown(cloud: Cloud, text: str, kind: str | None) -> Problem:
    folders = _all(cloud.folders.search()) if kind != "organizations" else _nothing()
    organizations = _all(cloud.organizations.search()) if kind != "folders" else _nothing()
    seen = [each for several in await asyncio.gather(folders, organizations) for each in several]
    known = {each.display_name.casefold(): each for each in seen if each.state == "ACTIVE"}
    near = [known[name] for name in get_close_matches(text.casefold(), known, 3, 0.6)]
    fix = [f"did you mean {each.display_name!r} ({each.name})?" for each in near]
    return Problem(
        Cause.NOT_FOUND,
        f"you see no {_KINDS[kind]} named {text!r}",
        fix=(*fix, f"write {kind or 'folders/NUMBER or organizations'}/NUMBER where you may not see its name"),
    )


async def above(cloud: Cloud, parent: str) -> tuple[Container, ...]:
    """The folders and the organisation above a project, the nearest first. What may not be seen has no display name."""
    from keyadmin.cloud.projects import Container

    found: list[Container] = []
    while parent and len(found) < DEEPEST:
        containers = cloud.folders if parent.startswith("folders/") else cloud.organizations
        try:
            here = await containers.get(parent)
        except Problem as problem:
            if not entry(problem.cause).hides_existence:
                raise
            return (*found, Container(parent, "", state="unknown"))
        found.append(here)
        parent = here.parent
    return tuple(found)


async def _all(listing: AsyncIterator[Container]) -> list[Container]:
    return [each async for each in listing]


async def _nothing() -> list[Container]:
    return []
