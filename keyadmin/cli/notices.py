"""The options that tell others of a run, and what they come to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.model.problem import Cause, Problem, usage

if TYPE_CHECKING:
    from keyadmin.cli.session import Session
    from keyadmin.unattended.destinations import Notices

_FORMS = ("json", "slack", "google-chat")


def _forms(incomplete: str) -> list[str]:
    return [name for name in _FORMS if name.startswith(incomplete)]


Notify = Annotated[
    list[str] | None,
    typer.Option(
        "--notify",
        metavar="exec:CMD|webhook:URL|webhook-from-env:VAR",
        help="Tell a program (JSON lines) or a webhook (JSON, Slack, Google Chat) how it went; may be repeated.",
    ),
]
WebhookForm = Annotated[
    str | None,
    typer.Option(
        "--webhook-form",
        metavar="json|slack|google-chat",
        autocompletion=_forms,
        help="What webhooks get; by their host where nothing is said.",
    ),
]
WebhookSecret = Annotated[
    str | None,
    typer.Option(
        "--webhook-secret-from-env",
        metavar="VAR",
        help="Sign what webhooks get with this variable's value: HMAC-SHA256 in X-Keyadmin-Signature.",
    ),
]


def notices(
    session: Session, specs: Sequence[str] | None, form: str | None = None, secret_from: str | None = None
) -> Notices | None:
    """Where this run is told of; None = nowhere. Raises usage() before anything is done."""
    if not specs:
        for option, given in (("--webhook-form", form), ("--webhook-secret-from-env", secret_from)):
            if given is not None:
                raise usage(f"{option} needs --notify", "name a webhook: --notify webhook-from-env:VAR")
        return None
    from keyadmin.unattended.destinations import Notices, destination

    found = [destination(spec, session.env, form=form, secret_from=secret_from) for spec in specs]
    if session.sandbox is not None and not session.sandbox.by_flag:
        raise usage("a notice leaves the sandbox only with --sandbox on the command line", "add --sandbox")
    return Notices(found, session.observer)


@contextmanager
def failures(session: Session, told: Notices | None) -> Iterator[None]:
    """Tell of a run that ends with a Problem, or is interrupted, before it has anything else to tell."""
    try:
        yield
    except (Problem, KeyboardInterrupt) as end:
        if told is not None:
            from keyadmin.unattended.notice import Notice

            problem = end if isinstance(end, Problem) else Problem(Cause.UNKNOWN, "interrupted")
            title = f"{session.command} failed: {problem.message}"
            summary = {"cause": problem.cause.value, "message": problem.message, "fix": list(problem.fix)}
            told.send(Notice(session.command, session.now(), title, True, problem.fix, summary, sandbox=bool(session.mark)))
        raise
