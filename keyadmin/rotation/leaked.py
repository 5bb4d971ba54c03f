"""What is to be done next about a key that has leaked: a pure function, which no claim on the keys stops or delays.

Whoever has the key may also be able to write annotations. So only what nobody can forge counts: ids, the times at which keys
were made, restrictions compared with each other, and what this run sees itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from keyadmin.model.command_line import typed
from keyadmin.model.lineage import Lineage, Member, State
from keyadmin.rotation.decide import Action, Decision, RotationTerms, live_older


def decide_leaked(lineage: Lineage, key_id: str, terms: RotationTerms, now: datetime, sinks: str = "") -> Decision:
    """The next action for the leaked key `key_id`. `now` = the server's time; `sinks` = the fingerprint of the sinks given.

    `lineage` is read with suspicion (`Lineage.suspicious`). The grace period counts from when the first successor was made.
    """
    newest, project = lineage.newest, lineage.project
    leaked = next(member for member in lineage.members if member.key.key_id == key_id)
    if not any(member.live for member in lineage.members):
        return Decision(Action.GONE, "all its keys are deleted")
    if not newest.live and newest is not leaked:
        way = f"bring it back: {typed('keys undelete', newest.key.key_id, project=project)}"
        return Decision(Action.STUCK, f"its newest key {newest.key.key_id} was deleted manually", ways_out=(way,))
    if not leaked.live:
        return _gone(lineage, leaked)
    after = [member for member in lineage.members if member.live and member.generation > leaked.generation]
    if not after or not replaces(newest, leaked):
        return Decision(Action.CREATE, f"{key_id} has leaked")
    if newest.published is None or newest.state not in (State.GRACE, State.STUCK) or (sinks and newest.sinks != sinks):
        return Decision(Action.PUBLISH, f"generation {newest.generation} is made and not yet handed over")
    return _grace(leaked, after, terms, now)


def replaces(new: Member, leaked: Member) -> bool:
    """Whether it is what keyadmin makes in the place of the leaked key: somebody may have restricted or opened it since."""
    migrated = new.key.key_type == "auth" and leaked.key.key_type == "standard"
    return new.key.restrictions == leaked.key.restrictions and (migrated or new.key.key_type == leaked.key.key_type)


def _gone(lineage: Lineage, leaked: Member) -> Decision:
    if lineage.newest is leaked:
        return Decision(Action.REST, f"{leaked.key.key_id} is deleted, and nothing replaces it")
    if lineage.newest.state is State.GRACE and not live_older(lineage):
        return Decision(Action.RETIRE, f"{leaked.key.key_id} is deleted")
    if lineage.newest.state in (State.GRACE, State.RETIRED):
        return Decision(Action.REST, f"{leaked.key.key_id} is deleted")
    return Decision(Action.PUBLISH, f"generation {lineage.newest.generation} is made and not yet handed over")


def _grace(leaked: Member, after: list[Member], terms: RotationTerms, now: datetime) -> Decision:
    grace = timedelta() if terms.emergency else terms.grace
    made = [member.key.create_time for member in after if member.key.create_time is not None]
    ends = min(made, default=now) + grace
    if grace and now < ends:
        why = f"{leaked.key.key_id} still works until {ends:%Y-%m-%d %H:%M} UTC"
        return Decision(Action.WAIT, why, until=ends, beside=f"the grace period of {leaked.key.key_id} is not over")
    return Decision(Action.RETIRE, "the grace period is over" if grace else "there is no grace period")
