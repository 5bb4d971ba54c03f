"""The table of all causes, and what is looked up in it: by cause, by reason, by code, by wording."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entries import (
    billing,
    clients,
    credentials,
    gemini,
    general,
    key_restrictions,
    keys,
    network,
    permissions,
    policies,
    projects,
    quotas,
    requests,
    services,
    sign_in,
    tokens,
    workload,
)
from keyadmin.model.causes.entry import CauseEntry, Pattern

ENTRIES: Final[Mapping[Cause, CauseEntry]] = {
    each.cause: each
    for subject in (
        *(permissions, services, billing, projects, policies, keys, key_restrictions, credentials, tokens, workload, sign_in),
        *(quotas, gemini, network, requests, general),
    )
    for each in subject.ENTRIES
}


def entry(cause: Cause) -> CauseEntry:
    """What is known of a cause. Every cause has an entry."""
    return ENTRIES[cause]


@cache
def by_reason() -> Mapping[str, Cause]:
    """`reason` of a google.rpc.ErrorInfo, in capitals -> cause."""
    return {reason: each.cause for each in ENTRIES.values() for reason in each.reasons}


@cache
def by_legacy_reason() -> Mapping[str, Cause]:
    """`errors[].reason` of older APIs -> cause."""
    return {reason: each.cause for each in ENTRIES.values() for reason in each.legacy}


@cache
def by_code() -> Mapping[str, Cause]:
    """Codes in words: OAuth's `error` and `error_subtype`, the Interactions API's, Firebase's `auth/...` -> cause."""
    return {code: each.cause for each in ENTRIES.values() for code in each.codes}


@cache
def patterns() -> tuple[tuple[Pattern, Cause], ...]:
    """All wordings, those that say most first."""
    found = [(pattern, each.cause) for each in ENTRIES.values() for pattern in (*each.patterns, *clients.WORDS[each.cause])]
    return tuple(sorted(found, key=lambda item: item[0].rank))
