"""The rules in words: what each says of a key, why that matters, how to mend it, and where that is said (contract 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from keyadmin.audit.model import Severity
from keyadmin.model.problem import usage

Need = Literal["gemini", "usage"]

_GEMINI: Final = "https://ai.google.dev/gemini-api/docs/api-key"
_KEYS: Final = "https://cloud.google.com/docs/authentication/api-keys"
_PRACTICE: Final = "https://cloud.google.com/docs/authentication/api-keys-best-practices"


@dataclass(frozen=True, slots=True)
class AuditRule:
    """One rule. `severity` = the worst that it finds; `needs` = what has to be asked for it beside the keys."""

    id: str
    severity: Severity
    title: str
    help: str
    mend: str
    source: str
    needs: frozenset[Need] = frozenset()


RULES: Final[dict[str, AuditRule]] = {
    rule.id: rule
    for rule in (
        AuditRule(
            "gemini-exposed-key",
            Severity.HIGH,
            "Any API can be called with the key, and Gemini is one of them",
            "The key has no API restriction, and the Generative Language API is on in its project. A key that was made "
            "for a map on a website, and is public for that reason, then opens Gemini: the project's bill, its uploaded "
            "files, its cached prompts (Truffle Security, February 2026: Google API keys weren't secrets, but then Gemini"
            " changed the rules). It makes no difference that the Gemini API refuses unrestricted standard keys today: "
            "restricted later, or of another type, the key is let in again. CIS Google Cloud Foundation Benchmark 1.14.",
            "Restrict the key to the APIs that it is used for (keyadmin keys usage KEY says which). Where it is used for "
            "Gemini, give Gemini a key of its own. Keep Gemini in a project without public keys.",
            _GEMINI,
            frozenset({"gemini"}),
        ),
        AuditRule(
            "unrestricted-key",
            Severity.MEDIUM,
            "Any API of the project can be called with the key",
            "The key has no API restriction. Whatever API somebody turns on in the project, Gemini included, is open to "
            "whoever has the key. CIS Google Cloud Foundation Benchmark 1.14.",
            "Restrict the key to the APIs that it is used for (keyadmin keys usage KEY says which).",
            _PRACTICE,
            frozenset({"gemini"}),
        ),
        AuditRule(
            "standard-key",
            Severity.HIGH,
            "A standard key, not bound to a service account",
            "A standard key only names a project. Since September 2026 the Gemini API refuses all of them, so one that is"
            " meant for Gemini no longer works (high). For other APIs it works, but the service cannot tell who calls "
            "(low).",
            "Migrate what calls Gemini: keyadmin keys migrate KEY makes an auth key with the same restrictions, hands it "
            "over, and retires the old one. Keep other standard keys restricted to their API and their clients.",
            _GEMINI,
            frozenset({"gemini"}),
        ),
        AuditRule(
            "mixed-targets",
            Severity.MEDIUM,
            "One key for Gemini and for other APIs",
            "Who has the key for one of its APIs can call the others too: a key in a web page for its map pays for "
            "Gemini. AI Studio does not show such keys, and the organisation policy on binding keys lets through keys for"
            " Gemini alone.",
            "Give Gemini a key of its own, and restrict this one to the rest. keyadmin keys migrate splits a standard key so.",
            _PRACTICE,
        ),
        AuditRule(
            "open-client-restriction",
            Severity.MEDIUM,
            "A client restriction that restricts nobody",
            "The key is restricted to addresses or web sites, but the list lets everybody in: 0.0.0.0/0, ::/0, networks "
            "that add up to all addresses, or the referrer *. It looks restricted in every list. CIS Google Cloud "
            "Foundation Benchmark 1.13.",
            "Name the addresses, sites or apps that use the key.",
            _PRACTICE,
        ),
        AuditRule(
            "key-too-old",
            Severity.MEDIUM,
            "A key older than the longest age allowed",
            "A key never expires, and every copy ever made of it works as long as it does. Replacing keys in time bounds "
            "what a lost copy is worth. The age allowed is 90 days unless --max-age says otherwise. CIS Google Cloud "
            "Foundation Benchmark 1.15.",
            "Rotate it: keyadmin keys rotate KEY --to SINK, or a policy with keyadmin rotation init.",
            _PRACTICE,
        ),
        AuditRule(
            "rotation-stuck",
            Severity.HIGH,
            "A rotation that does not go on",
            "The last run of a rotation stopped with an error, or somebody changed the keys or their annotations by hand "
            "so that keyadmin will not guess how to go on. The old key may still work, and the new one may not be where "
            "it is needed. Annotations count only where the key's id agrees with them.",
            "keyadmin rotation status says why. Mend the cause and run the rotation again, or take the way out that the "
            "finding names.",
            _PRACTICE,
        ),
        AuditRule(
            "rotation-overdue",
            Severity.MEDIUM,
            "A rotation that should be further by now",
            "keyadmin rotates this key, but its newest generation is over the longest age allowed, or a successor was "
            "made more than 7 days ago and the rotation is not complete: the old key still works. The schedule does not "
            "run, or runs without this key.",
            "See that the schedule runs: keyadmin rotation plan, then keyadmin rotation run.",
            _PRACTICE,
        ),
        AuditRule(
            "unused-key",
            Severity.LOW,
            "A key that nobody has used for 30 days",
            "No call was made with the key in the last 30 days, as far as Cloud Monitoring tells. It is of use to those "
            "who should not have it alone. Found only where the use of keys can be read (monitoring.timeSeries.list). CIS"
            " Google Cloud Foundation Benchmark 1.12.",
            "Delete it; for 30 days keyadmin keys undelete brings it back.",
            _PRACTICE,
            frozenset({"usage"}),
        ),
        AuditRule(
            "no-client-restriction",
            Severity.LOW,
            "A key that works from anywhere",
            "The key may be used from every address, site and app: a copy of it works wherever it turns up. CIS Google "
            "Cloud Foundation Benchmark 1.13.",
            "Restrict it to the addresses, web sites or apps that use it, where they are known.",
            _PRACTICE,
        ),
        AuditRule(
            "too-many-keys",
            Severity.LOW,
            "A project near the limit of 300 keys",
            "The project has more than 240 of at most 300 keys. At the limit no key can be made, and a rotation cannot "
            "make the successor that it needs.",
            "Delete keys that nobody uses, or make new ones in another project.",
            _KEYS,
        ),
        AuditRule(
            "deleted-key-recoverable",
            Severity.INFO,
            "A deleted key that can be brought back",
            "The key was deleted in the last 30 days. Until it is purged, whoever may undelete keys can make it work "
            "again; so can you, if it was deleted by mistake.",
            "Nothing, where it was meant. A leaked key is to be looked at again after it is purged.",
            _KEYS,
        ),
        AuditRule(
            "undisplayable-key",
            Severity.INFO,
            "A key that AI Studio does not show",
            "AI Studio's page shows at most 100 keys, and only those with no API restriction or restricted to the "
            "Generative Language API alone. Who looks there takes the list for the whole.",
            "keyadmin keys list --all shows every key.",
            _GEMINI,
        ),
    )
}


def chosen(names: list[str] | None) -> tuple[AuditRule, ...]:
    """The rules of these ids in the order of the list, or all of them. Raises usage() for an unknown one."""
    if not names:
        return tuple(RULES.values())
    for name in names:
        if name not in RULES:
            from difflib import get_close_matches

            near = get_close_matches(name, RULES, 1, 0.6)
            hint = f"did you mean {near[0]}?" if near else f"use one of: {', '.join(RULES)}"
            raise usage(f"--rule: there is no rule {name!r}", hint)
    return tuple(rule for rule in RULES.values() if rule.id in names)
