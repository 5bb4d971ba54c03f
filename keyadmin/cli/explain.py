"""`keyadmin explain`: any error text in, its cause and the way out of it. Needs no credentials and makes no call."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from keyadmin.cli.render import show_document
from keyadmin.cli.session import current
from keyadmin.cli.text import folded, terminal_width
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
) -> int:
    """Explain an error message of Google's: what it means, what it names, the steps that mend it.

    Takes gcloud's output, Terraform's, tracebacks, JSON, gRPC text, logs. Exit code 3 = not a known error.
    """
    from keyadmin.access import explain as access

    session = current(context)
    found = access.explain(_text(text, from_file))
    show_document(session, found.to_json(), _report(found))
    return Exit.FOUND if found.cause is Cause.UNKNOWN else Exit.OK


def _text(text: str | None, from_file: Path | None) -> str:
    """The text from where it was said to be. Raises usage() for two places, none, or a file that cannot be read."""
    from keyadmin.model.causes.reading import decoded

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


def _report(found: Explanation) -> str:
    """The answer for people."""
    lines = [f"{found.title} ({found.cause.value})", "", *folded(found.explanation, terminal_width())]
    names = [("Permission", found.permission), ("Service", found.service), ("Project", found.project)]
    named = [f"{title}: {name}" for title, name in names if name]
    if named:
        lines += ["", *named]
    if found.fix:
        lines += ["", "What to do:", *(f"  {number}. {step}" for number, step in enumerate(found.fix, 1))]
    if found.source and found.cause is not Cause.UNKNOWN:
        lines += ["", f"Source: {found.source}"]
    return "\n".join(lines)
