"""What of a plan may be done to a key as it is now. Pure: the plan is a file that anybody may have edited.

A change is made only where the key lies in the plan's scope, is as it was when the plan was made, and does not become wider.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from keyadmin.audit.fix.change import MARK, NARROWING, ROTATING, FixChange, bears, fingerprint, replacing, without_gemini
from keyadmin.audit.fix.journal import FixRecord, KeyRecord
from keyadmin.audit.fix.narrower import wider
from keyadmin.cloud.usage import KeyUsage
from keyadmin.model.key import GEMINI, Key, Restrictions
from keyadmin.model.problem import Cause, Problem

RECENT: Final = timedelta(days=7)  # whoever used a key in this time may use it again tomorrow


@dataclass(frozen=True, slots=True)
class FixTarget:
    """A change that may be made: the key as it is, and what it is to be; None = deleted, or replaced by a rotation."""

    change: FixChange
    key: Key
    after: Restrictions | None


@dataclass(frozen=True, slots=True)
class FixDone:
    """Nothing is left to do: the key is what this run made of it."""

    change: FixChange
    key: Key


@dataclass(frozen=True, slots=True)
class FixRefused:
    """A change that is not made: why, and by what cause."""

    change: FixChange
    why: str
    cause: Cause = Cause.CONFLICT


@dataclass(frozen=True, slots=True)
class FirstStep:
    """What contains a key before a change replaces it, and what the journal says of that; None = nothing yet."""

    change: FixChange
    record: KeyRecord | None

    @property
    def not_made(self) -> str:
        """Why the key may not be replaced yet; empty where it is contained."""
        if self.record is not None and self.record.step == "done":
            return ""
        undone = self.record is not None and self.record.step.startswith("und")
        return f"its first step, {self.change.kind}, {'was undone, or was to be' if undone else 'was not made'}"


def first_step(firsts: Mapping[str, FixChange], record: FixRecord, change: FixChange) -> FirstStep | None:
    """What goes before a change of the same key; None where nothing does."""
    first = firsts.get(change.name) if change.kind in ROTATING else None
    return None if first is None else FirstStep(first, record.of(first))


def recompute(
    change: FixChange,
    live: Key | None,
    run: str,
    numbers: Collection[str],
    *,
    begun: bool,
    first: FirstStep | None = None,
) -> FixTarget | FixDone | FixRefused:
    """What the change comes to. `numbers` = the projects in the plan's scope; `begun` = this run began it before."""
    if change.number not in numbers:
        return FixRefused(change, "its project is not in the scope of the plan", Cause.INVALID_ARGUMENT)
    if live is None:
        return FixRefused(change, "the key is gone", Cause.NOT_FOUND)
    ours = bears(live, run)
    if change.kind in ROTATING:
        ours = ours if first is None else live.annotations.get(MARK) == replacing(run)
        return _rotation(change, live, first, begun=begun, ours=ours)
    if live.delete_time is not None:
        if change.kind == "delete" and (ours or begun):
            return FixDone(change, live)
        return FixRefused(change, "somebody else deleted the key")
    after = _after(change, live) if change.kind in NARROWING else None
    if ours and after is not None and live.restrictions == change.after:
        return FixDone(change, live)
    if not _as_planned(change, live, ours=ours):
        return FixRefused(change, "somebody else changed the key since the plan was made")
    if after is not None and (how := _not_allowed(change, live, after)):
        return FixRefused(change, how, Cause.INVALID_ARGUMENT)
    return FixTarget(change, live, after)


def _as_planned(change: FixChange, live: Key, *, ours: bool) -> bool:
    """By its etag; a key that was marked before its deletion has another one and is told by all that it holds."""
    if live.etag == change.etag:
        return True
    return change.kind == "delete" and ours and fingerprint(live) == change.fingerprint


def _after(change: FixChange, live: Key) -> Restrictions:
    """What the key is to be restricted to: of the file's wish only the part that its kind changes."""
    wish = change.after or Restrictions()
    if change.kind == "restrict-clients":
        return replace(wish, targets=live.restrictions.targets)
    if change.kind == "remove-gemini" and live.restrictions.services:
        return replace(wish, targets=without_gemini(live.restrictions).targets)
    return wish


def _not_allowed(change: FixChange, live: Key, after: Restrictions) -> str:
    """Why the result is none of what a repair makes; empty where it is."""
    if how := wider(live.restrictions, after):
        return f"it would open the key: {how}"
    if after != change.after:
        return f"the plan says something else than the change {change.kind} makes of the key"
    if after == live.restrictions:
        return "the key is so already"
    if change.kind == "remove-gemini" and (GEMINI in after.services or not after.services):
        return "the key could still call Gemini"
    return ""


def _rotation(change: FixChange, live: Key, first: FirstStep | None, *, begun: bool, ours: bool) -> FixTarget | FixRefused:
    """Where the rotation was begun, which the mark tells, the engine knows from the keys how far it is.

    A key that this run contained first is pinned to the state that this wrote, as the journal has it.
    """
    if begun and (ours or live.delete_time is not None):
        return FixTarget(change, live, None)
    if first is not None and first.not_made:
        return FixRefused(change, first.not_made)
    etag = change.etag if first is None or first.record is None else first.record.etag
    if live.delete_time is None and live.etag == etag and (first is None or _contained_alone(first.change, live)):
        return FixTarget(change, live, None)
    return FixRefused(change, "somebody else changed the key since the plan was made")


def _contained_alone(first: FixChange, live: Key) -> bool:
    """Whether nothing but its restrictions was changed since the plan was made: a run that was killed may have read it late."""
    return fingerprint(replace(live, restrictions=first.before)) == first.fingerprint


def used_since(target: FixTarget, uses: Iterable[KeyUsage] | Problem, created: datetime, now: datetime) -> str:
    """Why the use of a key forbids the change now; empty where it does not. `created` = when the plan was made.

    What a person named by hand without known use (no evidence in the plan) is left to that person.
    """
    change = target.change
    if change.kind in ROTATING or change.kind == "restrict-clients" or (change.kind != "delete" and change.evidence is None):
        return ""
    if isinstance(uses, Problem):
        return f"its use cannot be read now: {uses.message}"
    mine = [use for use in uses if use.uid == target.key.uid and not use.is_check]
    if change.kind == "delete":
        limit = min(created, now - RECENT)
        late = sorted({use.service for use in mine if use.last > limit})
        return f"it is used again: {', '.join(late)}" if late else ""
    assert target.after is not None
    allowed = target.after.services
    there = target.key.restrictions.services
    lost = sorted({u.service for u in mine if not u.refused and u.service not in allowed and (not there or u.service in there)})
    return f"it is used for {', '.join(lost)} now, which would be shut out" if lost else ""
