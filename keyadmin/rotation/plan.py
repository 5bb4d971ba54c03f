"""What a run would do with each lineage, and what is shown of it: the plan, before a run and after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from keyadmin.handover.registry import fingerprint
from keyadmin.model.command_line import typed
from keyadmin.model.key_codec import format_time
from keyadmin.model.lineage import State
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import redact
from keyadmin.rotation.decide import Action, Decision, RotationTerms, decide, in_vain
from keyadmin.rotation.find import Chosen
from keyadmin.rotation.job import Outcome
from keyadmin.rotation.policy import NO_RULE


@dataclass(frozen=True)
class Planned:
    """A lineage and what a run would do with it. `here` = this machine may hand over to its sinks."""

    chosen: Chosen
    terms: RotationTerms
    decision: Decision
    here: bool = True
    failed: bool = False
    """Whether the run that just ended failed with it."""
    unknown: str = ""
    """What a dry run could not find out: whether constraints that may not be read refuse the successor."""

    @property
    def due(self) -> bool:
        """Whether a run on this machine would have something to do or to say about it."""
        return self.here and self.due_anywhere

    @property
    def due_anywhere(self) -> bool:
        """The same of a run on the machine that has its sinks."""
        return self.decision.action not in (Action.REST, Action.GONE)

    @property
    def resting(self) -> bool:
        """Whether it is left alone because its key says that it was rolled back to, which may be forged."""
        return self.decision.action is Action.REST and self.chosen.lineage.resting

    @property
    def in_vain(self) -> bool:
        """Whether its successor would be rejected by the Gemini API, being of a type that it takes no more."""
        return in_vain(self.chosen.lineage.newest.key) and not self.terms.migrate

    @property
    def published(self) -> bool:
        """Whether a page or an app bears the key that is to be replaced: no sink puts the new one there."""
        return self.decision.action is Action.CREATE and self.chosen.lineage.newest.key.public

    @property
    def other_sinks(self) -> bool:
        """Whether a key is to be replaced that other sinks have than will have the new one: they keep it."""
        newest, mark = self.chosen.lineage.newest, fingerprint(self.chosen.specs)
        return bool(self.decision.action is Action.CREATE and newest.sinks and mark and newest.sinks != mark)

    @property
    def state(self) -> State:
        """The state to show: stuck where it was tampered with or the last run stopped, else what the newest key says."""
        newest = self.chosen.lineage.newest
        if self.failed or self.decision.action is Action.STUCK or (newest.cause and self.due_anywhere):
            return State.STUCK
        return State.RETIRED if newest.generation == 1 else newest.state or State.RETIRED

    @property
    def state_words(self) -> str:
        """The same for people: what works, and until when."""
        if self.state is State.STUCK:
            return "stuck"
        if self.decision.action in (Action.WAIT, Action.RETIRE):
            return old_key_works(self.decision)
        return "verifying" if self.decision.action is Action.PUBLISH else "in use"

    @property
    def sinks_words(self) -> list[str] | str:
        """Where its keys are handed to: a policy says so, and a key only whether it was the same places."""
        unknown = replace(self.chosen.rule, grace=NO_RULE.grace) == NO_RULE
        return "unknown (no policy names them)" if unknown else [spec.text for spec in self.chosen.specs] or "none"

    def to_json(self) -> dict[str, Any]:
        """One row of `rotation plan` and `rotation status`."""
        lineage, newest = self.chosen.lineage, self.chosen.lineage.newest
        out: dict[str, Any] = {
            "project": lineage.project,
            "lineage": lineage.id,
            "generation": newest.generation,
            "key": newest.key.name,
            "displayName": newest.key.display_name,
            "keyType": newest.key.key_type,
            "rule": self.chosen.rule.name,
            "state": self.state.value,
            "stateText": self.state_words,
            "action": self.decision.action.value,
            "why": self.why,
            "sinks": [spec.text for spec in self.chosen.specs],
        }
        if not self.here:
            out["machine"] = self.chosen.rule.machine
        if self.state is State.STUCK and newest.cause:
            out["cause"] = newest.cause
        if self.decision.until is not None:
            out["until"] = format_time(self.decision.until)
        if self.unknown:
            out["unknown"] = [redact(self.unknown)]
        if self.ways_out:
            out["fix"] = list(self.ways_out)
        return out

    @property
    def ways_out(self) -> tuple[str, ...]:
        """What to type where it is stuck, or waits longer than it should."""
        newest = self.chosen.lineage.newest
        if self.state is not State.STUCK or not newest.cause or self.decision.action is Action.STUCK:
            return self.decision.ways_out
        project, ways = self.chosen.lineage.project, self.decision.ways_out
        if newest.cause == Cause.MISSING_IAM_PERMISSION:
            needed = typed("doctor", project, for_="migrate" if self.terms.migrate else "rotate")
            ways += (f"see what is missing: {needed}",)
        again = typed("rotation run", only=newest.key.key_id, policy=self.chosen.rule.policy)
        return (*ways, f"try again, and see the whole message: {again}")

    @property
    def problem(self) -> Problem | None:
        """What it is stuck with; None = it is not."""
        if self.state is not State.STUCK:
            return None
        noted = self.chosen.lineage.newest.cause
        cause = Cause(noted) if noted and self.decision.action is not Action.STUCK else Cause.CONFLICT
        return Problem(cause, self.why, project=self.chosen.lineage.project, fix=self.ways_out)

    @property
    def why(self) -> str:
        """In words."""
        return self._whole(self.decision.why)

    @property
    def why_beside(self) -> str:
        """The same where the state stands beside it: what that says already is not said again."""
        short = self.decision.beside if self.state is not State.STUCK else ""
        return self._whole(short or self.decision.why)

    def _whole(self, said: str) -> str:
        newest = self.chosen.lineage.newest
        if self.state is State.STUCK and newest.cause and self.decision.action is not Action.STUCK:
            known = newest.cause != Cause.UNKNOWN  # of a sink's program, say, only the run itself tells
            said = f"{said}; the last run stopped{f': {newest.cause}' if known else ', for a reason of no known kind'}"
        if self.other_sinks:
            said = f"{said}; its sinks are others than those that have it now, which will keep the old key"
        return said if self.here else f"{said}; its sinks belong to the machine {self.chosen.rule.machine}"


def old_key_works(decision: Decision) -> str:
    """Until when, where that is known: a key that is still used, say, is kept until it is not."""
    until = decision.until if decision.action is Action.WAIT else None
    return f"old key works until {until:%Y-%m-%d %H:%M} UTC" if until is not None else "old key still works"


def plan(chosen: Sequence[Chosen], now: datetime, *, emergency: bool = False) -> list[Planned]:
    """What a run would do, without doing it."""
    out = []
    for one in chosen:
        terms = one.rule.terms()
        if emergency:  # without an age of its own every key is meant; what is under way is not begun again
            terms = replace(terms, emergency=True, force=terms.max_age is None and one.lineage.newest.complete)
        decision = decide(one.lineage, terms, now, fingerprint(one.specs))
        if one.refusal is not None and decision.action is not Action.REST:
            decision = Decision(Action.STUCK, one.refusal.message, ways_out=tuple(one.refusal.fix))
        out.append(Planned(one, terms, decision, one.rule.here))
    return out


def within(planned: Sequence[Planned], limit: int | None) -> list[Planned]:
    """What a run advances: what is due on this machine, and of what is to be begun the `limit` oldest keys."""
    due = [one for one in planned if one.due]
    if limit is None:
        return due
    new = [one for one in due if one.decision.action is Action.CREATE]
    later = set(map(id, sorted(new, key=_age)[limit:]))
    return [one for one in due if id(one) not in later]


def within_anywhere(planned: Sequence[Planned], limit: int | None) -> list[Planned]:
    """The same, what is due on other machines, and what rests because of a claim: nobody is to overlook that."""
    begun = set(map(id, within(planned, limit)))
    return [one for one in planned if id(one) in begun or one.resting or (one.due_anywhere and not one.here)]


def _age(one: Planned) -> datetime:
    return one.chosen.lineage.newest.key.create_time or datetime.max.replace(tzinfo=UTC)


def afterwards(planned: Sequence[Planned], outcomes: Sequence[Outcome], now: datetime) -> list[Planned]:
    """The plan as it stands after a run, without asking again."""
    out = []
    ended = {(one.lineage.project, one.lineage.id): one for one in outcomes}
    for one in planned:
        outcome = ended.get((one.chosen.lineage.project, one.chosen.lineage.id))
        if outcome is not None:
            chosen = replace(one.chosen, lineage=outcome.lineage)
            decision = decide(outcome.lineage, replace(one.terms, force=False), now, fingerprint(chosen.specs))
            one = Planned(chosen, one.terms, decision, one.here, failed=outcome.problem is not None)
        out.append(one)
    return out
