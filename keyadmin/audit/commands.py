"""What to type about a key with a finding, and how ages are told."""

from __future__ import annotations

from datetime import timedelta

from keyadmin.audit.model import AuditFacts
from keyadmin.model.command_line import Value, typed
from keyadmin.model.key import Key


def command(verb: str, key: Key, *more: str, **options: Value) -> str:
    """A command about a key, as it is typed: further arguments, and options as in `model.command_line.typed`."""
    return typed(verb, key.key_id, *more, project=key.project, **options)


def about_use(facts: AuditFacts) -> str:
    """What an advice to restrict a key does not rest on, to stand behind the message."""
    return "; what it is used for was not read" if facts.used is None else ""


def days(span: timedelta) -> str:
    """In whole days, as ages are told; shorter ones in hours."""
    if span < timedelta(days=1):
        return f"{span // timedelta(hours=1)} h"
    return "1 day" if span.days == 1 else f"{span.days} days"
