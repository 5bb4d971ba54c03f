"""From what is known of a key with findings to the one change that repairs it, or why there is none. Pure; asks nobody."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from keyadmin.audit.commands import command
from keyadmin.audit.fix.change import (
    UNUSED_FOR,
    YOUNGEST,
    Evidence,
    FixChange,
    FixKind,
    LeftAlone,
    LeftReason,
    fingerprint,
    without_gemini,
)
from keyadmin.audit.fix.narrower import wider
from keyadmin.audit.model import Finding, Severity
from keyadmin.cloud.usage import KEPT, KeyUsage
from keyadmin.keys.resolve import unread
from keyadmin.keys.restriction_edit import replaced
from keyadmin.model.key import GEMINI, ApiTarget, Key, Restrictions
from keyadmin.model.key_codec import restrictions_to_json
from keyadmin.model.lineage import HIGHEST, STATE, parse_successor
from keyadmin.model.problem import Problem
from keyadmin.model.secret import holds_key, redact

_UNDER_WAY: Final = frozenset({"creating", "verifying", "publishing", "grace", "stuck"})
_PUBLISH: Final = "it should be replaced: publish the page or the app that bears it with a new key"
_STANDARD: Final = "a standard key for Gemini"
_MIGRATED: Final = f"{_STANDARD}, and the policy has sinks for it"
_ROTATED: Final = "too old, and the policy has sinks for it"
_NO_UID: Final = "apikeys.keys.get, which shows its uid, is missing"
_CLIENTS: Final = frozenset({"no-client-restriction", "open-client-restriction"})


@dataclass(frozen=True, slots=True)
class FixTerms:
    """What is wanted. `unused_for` = how long a key was not used until it is deleted; `window` = the use that is read."""

    unused_for: timedelta = UNUSED_FOR
    window: timedelta = KEPT


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """A key with findings, the worst first. `uses` = by method and status in the window, or why they are unknown.

    `clients` = whom a person named for it; `rotations` = what the policy's rule with sinks would do with it; `named` = it was
    named by hand; `enabled` = the APIs that are on, where they were asked for.
    """

    key: Key
    findings: tuple[Finding, ...]
    uses: tuple[KeyUsage, ...] | Problem
    now: datetime
    clients: Restrictions | None = None
    rotations: frozenset[FixKind] = frozenset()
    named: bool = False
    owner: tuple[str, ...] | None = None
    enabled: tuple[str, ...] | None = None

    @property
    def rules(self) -> frozenset[str]:
        """The rules that found something."""
        return frozenset(finding.rule for finding in self.findings)

    @property
    def severity(self) -> Severity:
        """The worst."""
        return max((finding.severity for finding in self.findings), default=Severity.INFO)

    @property
    def age(self) -> timedelta | None:
        """Since it was made; None = unknown."""
        return None if self.key.create_time is None else self.now - self.key.create_time


def evidence_of(key: Key, uses: Iterable[KeyUsage], window: timedelta) -> Evidence:
    """The use of one key: checks of keys are none, refused calls keep a key from being called unused."""
    mine = [use for use in uses if use.uid == key.uid and not use.is_check]
    calls: dict[str, int] = {}
    for use in mine:
        if not use.refused:
            calls[use.service] = calls.get(use.service, 0) + use.calls
    refused = sum(use.calls for use in mine if use.refused)
    return Evidence(window, calls, refused, max((use.last for use in mine), default=None))


def decide(facts: KeyFacts, terms: FixTerms) -> tuple[FixChange | LeftAlone, ...]:
    """What repairs a key: it is contained, or deleted, and, in a later wave, replaced; or why it is left alone."""
    if _under_way(facts):
        return (_left(facts, "rotation", "a rotation of it is under way, which goes first", "rotation status"),)
    if holds_key(json.dumps(restrictions_to_json(facts.key.restrictions))):
        return (_left(facts, "other", "its restrictions contain a key string, which must not be in any file"),)
    known = not isinstance(facts.uses, Problem) and not unread(facts.key)
    evidence = evidence_of(facts.key, facts.uses, terms.window) if known and not isinstance(facts.uses, Problem) else None
    young = known and not facts.named and (facts.age is None or facts.age < YOUNGEST)
    first = None if young else _by_hand(facts) if evidence is None else _by_use(facts, evidence, terms)
    first = first or _for_clients(facts, evidence)
    if first is not None and first.kind == "delete":
        return (first,)
    then = _replaced(facts, facts.key.restrictions if first is None else first.after, evidence, young=young)
    made = tuple(each for each in (first, then) if each is not None)
    if not made:
        return (_nothing(facts, evidence, terms, young=young),)
    return made if then is not None else (*made, *_still(facts, made[0]))


def _under_way(facts: KeyFacts) -> bool:
    marks = facts.key.annotations
    own = parse_successor(facts.key.key_id)
    generation = own[1] if own else 1
    highest = marks.get(HIGHEST, "")
    replaced_already = highest.isascii() and highest.isdigit() and int(highest) > generation
    return marks.get(STATE) in _UNDER_WAY or replaced_already or "rotation-stuck" in facts.rules


def _by_hand(facts: KeyFacts) -> FixChange | None:
    """A key of unknown use: nothing is narrowed unless it was named by hand."""
    if not facts.named:
        return None
    if facts.key.restricted == "mixed":
        after = without_gemini(facts.key.restrictions)
        return _narrowed(facts, "remove-gemini", after, "named explicitly; its use is unknown", None)
    others = tuple(service for service in facts.enabled or () if service != GEMINI)
    if facts.key.restricted == "none" and others:
        why = "named explicitly; its use is unknown, so it keeps every API that is on but Gemini"
        return _narrowed(facts, "remove-gemini", _targets(facts.key, others), why, None)
    return None


def _by_use(facts: KeyFacts, evidence: Evidence, terms: FixTerms) -> FixChange | None:
    """Deleted where nobody uses it, else contained to what it is used for."""
    return _unused(facts, evidence, terms) or _without_gemini(facts, evidence) or _to_used(facts, evidence)


def _unused(facts: KeyFacts, evidence: Evidence, terms: FixTerms) -> FixChange | None:
    """Deleted where it is old enough and no call is known: Monitoring keeps six weeks, before that nobody knows."""
    limit = facts.now - terms.unused_for
    if facts.age is None or facts.age < terms.unused_for or (evidence.last is not None and evidence.last >= limit):
        return None
    if not facts.rules - {"deleted-key-recoverable"}:
        return None
    days = min(terms.unused_for, terms.window).days
    why = f"not used in {days} d, and made {facts.age.days} d ago"
    if terms.unused_for > terms.window:
        why += " (Cloud Monitoring keeps no more)"
    return _change(facts, "delete", None, why, evidence)


def _without_gemini(facts: KeyFacts, evidence: Evidence) -> FixChange | None:
    """Gemini taken away where it is not used."""
    key = facts.key
    if key.restricted == "mixed" and GEMINI not in evidence.calls:
        return _narrowed(facts, "remove-gemini", without_gemini(key.restrictions), "not used for Gemini", evidence)
    return None


def _to_used(facts: KeyFacts, evidence: Evidence) -> FixChange | None:
    """To the APIs with answered calls, cut down to what the present targets allow."""
    key, used = facts.key, sorted(evidence.calls)
    if key.restrictions.services:
        used = [service for service in used if service in key.restrictions.services]
        beyond = facts.rules & {"unused-target", "mixed-targets"}
        if not used or not beyond or len(used) == len(key.restrictions.services):
            return None
    if not used:
        return None
    return _narrowed(facts, "restrict-apis", _targets(key, used), f"used for {', '.join(used)} alone", evidence)


def _replaced(facts: KeyFacts, contained: Restrictions | None, evidence: Evidence | None, *, young: bool) -> FixChange | None:
    """What follows: a standard key for Gemini is migrated, an old key rotated. `contained` = as it is restricted then."""
    key = facts.key if contained is None else replace(facts.key, restrictions=contained)
    for_gemini = key.key_type == "standard" and key.restricted in ("gemini", "mixed")
    if for_gemini and "migrate" in facts.rotations and not young:
        return replace(_change(facts, "migrate", None, _MIGRATED, evidence), before=key.restrictions)
    may = key.key_type == "auth" or key.restricted == "other"  # another standard key is not made anew, but contained
    wanted = {"rotation-overdue"} if key.public else {"key-too-old", "rotation-overdue"}  # no sink takes a page's or an app's
    if may and "rotate" in facts.rotations and facts.rules & wanted:
        return replace(_change(facts, "rotate", None, _ROTATED, evidence), before=key.restrictions)
    return None


def _still(facts: KeyFacts, first: FixChange) -> tuple[LeftAlone, ...]:
    """What stays to be done about a key that is contained: it is named, as no change of the plan does it."""
    if first.after is None:
        return ()
    key = replace(facts.key, restrictions=first.after)
    if key.key_type != "standard" or key.restricted not in ("gemini", "mixed"):
        return ()
    why = "restricted by this plan, it is still a standard key for Gemini, and no policy says where its successor goes"
    return (_left(facts, "no-sink", why, migrate=True),)


def _for_clients(facts: KeyFacts, evidence: Evidence | None) -> FixChange | None:
    """To the addresses, sites or apps that a person wrote down."""
    if facts.clients is None:
        return None
    after = replaced(facts.key.restrictions, facts.clients)
    if after == facts.key.restrictions or wider(facts.key.restrictions, after):
        return None
    return _change(facts, "restrict-clients", after, "its clients were named explicitly", evidence)


def _nothing(facts: KeyFacts, evidence: Evidence | None, terms: FixTerms, *, young: bool) -> LeftAlone:
    if evidence is None:
        reason = facts.uses.message if isinstance(facts.uses, Problem) else _NO_UID
        return _left(facts, "use-unknown", f"its use is unknown: {reason}", "keys usage")
    if young:
        return _left(facts, "too-young", "it is younger than 7 d: what it is for may not have been used yet")
    key, days = facts.key, terms.unused_for.days
    if key.key_type == "standard" and key.restricted in ("gemini", "mixed"):
        if evidence.calls:
            return _left(facts, "no-sink", f"{_STANDARD}, and no policy says where its successor goes", migrate=True)
        return _left(facts, "not-unused-for-long", f"{_STANDARD}, not unused for long enough to be deleted")
    if not evidence.calls and facts.severity >= Severity.MEDIUM and key.restricted in ("none", "mixed"):
        why = f"no call of it was answered, and it is not unused for {days} d: nothing says what it is for"
        return _left(facts, "not-unused-for-long", why)
    if facts.rules <= {*_CLIENTS, "standard-key"} and facts.severity < Severity.HIGH:
        return _left(facts, "no-clients", "use does not show its clients; --clients FILE names them")
    if "mixed-targets" in facts.rules:
        return _left(facts, "still-used", "it is used for Gemini and for other APIs: Gemini needs a key of its own")
    if "unused-key" in facts.rules:
        return _left(facts, "not-unused-for-long", f"it is not unused for {days} d")
    if key.public and "key-too-old" in facts.rules:
        return _left(facts, "no-sink", _PUBLISH)
    if not facts.rotations and facts.rules & {"key-too-old", "rotation-overdue"}:
        return _left(facts, "no-sink", "it should be rotated, but no policy says where its successor goes")
    return _left(facts, "other", "no change here repairs it")


def _targets(key: Key, services: Iterable[str]) -> Restrictions:
    """The key's restrictions with these targets, each with the methods that it has now."""
    there = {target.service: target for target in key.restrictions.targets}
    return replace(key.restrictions, targets=tuple(there.get(name) or ApiTarget(name) for name in services))


def _narrowed(facts: KeyFacts, kind: FixKind, after: Restrictions, why: str, evidence: Evidence | None) -> FixChange:
    """With the clients that a person named for the key, where these do not open it."""
    if facts.clients is not None:
        both = replaced(after, facts.clients)
        if not wider(after, both):
            after, why = both, f"{why}; its clients were named explicitly"
    return _change(facts, kind, after, why, evidence)


def _change(facts: KeyFacts, kind: FixKind, after: Restrictions | None, why: str, evidence: Evidence | None) -> FixChange:
    key = facts.key
    return FixChange(
        kind=kind,
        name=key.name,
        project=key.project,
        display_name=redact(key.display_name),
        etag=key.etag,
        fingerprint=fingerprint(key),
        before=key.restrictions,
        after=after,
        why=why,
        severity=facts.severity,
        evidence=evidence,
        owner=None if facts.owner is None else tuple(redact(each) for each in facts.owner),
    )


def _left(facts: KeyFacts, reason: LeftReason, why: str, verb: str = "", *, migrate: bool = False) -> LeftAlone:
    key = facts.key
    said = command(verb, key) if verb else facts.findings[0].fix
    typed = command("keys migrate", key, to="SINK") if migrate else said
    rules = tuple(sorted(facts.rules))
    name = redact(key.display_name)
    return LeftAlone(key.name, key.project, name, facts.severity, rules, reason, redact(why), redact(typed))
