"""What to type about a key with a finding, and how ages are told."""

from __future__ import annotations

import shlex
from datetime import timedelta

from keyadmin.audit.model import AuditFacts
from keyadmin.model.key import GEMINI, Key


def command(verb: str, key: Key, *options: str) -> str:
    """A command about a key, as it is typed."""
    words = ["keyadmin", verb, shlex.quote(key.key_id), "-p", shlex.quote(key.project), *options]
    return " ".join(words)


def restrict_apis(facts: AuditFacts, key: Key) -> str:
    """To what the key is used for, where that is known."""
    use = (facts.used or {}).get(key.uid)
    if use is None:
        return command("keys restrict", key, "--api-target SERVICE")
    if facts.gemini and key.key_type == "standard" and use.services == {GEMINI}:
        return command("keys migrate", key, "--to SINK")
    return command("keys restrict", key, *(f"--api-target {shlex.quote(service)}" for service in sorted(use.services)))


def days(span: timedelta) -> str:
    """In whole days, as ages are told; shorter ones in hours."""
    if span < timedelta(days=1):
        return f"{span // timedelta(hours=1)} h"
    return "1 day" if span.days == 1 else f"{span.days} days"
