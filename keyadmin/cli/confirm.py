"""Asking before something is changed that cannot be changed back."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from keyadmin.cli.render import show_to_programs
from keyadmin.cli.session import Session
from keyadmin.model.problem import Cause, Declined, Exit, Problem, usage


def confirm(session: Session, question: str, *, yes: bool) -> None:
    """Ask `question` of the person at the terminal; `yes` (the option `--yes`) answers it beforehand.

    Raises usage() (exit code 2) where there is no terminal and no `--yes`, Problem (exit code 1) where the answer is no.
    """
    if yes:
        return
    if not session.interactive:
        raise usage(f"there is no terminal, so keyadmin cannot ask: {question}", "add --yes to do it without asking")
    session.observer.finished()
    stream = session.console.stream
    while True:
        stream.write(f"{session.console.safe(question)} [y/N] ")
        stream.flush()
        answer = sys.stdin.readline()
        if answer == "":
            stream.write("\n")
        word = answer.strip().casefold()
        if word in ("y", "yes"):
            return
        if word in ("", "n", "no"):
            raise declined()
        session.console.say("Please answer y or n.")


def confirm_exposure(session: Session, refusal: Problem) -> None:
    """Ask whether Gemini may be switched on beside open keys. Off a terminal the refusal is raised: --yes is no answer."""
    if not session.interactive:
        raise refusal
    confirm(session, f"{refusal.message}. Switch it on all the same?", yes=False)


def declined() -> Problem:
    """The Problem of a prompt that was answered with no."""
    return Declined(Cause.INVALID_ARGUMENT, "declined; nothing was changed", exit_code=Exit.FAILED, fix=("answer y to go on",))


def would(session: Session, text: str, *, document: bool = True, unknown: Sequence[str] = ()) -> None:
    """Say what a `--dry-run` would have done; programs get `{"dryRun": true, "steps", "unknown"?}`.

    `document=False` where the command prints data of its own: `json` is one document. `unknown` = what reads cannot tell.
    """
    for each in unknown:
        session.console.warning(each)
    session.console.note(f"Dry run: would {text}. Nothing was changed.", always=True)
    if document:
        more = {"unknown": list(unknown)} if unknown else {}
        show_to_programs(session, {"dryRun": True, "steps": [text], **more, **session.mark})
