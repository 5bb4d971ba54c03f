"""`keys restrict --to-used`: a key restricted to the APIs that it is really used for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from keyadmin.cloud.usage import KEPT, KeyUsage
from keyadmin.keys.change import KeyChange, plan_restrict
from keyadmin.keys.denial import may_not
from keyadmin.keys.resolve import unread
from keyadmin.keys.restriction_edit import RestrictionEdit
from keyadmin.keys.usage import MINUTES, count_words
from keyadmin.model.command_line import typed
from keyadmin.model.duration import words
from keyadmin.model.key import ApiTarget, Key, Restrictions
from keyadmin.model.problem import Cause, Problem, usage

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

# A younger key may not have been used yet for all that it is for; `checkExistingUsage` looks as far back.
YOUNGEST: Final = timedelta(days=7)


@dataclass(frozen=True)
class UseWindow:
    """How far back is looked, and which services are left out all the same. Raises usage() for more than is kept."""

    span: timedelta = KEPT
    without: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.span > KEPT:
            raise usage(f"--window {words(self.span)}: Cloud Monitoring keeps {words(KEPT)} (42d)")
        if self.span < timedelta(hours=1):
            raise usage(f"--window {words(self.span)}: the use is known by full hours, so at least 1h")


@dataclass(frozen=True)
class UsePlan:
    """The change, and what it rests on, a line a service."""

    change: KeyChange
    lines: tuple[str, ...]


async def plan(cloud: Cloud, key: Key, window: UseWindow, *, force: bool) -> UsePlan:
    """The restriction to what was used, which is always asked about. Changes nothing. A key in daily use is refused (conflict)
    only where less than its use of the last seven days would stay, and not with `force`.

    Raises Problem: the use cannot be read in full, there was none, the key is younger than seven days.
    """
    if unread(key):
        raise may_not(key, "apikeys.keys.get", "read it, by whose uid its use is counted")
    if key.create_time is None or cloud.now() - key.create_time < YOUNGEST:
        raise _refused(key, f"it is younger than {words(YOUNGEST)}: what it is for may not have been used yet")
    try:
        found = await cloud.usage.by_method(key.project, window.span)
    except Problem as problem:
        problem.message = f"the use of key {key.key_id} cannot be read in full: {problem.message}"
        raise
    answered = _answered(each for each in found if each.uid == key.uid)
    kept = {service: calls for service, calls in answered.items() if service not in window.without}
    allowed = {service: calls for service, calls in kept.items() if not key.restrictions.services or _target(key, service)}
    if not allowed:
        raise _refused(key, f"no call of it was answered in {words(window.span)} that its targets allow")
    targets = tuple(_target(key, service) or ApiTarget(service) for service in sorted(allowed))
    safe = window.span >= YOUNGEST and not window.without & answered.keys()  # what was used in these days stays
    change = plan_restrict(key, RestrictionEdit(Restrictions(targets=targets)), force=force or safe)
    shut = change.asks or "every other API is shut out"
    refused = sum(each.calls for each in found if each.uid == key.uid and each.refused and not each.is_check)
    lines = _lines(key, answered, allowed, window, refused)
    return UsePlan(replace(change, asks=f"it is based on the calls of {words(window.span)}; {shut}"), lines)


def _answered(uses: Iterable[KeyUsage]) -> dict[str, int]:
    """Calls by service that the service answered: not those for which it turned the key down, nor checks of the key."""
    out: dict[str, int] = {}
    for use in uses:
        if not use.refused and not use.is_check:
            out[use.service] = out.get(use.service, 0) + use.calls
    return out


def _target(key: Key, service: str) -> ApiTarget | None:
    """The present target of a service, with its methods; None where it is not among the targets."""
    return next((target for target in key.restrictions.targets if target.service == service), None)


def _lines(key: Key, answered: dict[str, int], allowed: dict[str, int], window: UseWindow, refused: int) -> tuple[str, ...]:
    lines = [f"Calls of key {key.key_id} in {words(window.span)} (those of the last {MINUTES} minutes may not show yet):"]
    for service, calls in sorted(answered.items(), key=lambda each: (-each[1], each[0])):
        why = "" if service in allowed else " (left out)" if service in window.without else " (not among its targets)"
        lines.append(f"  {service}: {count_words(calls, 'call')}{why}")
    if refused:
        lines.append(
            f"  {count_words(refused, 'more call')} turned the key down (401, 403), which keys usage counts and this does not"
        )
    return tuple(lines)


def _refused(key: Key, why: str) -> Problem:
    return Problem(
        Cause.INVALID_ARGUMENT,
        f"key {key.key_id} cannot be restricted to what it was used for: {why}",
        project=key.project,
        fix=(
            f"see its use: {typed('keys usage', key.key_id, project=key.project)}",
            f"or name the APIs: {typed('keys restrict', key.key_id, project=key.project, api_target='SERVICE')}",
        ),
    )
