"""`keyadmin explain`: any error text in, its cause and the way out of it. Needs no credentials and makes no call."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final

import typer

from keyadmin.cli.render import show_document
from keyadmin.cli.session import current
from keyadmin.cli.steps import step_lines
from keyadmin.cli.text import folded, terminal_width
from keyadmin.model.causes.entry import Turn
from keyadmin.model.command_line import typed
from keyadmin.model.problem import Cause, Exit, Problem, usage
from keyadmin.model.secret import KeyString, holds_key

if TYPE_CHECKING:
    from keyadmin.access.explain import Explanation
    from keyadmin.cloud.connect import Cloud
    from keyadmin.projects.explain_checks import Looked

MOST_BYTES: Final = 16 * 1024 * 1024
LONGEST_BYTES: Final = 256 * 1024 * 1024


def explain(
    context: typer.Context,
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="TEXT|-", help="The error text; without it, or with -, it is read from stdin.", show_default=False
        ),
    ] = None,
    from_file: Annotated[
        Path | None, typer.Option("--from-file", metavar="FILE", help="Read the error text from this file.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Explain every distinct error in the text, oldest first, not only the last.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Also check which steps are already done in the project of -p; changes nothing.")
    ] = False,
) -> int:
    """Explain an error message from Google: what it means, what it names, what to do and who has to do it.

    Reads the output of gcloud and Terraform, tracebacks, JSON, gRPC text and logs. Exit code 3 = not a known error.
    """
    from keyadmin.access import explain as access

    session = current(context)
    words = _text(text, from_file)
    chosen = session.settings.project
    project = chosen.value if chosen is not None and chosen.source == "--project" else None
    found = access.explain_all(words, project=project) if everything else [access.explain(words, project=project)]
    if text is not None and all(each.cause is Cause.UNKNOWN for each in found) and os.path.isfile(text):
        raise usage(f"{text} is a file, and what it holds was not read", typed("explain", from_file=text, verify=verify))
    agreed: set[str] = set()

    def again(project: str) -> str:
        given, file = _typed_text(text, from_file)
        return typed("explain", *given, from_file=file, all=everything, verify=True, project=project)

    seen = [_looked_at(context, each, agreed, again) if verify else None for each in found]
    pairs = list(zip(found, seen, strict=True))
    documents = [each.to_json(alone=not everything) | _verified(looked) for each, looked in pairs]
    reports = [_report(each, looked) + _seen_lines(looked) for each, looked in pairs]
    if everything:
        show_document(session, documents, "\n\n\n".join(reports))
    else:
        show_document(session, documents[0], reports[0])
        if found[0].others:
            session.console.note(f"{_counted(found[0].others)} in the text: --all explains every one.")
    if part := found[0].part:
        session.console.note(f"The text is long: {part} were read; errors elsewhere are neither explained nor counted.")
    if any(each.cause is Cause.UNKNOWN for each in found):
        return Exit.FOUND
    return Exit.OK if all(looked is None or looked.signed_in for looked in seen) else Exit.CREDENTIALS


_TYPED_AGAIN: Final = 200  # characters of a text that is printed once more in a command


def _typed_text(text: str | None, from_file: Path | None) -> tuple[tuple[str, ...], str | None]:
    """Where the text comes from, as it is typed once more: the arguments and the file."""
    if from_file is not None:
        return (), str(from_file)
    if text is None or text == "-":
        return ("-",), None
    short = len(text) <= _TYPED_AGAIN and text.isprintable() and not holds_key(text)
    return (text if short else "TEXT",), None


def _counted(others: int) -> str:
    return "1 more error is" if others == 1 else f"{others} more errors are"


def _looked_at(context: typer.Context, found: Explanation, agreed: set[str], again: Callable[[str], str]) -> Looked:
    """What the checks saw. Raises usage() where no project is named, or only the text names one and nobody can be asked.

    The steps are about the project of the text: one of the environment or the configuration is taken only where the text names
    none. `agreed` = those that were asked about already; `again` = the same command for a project.
    """
    from keyadmin.cli.confirm import confirm
    from keyadmin.projects.explain_checks import Looked

    session = current(context)
    chosen = session.settings.project
    if found.cause is Cause.UNKNOWN:
        return Looked()
    said = chosen.value if chosen is not None and (chosen.source == "--project" or found.project is None) else None
    project = said or found.project
    if project is None:
        raise usage("--verify looks at a project, and none was named", again("PROJECT"))
    if said is None and project not in agreed and not (chosen is not None and chosen.value == project):
        question = f"Look at {project}, which only the text names? Nothing is changed, but the calls go there as you"
        if not session.interactive:
            raise usage(f"only the text names the project {project}", again(project))
        confirm(session, question, yes=False)
        agreed.add(project)
    return _look(context, found, project)


def _look(context: typer.Context, found: Explanation, project: str) -> Looked:
    """What the checks saw in the project; without credentials that they could not see, and what to do."""
    from keyadmin.access.advice import advice
    from keyadmin.cli.runner import run
    from keyadmin.model.project_ref import checked
    from keyadmin.projects.explain_checks import look

    session = current(context)
    string = session.env.get("GOOGLE_API_KEY") or session.env.get("GEMINI_API_KEY")
    key = KeyString(string) if string else None
    name = checked(project, "--project")

    async def work(cloud: Cloud, wanting: str = "") -> Looked:
        return await look(cloud, found.found, found.fix, name, key, wanting)

    try:
        return run(context, work)
    except Problem as problem:
        if problem.exit is not Exit.CREDENTIALS:
            raise
        why = problem.message
        session.console.warning(f"{why}, so only what needs none was checked: {advice(problem)[0]}")
    return replace(run(context, lambda cloud: work(cloud, why), credentials=False), signed_in=False)


def _verified(looked: Looked | None) -> dict[str, Any]:
    return {} if looked is None else {"verified": [each.to_json() for each in looked.seen]}


_MARKS: Final = {"ok": "true", "failed": "not so", "unknown": "unknown"}


def _seen_lines(looked: Looked | None) -> str:
    """What was looked at, for people."""
    if looked is None or not looked.seen:
        return ""
    lines = [f"  {_MARKS[each.status]:<8} {each.what}{f': {each.detail}' if each.detail else ''}" for each in looked.seen]
    other = f" {looked.project} (the text names {looked.named})" if looked.named else ""
    return "\n".join(("", "", f"Looked at{other}, nothing was changed:", *lines))


def _text(text: str | None, from_file: Path | None) -> str:
    """The text from where it was said to be. Raises usage() for two places, none, or a file that cannot be read."""
    from keyadmin.model.causes.plain_text import decoded

    if text is not None and from_file is not None:
        raise usage("both a text and --from-file were given", "give one of them")
    if from_file is not None and str(from_file) != "-":
        try:
            with from_file.open("rb") as file:
                return decoded(_ends(file))
        except OSError as error:
            raise usage(
                f"{from_file} cannot be read: {error.strerror}", f"see that {from_file} is there and may be read"
            ) from error
    if text is not None and text != "-":
        return text
    if text is None and from_file is None and sys.stdin.isatty():
        raise usage(
            "there is no text to explain", "keyadmin explain 'THE ERROR TEXT'", "SOME-COMMAND 2>&1 | keyadmin explain -"
        )
    stream = getattr(sys.stdin, "buffer", None)
    return decoded(_ends(stream)) if stream is not None else sys.stdin.read(LONGEST_BYTES)


def _ends(file: BinaryIO) -> bytes:
    """What the file or pipe holds; of more than MOST_BYTES the two ends. An endless one ends at LONGEST_BYTES."""
    half = MOST_BYTES // 2
    begin, end, read = file.read(half), b"", half
    while (chunk := file.read(half)) and read < LONGEST_BYTES:
        end, read = (end + chunk)[-half:], read + len(chunk)
    return begin + end


_TURNS: Final = {
    Turn.PERSON: "yours",
    Turn.ADMIN: "an administrator's (of the project, the organisation or the service account)",
    Turn.BILLING: "that of whoever pays: an administrator of the billing account",
    Turn.GOOGLE: "Google's",
}


def _marked(step: str) -> str:
    """A step that is done; behind a command as a comment, so that the line can be typed as it stands."""
    bare = " --" in step and "    # " not in step
    return f"{step}    # (done already)" if bare else f"{step}  (done already)"


def _report(found: Explanation, looked: Looked | None) -> str:
    """The answer for people; `looked` = what was seen, by which some steps are done."""
    done = looked.done if looked is not None else frozenset()
    times = f", {found.count} times" if found.count > 1 else ""
    lines = [f"{found.title} ({found.cause.value}{times})", "", *folded(found.explanation, terminal_width())]
    names = [("Permission", found.permission), ("Service", found.service), ("Project", found.project)]
    names += [(_READ.get(name, name.capitalize()), value) for name, value in found.read.items()]
    named = [f"{title}: {name}" for title, name in names if name]
    if named:
        lines += ["", *named]
    if found.fix:
        width = terminal_width()
        lines += ["", "What to do:"]
        steps = [_marked(step) if number in done else step for number, step in enumerate(found.fix, 1)]
        lines += [line for number, step in enumerate(steps, 1) for line in step_lines(number, step, width)]
    if found.cause is not Cause.UNKNOWN:
        lines += ["", *folded(f"Whose turn it is: {_TURNS[found.turn]}", terminal_width()), f"Source: {found.source}"]
    return "\n".join(lines)


_READ: Final = {"help": "Google's help", "vendor": "Error of"}
