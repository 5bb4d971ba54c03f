"""`keyadmin snippet`."""

from __future__ import annotations

from typing import Annotated

import typer

from keyadmin.cli.render import show_text
from keyadmin.cli.session import current
from keyadmin.cli.suggest import one_of
from keyadmin.local.snippets.examples import APIS, LANGUAGES, MODEL, PLACEHOLDER, make

LanguageName = Annotated[
    str,
    typer.Argument(
        metavar="LANGUAGE",
        autocompletion=one_of(LANGUAGES),
        help=f"{', '.join(LANGUAGES[:-1])} or {LANGUAGES[-1]}.",
    ),
]
ApiName = Annotated[str, typer.Option("--api", metavar="API", autocompletion=one_of(APIS), help=f"{' or '.join(APIS)}.")]
Explicit = Annotated[bool, typer.Option("--explicit", help="Put the key into the code, not the environment.")]
ModelName = Annotated[str, typer.Option("--model", metavar="MODEL", help="The model to call.")]


def snippet(
    context: typer.Context,
    language: LanguageName,
    api: ApiName = "interactions",
    explicit: Explicit = False,
    model: ModelName = MODEL,
) -> None:
    """Print a working example that calls the Gemini API: for the Interactions API (in beta) or for generateContent.

    The key comes from the environment (keyadmin env set KEY puts it there). With --explicit, write it in place of
    YOUR_API_KEY, for a first try.
    """
    session = current(context)
    made = make(language, api, model, explicit=explicit)
    data = {"language": made.language, "api": made.api, "model": made.model, "explicit": explicit, "code": made.code}
    show_text(session, data, made.code.rstrip("\n"))
    if explicit:
        session.console.note(f"Put your key in place of {PLACEHOLDER}: keyadmin keys show KEY prints it.")
    else:
        session.console.note("It takes the key from GEMINI_API_KEY; keyadmin env set KEY sets it.")
