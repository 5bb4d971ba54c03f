"""What a dry run of making a key can see beforehand: no room, an id that is taken, an organisation that forbids the binding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyadmin.access.checks import MOST_KEYS
from keyadmin.keys import provision, refusals
from keyadmin.keys.preflight import ProjectState
from keyadmin.keys.provision import KeySpec
from keyadmin.keys.resolve import FullName
from keyadmin.model.problem import Cause, Exit, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


async def rehearse_create(cloud: Cloud, spec: KeySpec, state: ProjectState) -> list[str]:
    """What is not known of a creation that reads do not refuse. Raises the Problem that it would end with."""
    unknown: list[str] = []
    if spec.key_id is not None and not spec.if_absent:
        try:
            there = await cloud.keys.get(str(FullName(state.project, spec.key_id)))
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
            if problem.cause not in (Cause.NOT_FOUND, Cause.API_NOT_ENABLED):
                unknown.append(f"whether the id {spec.key_id} is taken is not known: {problem.message}")
        else:
            raise refusals.taken(spec.key_id, state.project, deleted=there.delete_time is not None)
    count = 0
    try:
        async for _ in cloud.keys.list(state.project):
            count += 1
    except Problem as problem:
        if problem.exit is Exit.CREDENTIALS:
            raise
        if problem.cause is not Cause.API_NOT_ENABLED:
            unknown.append(f"whether there is room for another key is not known: {problem.message}")
    if count >= MOST_KEYS:
        raise refusals.full(state.project)
    unknown += filter(None, [await provision.allowed(cloud, spec, state)])
    if spec.key_type == "auth" and spec.restrictions.restricted != "gemini":
        unknown += await _binding(cloud, state.project)
    return unknown


async def _binding(cloud: Cloud, project: str) -> list[str]:
    """Keys for the Gemini API alone are free of the policy (facts 2); for others it is read."""
    try:
        enforced = await cloud.org_policy.enforced(f"projects/{project}")
    except Problem as problem:
        if problem.exit is Exit.CREDENTIALS:
            raise
        return [f"whether the organisation allows the key to be bound to a service account is not known: {problem.message}"]
    if enforced:
        raise refusals.binding_forbidden(project)
    return [] if enforced is False else ["whether the organisation allows the key depends on conditions"]
