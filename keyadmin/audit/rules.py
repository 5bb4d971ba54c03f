"""The rules: each a function from what is known of one project to what is wrong in it. Nothing here asks anybody anything."""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Final

from keyadmin.audit.catalogue import RULES, AuditRule
from keyadmin.audit.model import RETENTION, UNUSED_AFTER, AuditFacts, Finding, Severity
from keyadmin.keys import ai_studio
from keyadmin.model.key import GEMINI, Key, Restrictions
from keyadmin.model.problem import Cause
from keyadmin.rotation.decide import Action
from keyadmin.rotation.lineage import State

MOST_KEYS: Final = 300  # a project (facts 3)
NEARLY: Final = MOST_KEYS * 8 // 10
OVERDUE: Final = timedelta(days=7)
"""How long a rotation may take, grace included. The policy's grace is not written on the keys; 24 h is the default."""

Check = Callable[[AuditFacts], Iterator[Finding]]
_ANYWHERE: Final = re.compile(r"(?:(?:https?|\*)://)?[*.]*\*[*.]*(?::\*)?(?:/\**)?")


def apply(facts: AuditFacts, rules: Iterable[AuditRule]) -> list[Finding]:
    """What these rules find in a project."""
    return [finding for rule in rules for finding in CHECKS[rule.id](facts)]


def gemini_exposed_key(facts: AuditFacts) -> Iterator[Finding]:
    """Live keys that may call every API, Gemini among them."""
    if facts.gemini:
        for key in open_keys(facts):
            message = (
                f"the key has no API restriction, and the Gemini API is on in {facts.project}: whoever has it can call Gemini"
            )
            yield _of("gemini-exposed-key", facts, key, message, _restrict_apis(facts, key))


def unrestricted_key(facts: AuditFacts) -> Iterator[Finding]:
    """The same where the Gemini API is known to be off."""
    if facts.gemini is False:
        for key in open_keys(facts):
            message = "the key has no API restriction: it opens every API that is turned on in the project"
            yield _of("unrestricted-key", facts, key, message, _restrict_apis(facts, key))


def standard_key(facts: AuditFacts) -> Iterator[Finding]:
    """Live standard keys: high where Gemini is among the targets or the key is exposed, else low."""
    for key in facts.live:
        if key.key_type != "standard":
            continue
        kind = key.restricted
        if kind in ("gemini", "mixed"):
            severity, message = Severity.HIGH, "a standard key meant for the Gemini API, which refuses standard keys"
        elif kind == "none" and facts.gemini:
            severity, message = Severity.HIGH, "a standard key open to the Gemini API, which refuses standard keys"
        else:
            severity, message = Severity.LOW, "a standard key: it names the project, and nobody who calls"
        if kind == "none" and facts.gemini:
            fix = _restrict_apis(facts, key)  # to what it is used for, which need not be Gemini
        else:
            fix = _type("keys migrate", key, "--to SINK") if severity is Severity.HIGH else _type("keys describe", key)
        yield _of("standard-key", facts, key, message, fix, severity)


def mixed_targets(facts: AuditFacts) -> Iterator[Finding]:
    """Live keys for Gemini and other APIs."""
    for key in facts.live:
        if key.restricted == "mixed":
            others = sorted(key.restrictions.services - {GEMINI})
            message = f"one key for the Gemini API and for {', '.join(others)}"
            if key.key_type == "standard":
                fix = _type("keys migrate", key, "--to SINK")
            else:
                fix = _type("keys restrict", key, *(f"--api-target {other}" for other in others))
            yield _of("mixed-targets", facts, key, message, fix)


def open_client_restriction(facts: AuditFacts) -> Iterator[Finding]:
    """Live keys whose list of clients lets everybody in."""
    for key in facts.live:
        if found := lets_everybody_in(key.restrictions):
            option = "--allowed-ips ADDRESS" if key.restrictions.ips is not None else "--allowed-referrers SITE"
            message = f"the client restriction lets everybody in: {found}"
            yield _of("open-client-restriction", facts, key, message, _type("keys restrict", key, option))


def key_too_old(facts: AuditFacts) -> Iterator[Finding]:
    """Live keys over the longest age allowed, by the server's clock."""
    limit = facts.now - facts.max_age
    for key in facts.live:
        if key.create_time is not None and key.create_time < limit:
            message = f"the key is {_days(facts.now - key.create_time)} old; the limit is {_days(facts.max_age)}"
            migrating = key.key_type == "standard" and key.restricted != "other"
            yield _of(
                "key-too-old", facts, key, message, _type(f"keys {'migrate' if migrating else 'rotate'}", key, "--to SINK")
            )


def rotation_stuck(facts: AuditFacts) -> Iterator[Finding]:
    """Lineages whose last run stopped, or that were changed by hand."""
    for lineage, decision in facts.rotations:
        newest = lineage.newest
        if decision.action is Action.STUCK:
            way = decision.ways_out[0].rpartition(": ")[2] if decision.ways_out else _type("rotation adopt", newest.key)
            yield _of("rotation-stuck", facts, newest.key, f"the rotation does not go on: {decision.why}", way)
        elif newest.state is State.STUCK or (newest.cause and decision.action is not Action.REST):
            # The annotation can be written by others: a word of ours is repeated, nothing else.
            cause = f": {newest.cause}" if newest.cause in Cause._value2member_map_ else ""
            message = f"the last run of the rotation stopped{cause}"
            yield _of("rotation-stuck", facts, newest.key, message, _type("keys rotate", newest.key, "--to SINK"))


def rotation_overdue(facts: AuditFacts) -> Iterator[Finding]:
    """Lineages that keyadmin rotates and that should be further: too old, or unfinished for long."""
    for lineage, decision in facts.rotations:
        newest = lineage.newest
        if decision.action in (Action.REST, Action.STUCK) or newest.state is State.STUCK or newest.cause:
            continue  # what is stuck is told as such
        if decision.action is Action.CREATE:
            message = f"keyadmin rotates this key, and no rotation was begun: {decision.why}"
        else:
            since = newest.published or newest.key.create_time
            if since is None or facts.now - since <= OVERDUE:
                continue
            message = f"the rotation began {_days(facts.now - since)} ago and is not complete: {decision.why}"
        yield _of("rotation-overdue", facts, newest.key, message, _type("keys rotate", newest.key, "--to SINK"))


def unused_key(facts: AuditFacts) -> Iterator[Finding]:
    """Live keys, 30 days old or more, without use in 30 days, where use is known."""
    if facts.used is None:
        return
    limit = facts.now - UNUSED_AFTER
    for key in facts.live:
        use = facts.used.get(key.uid)
        last = use.last if use else None
        if key.create_time is not None and key.create_time <= limit and (last is None or last < limit):
            message = "not used in six weeks" if last is None else f"last used {_days(facts.now - last)} ago ({last:%Y-%m-%d})"
            yield _of("unused-key", facts, key, message, _type("keys delete", key))


def no_client_restriction(facts: AuditFacts) -> Iterator[Finding]:
    """Live keys that work from anywhere."""
    for key in facts.live:
        if key.restrictions.client_kind is None:
            message = "no client restriction: the key works from everywhere"
            yield _of("no-client-restriction", facts, key, message, _type("keys restrict", key, "--allowed-ips ADDRESS"))


def too_many_keys(facts: AuditFacts) -> Iterator[Finding]:
    """A project with more than 80 % of the keys it can have."""
    if len(facts.live) > NEARLY:
        message = f"{len(facts.live)} keys of at most {MOST_KEYS}"
        yield _of("too-many-keys", facts, None, message, f"keyadmin keys list --all --usage -p {shlex.quote(facts.project)}")


def deleted_key_recoverable(facts: AuditFacts) -> Iterator[Finding]:
    """Deleted keys that are not purged yet."""
    for key in facts.keys:
        if key.delete_time is not None and facts.now < key.delete_time + RETENTION:
            purged = key.delete_time + RETENTION
            message = f"deleted {key.delete_time:%Y-%m-%d}; it can be brought back until {purged:%Y-%m-%d}"
            yield _of("deleted-key-recoverable", facts, key, message, _type("keys undelete", key))


def undisplayable_key(facts: AuditFacts) -> Iterator[Finding]:
    """Live keys that AI Studio's page leaves out."""
    for key in facts.live:
        if not key.studio_visible:
            what = "other APIs too" if key.restricted == "mixed" else "other APIs"
            yield _of(
                "undisplayable-key", facts, key, f"AI Studio does not show it: it is for {what}", _type("keys describe", key)
            )
    if over := ai_studio.shown(facts.live).over_limit:
        message = f"AI Studio shows {ai_studio.LIMIT} keys: {over} more are for Gemini and are not shown"
        yield _of("undisplayable-key", facts, None, message, f"keyadmin keys list --all -p {shlex.quote(facts.project)}")


CHECKS: Final[dict[str, Check]] = {
    "gemini-exposed-key": gemini_exposed_key,
    "unrestricted-key": unrestricted_key,
    "standard-key": standard_key,
    "mixed-targets": mixed_targets,
    "open-client-restriction": open_client_restriction,
    "key-too-old": key_too_old,
    "rotation-stuck": rotation_stuck,
    "rotation-overdue": rotation_overdue,
    "unused-key": unused_key,
    "no-client-restriction": no_client_restriction,
    "too-many-keys": too_many_keys,
    "deleted-key-recoverable": deleted_key_recoverable,
    "undisplayable-key": undisplayable_key,
}


def open_keys(facts: AuditFacts) -> Iterator[Key]:
    """Live keys with no API restriction, or with all APIs as their target."""
    return (key for key in facts.live if key.restricted == "none")


def lets_everybody_in(restrictions: Restrictions) -> str:
    """The entry of a client restriction that makes it one in name only; empty where there is none."""
    for referrer in restrictions.referrers or ():
        if _ANYWHERE.fullmatch(referrer.strip()):
            return referrer
    networks = [network for text in restrictions.ips or () if "/" in text and (network := _network(text)) is not None]
    for network in networks:
        if network.prefixlen == 0:
            return str(network)
    if len(networks) < 2:
        return ""
    sums: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = [
        *ipaddress.collapse_addresses([each for each in networks if isinstance(each, ipaddress.IPv4Network)]),
        *ipaddress.collapse_addresses([each for each in networks if isinstance(each, ipaddress.IPv6Network)]),
    ]
    return next((f"its networks add up to {each}" for each in sums if each.prefixlen == 0), "")


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def _of(rule: str, facts: AuditFacts, key: Key | None, message: str, fix: str, severity: Severity | None = None) -> Finding:
    return Finding(rule, RULES[rule].severity if severity is None else severity, facts.project, key, message, fix)


def _type(command: str, key: Key, *options: str) -> str:
    """A command about a key, as it is typed."""
    words = ["keyadmin", command, shlex.quote(key.key_id), "-p", shlex.quote(key.project), *options]
    return " ".join(words)


def _restrict_apis(facts: AuditFacts, key: Key) -> str:
    """To what the key is used for, where that is known."""
    use = (facts.used or {}).get(key.uid)
    if use is None:
        return _type("keys restrict", key, "--api-target SERVICE")
    if facts.gemini and key.key_type == "standard" and use.services == {GEMINI}:
        return _type("keys migrate", key, "--to SINK")
    return _type("keys restrict", key, *(f"--api-target {shlex.quote(service)}" for service in sorted(use.services)))


def _days(span: timedelta) -> str:
    """In whole days, as ages are told; shorter ones in hours."""
    if span < timedelta(days=1):
        return f"{span // timedelta(hours=1)} h"
    return "1 day" if span.days == 1 else f"{span.days} days"
