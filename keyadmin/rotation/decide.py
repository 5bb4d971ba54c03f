"""What is to be done next with a lineage: a pure function of its keys, the policy and the server's time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from keyadmin.model.command_line import typed
from keyadmin.model.duration import words
from keyadmin.model.key import GEMINI, Key
from keyadmin.model.lineage import HIGHEST, LAST, VOID, Lineage, Member, State

CLOCKS: Final = timedelta(minutes=10)  # no two servers' clocks are further apart


class Action(StrEnum):
    """The next thing to do."""

    REST = "rest"
    """Nothing is due."""
    CREATE = "create"
    """Make the successor."""
    PUBLISH = "publish"
    """The successor is there: verify it, hand it over, mark it published."""
    WAIT = "wait"
    """The grace period runs, or the old key is still used."""
    RETIRE = "retire"
    """Grace is over: check the sinks and the use, delete the predecessor."""
    UNDO = "undo"
    """Delete what came after the key that a person goes back to; only for a typed `rotation rollback`."""
    STUCK = "stuck"
    """Somebody changed the lineage by hand; said with the way out, never guessed."""
    GONE = "gone"
    """All its keys are deleted."""


@dataclass(frozen=True)
class RotationTerms:
    """When to rotate. Durations; without `max_age` no key is too old.

    `force` rotates whatever the age, once what is unfinished is finished. `emergency` is without grace and use check.
    `back_to` = the id of the key that a person goes back to by `rotation rollback`.
    """

    max_age: timedelta | None = timedelta(days=90)
    grace: timedelta = timedelta(hours=24)
    force: bool = False
    emergency: bool = False
    migrate: bool = False
    """Rotate standard keys that the Gemini API may be called with, whatever their age, into auth keys."""
    back_to: str = ""


@dataclass(frozen=True)
class Decision:
    """What to do and why, in words for people. `until` = when waiting ends; `ways_out` for what is stuck.

    `beside` = why, where the state stands beside it and says until when; empty = as `why`.
    """

    action: Action
    why: str
    until: datetime | None = None
    ways_out: tuple[str, ...] = ()
    overdue: bool = False
    """Whether it rests though its key is older than allowed."""
    beside: str = ""


def decide(lineage: Lineage, terms: RotationTerms, now: datetime, sinks: str = "") -> Decision:
    """The next action. `now` is the server's time; `sinks` the fingerprint of the sinks given, empty = none."""
    if not any(member.live for member in lineage.members):
        return Decision(Action.GONE, "all its keys are deleted")
    newest = lineage.newest
    if lineage.in_question:
        if terms.back_to == newest.key.key_id:
            return Decision(Action.UNDO, f"generation {newest.generation} is gone back to; what came after it is to go")
        return _in_question(lineage)
    if wrong := _tampered(lineage, now):
        return wrong
    if newest.complete:
        due = _when_due(newest, terms, now)
        return _no_number_left(lineage) if due.action is Action.CREATE and lineage.next_generation > LAST else due
    if newest.published is None or newest.state not in (State.GRACE, State.STUCK):
        return Decision(Action.PUBLISH, f"generation {newest.generation} is made and not yet handed over")
    if sinks and newest.sinks != sinks:
        return Decision(Action.PUBLISH, "its sinks are others than those that it was handed to")
    return _grace(newest, live_older(lineage), terms, now)


def live_older(lineage: Lineage) -> list[Member]:
    """Older generations that still work and are to be retired; what a split left to other APIs is not among them."""
    newest = lineage.newest
    return [
        member
        for member in lineage.counted
        if member.live and member.generation < newest.generation and not split_off(member, newest)
    ]


def split_off(old: Member, new: Member) -> bool:
    """Whether an old standard key stays for its other APIs, the Gemini API having gone to the new auth key."""
    targets = old.key.restrictions.services
    return old.key.key_type == "standard" and new.key.key_type == "auth" and bool(targets) and GEMINI not in targets


def to_migrate(key: Key) -> bool:
    """Whether it is a standard key that the Gemini API may be called with."""
    return key.key_type == "standard" and key.restricted != "other"


def in_vain(key: Key) -> bool:
    """Whether it is for the Gemini API and a successor of its type would be rejected there like itself."""
    return to_migrate(key) and key.restricted != "none"


def migrates(lineage: Lineage) -> bool:
    """Whether it is to be migrated, or on its way: other rotations are none of a migration's business."""
    key, newest = lineage.subject, lineage.newest.key
    return key.key_type == "standard" and (to_migrate(key) or newest.key_type == "auth")


def _in_question(lineage: Lineage) -> Decision:
    """A rollback that was interrupted, or a forged claim: who may change a key may write it, so a person decides."""
    back, newer = lineage.newest.key, lineage.in_question[-1].key
    what = f"{back.key_id} says that it was rolled back to, and {newer.key_id}, which came after it, still works"
    ways = (
        f"if that rollback was meant, finish it: {typed('rotation rollback', back.key_id, project=lineage.project)}",
        f"else keep the newer key: {typed('rotation adopt', newer.key_id, project=lineage.project)}",
    )
    return Decision(Action.STUCK, what, ways_out=ways)


def _tampered(lineage: Lineage, now: datetime) -> Decision | None:
    newest = lineage.newest
    stuck = Action.STUCK
    if not newest.live:
        return Decision(stuck, f"its newest key {newest.key.key_id} was deleted manually", ways_out=_ways_back(lineage))
    if newest.generation > 1 and newest.state is None:
        return Decision(stuck, f"the annotations of {newest.key.key_id} were removed or changed", ways_out=_ways_on(lineage))
    if other := other_than_replaced(newest, lineage.predecessor):
        home = _home(lineage)
        narrow = typed("keys restrict", newest.key.key_id, project=lineage.project, api_target="SERVICE")
        ways: tuple[str, ...] = (f"go back: {home}",) if home else ()
        ways += (f"restrict it as the other one: {narrow}",) if newest.key.restricted == "none" else ()
        return Decision(stuck, other, ways_out=ways)
    if restored := _restored(lineage):
        name = restored[0].key.key_id
        ways = (
            f"continue with {newest.key.key_id}, hand it over again and retire the other: {_adopt(lineage)}",
            f"or go back to it: {typed('rotation rollback', name, project=lineage.project)}",
        )
        return Decision(stuck, f"the retired key {name} was brought back manually", ways_out=ways)
    if wrong := _wrong_time(newest, now):
        return Decision(stuck, f"{newest.key.key_id} {wrong}", ways_out=_ways_on(lineage))
    return None


def _ways_back(lineage: Lineage) -> tuple[str, ...]:
    """Of a lineage whose newest key was deleted."""
    back = f"bring it back: {typed('keys undelete', lineage.newest.key.key_id, project=lineage.project)}"
    home = _home(lineage)
    return (back, f"or go back for good: {home}") if home else (back,)


def _ways_on(lineage: Lineage) -> tuple[str, ...]:
    """Of a lineage whose newest key says something wrong."""
    on, home = f"write them again: {_adopt(lineage)}", _home(lineage)
    return (on, f"or go back, if it is not a key of this rotation: {home}") if home else (on,)


def _adopt(lineage: Lineage) -> str:
    return typed("rotation adopt", lineage.newest.key.key_id, project=lineage.project)


def _home(lineage: Lineage) -> str | None:
    """How to go back to the newest key before that still works; None where there is none."""
    newest = lineage.newest
    back = next((m for m in reversed(lineage.counted) if m.live and m is not newest), None)
    return typed("rotation rollback", back.key.key_id, project=lineage.project) if back is not None else None


def other_than_replaced(newest: Member, old: Member | None) -> str | None:
    """What shows that keyadmin did not make a successor so: it would be handed over and the better key be deleted."""
    if newest.complete or old is None:
        return None
    if old.key.key_type == "auth" and newest.key.key_type == "standard":
        return f"{newest.key.key_id} is a standard key and {old.key.key_id}, which it would replace, an auth key"
    if old.key.restrictions.services and not newest.key.restrictions.services:
        return f"{newest.key.key_id} may call every API and {old.key.key_id}, which it would replace, may not"
    return None


def _wrong_time(newest: Member, now: datetime) -> str | None:
    """What is wrong with the time of publication, on which the life of the key before hangs."""
    if newest.complete:
        return None
    if newest.published is None:
        return "does not say when it was published" if newest.state is State.GRACE else None
    if newest.key.create_time is not None and newest.published < newest.key.create_time - CLOCKS:
        return "says that it was published before it was made"
    return "says that it will be published in the future" if newest.published > now + CLOCKS else None


def _restored(lineage: Lineage) -> list[Member]:
    """Older generations that live and are not what the newest one replaces."""
    newest, older = lineage.newest, live_older(lineage)
    if newest.state is State.RETIRED:
        return older
    named = next((m for m in lineage.counted if m.key.key_id == newest.predecessor_id), lineage.predecessor)
    return [member for member in older if named is not None and member.generation < named.generation]


def _when_due(newest: Member, terms: RotationTerms, now: datetime) -> Decision:
    key = newest.key
    if terms.force:
        return Decision(Action.CREATE, "a rotation was asked for")
    if newest.void_up_to:  # whoever went back had a reason, and says when it is over
        return _rolled_back_to(newest, terms, now)
    if terms.migrate and to_migrate(key):
        return Decision(Action.CREATE, "a standard key, which the Gemini API no longer takes")
    if terms.max_age is None:
        if terms.migrate:
            return Decision(Action.REST, "an auth key" if key.key_type == "auth" else "not for the Gemini API")
        return Decision(Action.REST, "the rotation is complete" if newest.generation > 1 else "nothing was asked for")
    if key.create_time is None:
        return Decision(Action.REST, "its age is unknown")
    due = key.create_time + terms.max_age
    if now >= due:
        return Decision(Action.CREATE, f"{_span(now - key.create_time)} old, {_span(terms.max_age)} are allowed")
    return Decision(Action.REST, f"due in {_span(due - now)}", until=due)


def _rolled_back_to(newest: Member, terms: RotationTerms, now: datetime) -> Decision:
    """Left alone because of a claim, which whoever may change the key may have written: all that look at it name it."""
    key = newest.key
    verb = "migrate" if terms.migrate and to_migrate(key) else "rotate"
    over = terms.max_age is not None and key.create_time is not None and now >= key.create_time + terms.max_age
    age = f", and is {_span(now - key.create_time)} old" if over and key.create_time is not None else ""
    way = f"begin the next rotation: {typed(f'keys {verb}', key.key_id, project=key.project)}"
    why = f"the key says that it was rolled back to{age}; no run rotates it until somebody asks for it"
    return Decision(Action.REST, why, ways_out=(way,), overdue=over)


def _no_number_left(lineage: Lineage) -> Decision:
    """Somebody wrote that the last generation there can be was used, or made a key of its id."""
    known = max(lineage.members, key=lambda member: member.highest).key
    names = [name for name in (HIGHEST, VOID) if name in known.annotations]
    ways = tuple(typed("keys annotate", known.key_id, project=lineage.project, remove=name) for name in names)
    ways = ways or (
        f"begin a new lineage with a copy: {typed('keys clone', lineage.newest.key.key_id, project=lineage.project)}",
    )
    why = f"{known.key_id} says that generation {LAST} was used, which no rotation reaches"
    return Decision(Action.STUCK, why, ways_out=ways)


def _span(value: timedelta) -> str:
    """In words, long ones to the day."""
    return f"{value.days} d" if value.days > 1 else words(value)


def _grace(newest: Member, older: list[Member], terms: RotationTerms, now: datetime) -> Decision:
    assert newest.published is not None
    grace = timedelta() if terms.emergency else terms.grace
    ends = max(newest.published, newest.key.create_time or newest.published) + grace  # the first of them is a claim
    if older and grace and now < ends:  # the server's clock is known to a second: no grace means none
        span = f"the grace period of {_span(grace)}"
        return Decision(Action.WAIT, f"{span} ends {ends:%Y-%m-%d %H:%M} UTC", until=ends, beside=f"{span} is not over")
    over = "the grace period is over" if grace else "there is no grace period"
    return Decision(Action.RETIRE, over if older else "the predecessor is gone")
