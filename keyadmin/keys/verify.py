"""Does a key work for the Gemini API, from here, now? Yes, or the cause."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from keyadmin.access.advice import advice
from keyadmin.keys.present import Verification
from keyadmin.keys.retry_until import retry_until
from keyadmin.model.causes.table import entry
from keyadmin.model.command_line import typed
from keyadmin.model.key import GEMINI, Key, Restrictions
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Cause, Exit, Problem
from keyadmin.model.secret import KeyString, KeyType

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

PROPAGATION_S: Final = 300.0  # "changes take up to five minutes" (API Keys documentation)


@dataclass(frozen=True)
class Verdict:
    """What the Gemini API said of a key. `problem` = why it was turned down or could not be asked, None = it works."""

    key_string: KeyString
    problem: Problem | None
    key: Key | None = None  # where it was named, not given as a string

    @property
    def ok(self) -> bool:
        """Whether the key works."""
        return self.problem is None

    @property
    def elsewhere(self) -> bool:
        """Whether the key is alive and for other APIs: nothing failed, the answer is that it is not for the Gemini API."""
        if self.problem is None:
            return False
        if self.key is None:
            return self.problem.cause is Cause.API_KEY_SERVICE_BLOCKED
        return self.key.delete_time is None and _as_restricted(self.problem, self.key)

    @property
    def text(self) -> str:
        """What came of it, where it works or is for other APIs."""
        if not self.elsewhere:
            return f"{self.label} works for the Gemini API."
        if self.key is None:
            why = "its API restrictions leave out the Gemini API, or its method that lists models"
        else:
            why = f"it is restricted to {', '.join(sorted(self.key.restrictions.services))}"
        return f"{self.label} is alive, but not for the Gemini API: {why}."

    @property
    def label(self) -> str:
        """The key in words: its id where it was named, else the masked string."""
        return f"Key {self.key.key_id} ({self.key_string.masked})" if self.key else f"Key {self.key_string.masked}"

    def to_json(self, *, sandbox: bool) -> dict[str, Any]:
        """`{"verification": "ok"|"failed"|"unknown", "maskedKey", "name"?, "project"?, "cause"?, "message"?, "fix"?}`."""
        out: dict[str, Any] = {"verification": verification_of(self.problem), "maskedKey": self.key_string.masked}
        if self.key is not None:
            out |= {"name": self.key.name, "project": self.key.project}
        if self.problem is not None:
            out |= {"cause": self.problem.cause.value, "message": self.problem.message}
        if sandbox:
            out["sandbox"] = True
        return out


_NOT_MEANT: Final = "the key is not meant for the Gemini API; its own APIs are not checked here"


def rejected(problem: Problem) -> bool:
    """Whether the key was turned down, as opposed to nobody answering."""
    return not entry(problem.cause).unanswered


def verification_of(problem: Problem | None) -> Verification:
    """The verdict in one word: `unknown` where the Gemini API could not be asked, which says nothing of the key."""
    if problem is None:
        return "ok"
    return "failed" if rejected(problem) else "unknown"


def as_found(problem: Problem) -> Problem:
    """The same Problem with exit code 3 where it is a finding about the key."""
    if problem.exit_code is None and rejected(problem):
        problem.exit_code = Exit.FOUND
    return problem


def named(problem: Problem, key: Key) -> Problem:
    """The same with the key's id and its project's in what to type next, where the service knew neither."""
    number, problem.project = problem.project, key.project or problem.project
    if _as_restricted(problem, key):
        alive = "alive, but not" if key.delete_time is None else "deleted, and not"
        services = ", ".join(sorted(key.restrictions.services))
        problem.message = f"key {key.key_id} is {alive} for the Gemini API: it is restricted to {services}"
        own = typed("keys create", name="NAME", project=key.project)
        problem.fix = (
            f"nothing, if {_NOT_MEANT}",
            f"for the Gemini API make a key of its own: {own}",
        )
        return problem
    steps = advice(problem)
    if number and problem.project:
        steps = tuple(re.sub(rf"\b{re.escape(number)}\b", problem.project, step) for step in steps)
    problem.fix = tuple(re.sub(r"\bKEY\b", key.key_id, step) for step in steps)
    return problem


def _of_string(problem: Problem) -> Problem:
    """The same of a string of which nothing else is known: it may well be a key for other APIs, and healthy."""
    if problem.cause is Cause.API_KEY_SERVICE_BLOCKED:
        problem.fix = (f"nothing, if {_NOT_MEANT}", *(problem.fix or advice(problem)))
    return problem


def _as_restricted(problem: Problem, key: Key) -> bool:
    """Whether it is turned down because the Gemini API is not among its targets, which waiting does not mend."""
    by_key = problem.cause in (Cause.API_KEY_SERVICE_BLOCKED, Cause.STANDARD_KEY_REJECTED)
    return by_key and key.restricted == "other"


async def until_accepted(
    cloud: Cloud,
    key_string: KeyString,
    observer: Observer,
    limit_s: float = PROPAGATION_S,
    key: Key | None = None,
    *,
    lasting: Collection[Cause] = (),
) -> Problem | None:
    """Checks until the key works or `limit_s` seconds have passed; the last Problem, None = the key works.

    What time does not mend (leaked, expired, wrong region, ...; and what is `lasting`) ends it at once. `key` = whose string
    it is, where known.
    """
    try:
        await retry_until(
            lambda: cloud.gemini.check(key_string),
            worth_it=lambda problem: (
                problem.exit_code is None
                and entry(problem.cause).spreading
                and problem.cause not in lasting
                and not (key is not None and _as_restricted(problem, key))
            ),
            limit_s=limit_s,
            text="Waiting until the key is known everywhere",
            observer=observer,
        )
    except Problem as problem:
        return as_found(named(problem, key) if key is not None else _of_string(problem))
    return None


def why_not_checked(key_type: KeyType, restrictions: Restrictions) -> str | None:
    """Why a check from here would say nothing of a new key; None = it can be checked."""
    if key_type == "standard":
        return "the Gemini API rejects standard keys"
    if restrictions.restricted == "other":
        return "the key is not for the Gemini API"
    if restrictions.client_kind is not None:
        return "the key is restricted to clients, and this machine may not be one of them"
    if any(target.service == GEMINI and target.methods for target in restrictions.targets):
        return "the key is restricted to certain methods of the Gemini API"
    return None
