"""`keyadmin explain`: any error text in, its cause and the way out of it. Needs no credentials and makes no call."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from keyadmin.cli.render import show_document
from keyadmin.cli.session import current
from keyadmin.cli.text import folded, terminal_width
from keyadmin.model.causes.entry import Turn
from keyadmin.model.problem import Cause, Exit, usage

if TYPE_CHECKING:
    from keyadmin.access.explain import Explanation

MOST_BYTES: Final = 16 * 1024 * 1024


def explain(
    context: typer.Context,
    text: Annotated[
        str | None,
        typer.Argument(metavar="TEXT|-", help="The error text; - or nothing reads it from stdin.", show_default=False),
    ] = None,
    from_file: Annotated[
        Path | None, typer.Option("--from-file", metavar="FILE", help="Read the error text from this file.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Explain every distinct error in the text, oldest first, not the last alone.")
    ] = False,
) -> int:
    """Explain an error message of Google's: what it means, what it names, what to do, whose turn it is.

    Takes gcloud's output, Terraform's, tracebacks, JSON, gRPC text, logs. Exit code 3 = not a known error.
    """
    from keyadmin.access import explain as access

    session = current(context)
    found = access.explain_all(_text(text, from_file))
    if not everything:
        found = found[-1:]
    if everything:
        show_document(session, [each.to_json(alone=False) for each in found], "\n\n\n".join(_report(each) for each in found))
    else:
        show_document(session, found[0].to_json(), _report(found[0]))
        if found[0].others:
            session.console.note(f"{_counted(found[0].others)} in the text: --all explains every one.")
    return Exit.FOUND if any(each.cause is Cause.UNKNOWN for each in found) else Exit.OK


def _counted(others: int) -> str:
    return "1 more error is" if others == 1 else f"{others} more errors are"


def _text(text: str | None, from_file: Path | None) -> str:
    """The text from where it was said to be. Raises usage() for two places, none, or a file that cannot be read."""
    from keyadmin.model.causes.plain_text import decoded

    if text is not None and from_file is not None:
        raise usage("both a text and --from-file were given", "give one of them")
    if from_file is not None:
        try:
            with from_file.open("rb") as file:
                return decoded(file.read(MOST_BYTES))
        except OSError as error:
            raise usage(
                f"{from_file} cannot be read: {error.strerror}", f"see that {from_file} is there and may be read"
            ) from error
    if text is not None and text != "-":
        return text
    if text is None and sys.stdin.isatty():
        raise usage(
            "there is no text to explain", "keyadmin explain 'THE ERROR TEXT'", "SOME-COMMAND 2>&1 | keyadmin explain -"
        )
    stream = getattr(sys.stdin, "buffer", None)
    return decoded(stream.read(MOST_BYTES)) if stream is not None else sys.stdin.read(MOST_BYTES)


_TURNS: Final = {
    Turn.PERSON: "yours",
    Turn.ADMIN: "an administrator's (of the project, the organisation or the service account)",
    Turn.BILLING: "that of whoever pays: an administrator of the billing account",
    Turn.GOOGLE: "Google's",
}


def _report(found: Explanation) -> str:
    """The answer for people."""
    times = f", {found.count} times" if found.count > 1 else ""
    lines = [f"{found.title} ({found.cause.value}{times})", "", *folded(found.explanation, terminal_width())]
    names = [("Permission", found.permission), ("Service", found.service), ("Project", found.project)]
    names += [(_READ.get(name, name.capitalize()), value) for name, value in found.read.items()]
    named = [f"{title}: {name}" for title, name in names if name]
    if named:
        lines += ["", *named]
    if found.fix:
        lines += ["", "What to do:", *(f"  {number}. {step}" for number, step in enumerate(found.fix, 1))]
    if found.cause is not Cause.UNKNOWN:
        lines += ["", f"Whose turn it is: {_TURNS[found.turn]}", f"Source: {found.source}"]
    return "\n".join(lines)


_READ: Final = {"help": "Google's help", "vendor": "Error of"}
