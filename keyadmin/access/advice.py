"""What to do about a cause, with the names that are known put in: what keyadmin's errors and `explain` end with."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.classify import Classification, ErrorFacts, classify
from keyadmin.model.causes.entry import Step
from keyadmin.model.causes.rules import ACT_AS
from keyadmin.model.causes.table import entry
from keyadmin.model.command_line import complete
from keyadmin.model.name_forms import name
from keyadmin.model.problem import Problem
from keyadmin.model.secret import redact

_ACT_AS_USER: Final = "iam.serviceaccounts.actas"
# Forms of a refusal that name no permission and need none named.
_OF_WORDS: Final = frozenset(
    {
        "registry",
        "act-as-user",
        "pubsub",
        "cloudsql",
        "fcm",
        "image",
        "invoker",
        "named-role",
        "gemini",
        "act-as",
        "agent",
        "external",
        "billing-account",
        "studio",
        "deploy",
        "nodes",
        "build-account",
    }
)
_KEYS_API: Final = "apikeys.googleapis.com"


def fix_lines(found: Classification, *, feature: str | None = None, unnamed: bool = False) -> tuple[str, ...]:
    """The steps for a cause; PROJECT, SERVICE, PERMISSION ... stand for names that are not known.

    `feature` = which of access/permissions.py the person was about, where that is known. `unnamed` = the error is somebody's,
    not
    of a command of keyadmin, so that a permission that is not named may be any.
    """
    known = entry(found.cause)
    names: dict[str, str | None] = {
        # the project of such an error is the one that was charged, wrongly
        "project": None if found.cause is Cause.QUOTA_PROJECT_NOT_SET else found.project,
        "service": found.service,
        "permission": found.permission,
        "constraint": found.constraint,
        **found.filling,
    }
    if found.cause is Cause.MISSING_IAM_PERMISSION:
        unknown = unnamed and found.permission is None
        if found.role is not None and (role := _role(found)):
            names["role"] = role
        if unknown and found.variant in _OF_WORDS:
            return _to(found.member, filled(known.variants[found.variant].steps, names))
        if unnamed and (found.permission or "").lower() == _ACT_AS_USER:
            return _to(found.member, filled(known.variants["act-as-user"].steps, names))
        anybodys = unknown and (
            found.service not in (None, _KEYS_API) or (found.variant == "unnamed" and found.service is None)
        )
        return _to(found.member, _of_a_permission(found, names, feature, anybodys=anybodys))
    variant = known.variants.get(found.variant or "")
    return _of_the_caller(found, filled(variant.steps if variant is not None else known.steps, names))


def _of_the_caller(found: Classification, lines: tuple[str, ...]) -> tuple[str, ...]:
    """The address, site or app that was shut out, where the text names it."""

    def let_in(step: re.Match[str]) -> str:
        value = found.callers.get(step[1])
        return step[0] if value is None else f"{step[1]} {shlex.quote(value)}"

    return tuple(_CALLER.sub(let_in, line) for line in lines)


_CALLER: Final = re.compile(
    r"(--add-ips|--add-referrers|--add-android|--add-ios) (?:ADDRESS|SITE|PACKAGE=SHA1|BUNDLE_ID)(?![\w=])"
)


def _role(found: Classification) -> str | None:
    """The role that the text names, where there is one of that name or title."""
    from keyadmin.access import shortform  # reads the role data, which only a refusal needs

    return shortform.role_named(found.role or "")


def _to(member: str | None, lines: tuple[str, ...]) -> tuple[str, ...]:
    """Grants to whom the text names, where it names somebody."""
    if member is None or name("member", member) != member:
        return lines
    return tuple(line.replace("user:ADDRESS", member) for line in lines)


def _of_a_permission(
    found: Classification, names: Mapping[str, str | None], feature: str | None, *, anybodys: bool
) -> tuple[str, ...]:
    """doctor where it looks for the permission; else its smallest role; else how to find out which one it is."""
    from keyadmin.access import shortform  # reads the role data, which only a refusal needs

    known = entry(found.cause)
    permission = found.permission
    if (permission or "").lower() == ACT_AS.lower():
        return filled(known.variants["act-as"].steps, names)
    if anybodys:
        return filled(known.variants["unnamed"].steps, names)
    if permission is not None and not shortform.looked_for(permission):
        names_of_things = {"secret": found.secret, "bucket": found.filling.get("bucket")}
        granting = shortform.grant(permission, found.project, named=names.get("role"), member=found.member, **names_of_things)
        if granting:
            return granting
        return filled(known.variants["foreign"].steps, names)
    option = shortform.option(permission, feature)
    steps = (replace(step, command=step.command.replace("doctor PROJECT", f"doctor PROJECT{option}")) for step in known.steps)
    return (*filled(steps, names), *shortform.lines(permission))


def filled(steps: Iterable[Step], names: Mapping[str, str | None]) -> tuple[str, ...]:
    """The steps as lines, with the names put in that have the form of what they name."""
    return tuple(_line(step, names) for step in steps)


def _line(step: Step, names: Mapping[str, str | None]) -> str:
    command = complete(f"`{step.command}`", **names) if step.command else ""
    words = complete(_in_words(step.words, names), **names)
    return f"{command}    # {words}" if command and words else command or words


def _in_words(words: str, names: Mapping[str, str | None]) -> str:
    """Names that stand outside commands: in the addresses of consoles, in sentences."""
    for kind, text in names.items():
        if text is not None:
            words = re.sub(rf"(?<![\w-]){kind.upper()}(?![\w=])", name(kind, text), words)
    return words


def advice(problem: Problem, feature: str | None = None) -> tuple[str, ...]:
    """What to type next: the problem's own words, else the table's for its cause. `feature` as in `fix_lines`."""
    if problem.fix:
        return problem.fix
    found = Classification(
        problem.cause,
        problem.permission,
        problem.service,
        problem.project,
        problem.variant,
        constraint=problem.constraint,
    )
    return fix_lines(found, feature=feature)


def problem_from(facts: ErrorFacts) -> Problem:
    """The Problem to raise for an error, classified and with what to do. Key strings in the message are masked."""
    found = classify(facts)
    return Problem(
        found.cause,
        redact(facts.message) or entry(found.cause).title,
        status=facts.status,
        permission=found.permission,
        service=found.service,
        project=found.project,
        fix=fix_lines(found),
        variant=found.variant,
        constraint=found.constraint,
    )
