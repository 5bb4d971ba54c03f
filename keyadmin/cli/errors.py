"""How a failure is told: a few lines on stderr, one JSON object with `--format json`, the exit code."""

from __future__ import annotations

import errno
import json
import re
import sys
import traceback
from typing import Any

from keyadmin.cli.printed import complete
from keyadmin.cli.session import Session
from keyadmin.cli.text import clean_json
from keyadmin.model.command_line import typed
from keyadmin.model.leaned_on import WRONG_VALUES
from keyadmin.model.problem import Cause, Declined, Exit, Problem
from keyadmin.model.secret import redact


def in_plain_words(message: str) -> str:
    """A complaint of the command line's parser, without its jargon."""
    for theirs, ours in WRONG_VALUES:
        if re.fullmatch(theirs, message, re.DOTALL):
            return re.sub(theirs, ours, message, flags=re.DOTALL)
    return message


def as_problem(error: BaseException) -> Problem:
    """`error` as a Problem: itself, the first one of a group, a full disk in words, or an unexpected failure."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, BaseExceptionGroup):
        inner = [as_problem(each) for each in error.exceptions]
        return next((each for each in inner if each.cause is not Cause.UNKNOWN), inner[0])
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return Problem(Cause.UNKNOWN, "there is no space left on the disk", fix=("make room and run the command again",))
    words = redact(str(error)).strip().splitlines()
    return Problem(
        Cause.UNKNOWN,
        f"something unexpected went wrong: {type(error).__name__}" + (f": {words[0][:300]}" if words else ""),
        fix=("run the command again with --verbose to see where",),
    )


def report(session: Session, problem: Problem, error: BaseException | None, *, as_json: bool) -> Exit:
    """Say what failed, why, and what to type next; give back the exit code."""
    session.observer.finished()
    if isinstance(problem, Declined):
        session.console.say("Declined; nothing was changed.")
        if as_json:
            say_json(problem, problem.fix)
        return problem.exit
    why, fix = _why_and_fix(session, _with_near(session, problem))
    session.console.error(problem.message, [*why, *problem.notes], fix)
    say_left_behind(session)
    if session.console.verbose and error is not None:
        session.console.say("".join(traceback.format_exception(error)).rstrip())
    if as_json:
        say_json(problem, fix)
    return problem.exit


def told(session: Session, problem: Problem, *, as_json: bool) -> Exit:
    """What to do about an answer that is no failure and is said already; give back the exit code."""
    _, fix = _why_and_fix(session, problem)
    session.console.following(fix)
    if as_json:
        say_json(problem, fix)
    return problem.exit


def say_json(problem: Problem, fix: tuple[str, ...]) -> None:
    """The error object, on one line, to stderr."""
    sys.stderr.write(clean_json(redact(json.dumps({"error": to_json(problem, fix)}, ensure_ascii=False))) + "\n")


def say_left_behind(session: Session) -> None:
    """What an interruption or a failure left half made."""
    for text in session.observer.left_behind:
        session.console.say(f"  Left unfinished: {text}")


def to_json(problem: Problem, fix: tuple[str, ...]) -> dict[str, Any]:
    """The object of contract 1; what is not known is left out."""
    out: dict[str, Any] = {"cause": problem.cause.value, "message": problem.message}
    for name in ("status", "permission", "service", "project"):
        if value := getattr(problem, name):
            out[name] = value
    return out | {"fix": [complete(step) for step in fix]}


def _with_near(session: Session, problem: Problem) -> Problem:
    """ "Did you mean" for a project that is not to be seen, from the ids that were listed before."""
    if problem.cause is not Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS or not problem.project or problem.project.isdigit():
        return problem
    if any(step.startswith("did you mean") for step in problem.fix):
        return problem
    from keyadmin.cli.remember import cache_of
    from keyadmin.projects.find import with_near

    return with_near(problem, problem.project, cache_of(session.settings, session.env).projects())


def _why_and_fix(session: Session, problem: Problem) -> tuple[list[str], tuple[str, ...]]:
    """The catalogue's words for the cause, where the message does not say it all already (wrong usage does)."""
    if problem.exit is Exit.USAGE:
        return [], problem.fix or (typed(session.command.partition(" ")[2], help=True),)
    from keyadmin.access.advice import advice
    from keyadmin.model.causes.table import entry

    known = entry(problem.cause)
    why = [] if known.general else [known.explanation]
    return why, advice(problem, session.feature)
