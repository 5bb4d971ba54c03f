"""What people type by mistake, as other programs have it, and what to type here instead."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from keyadmin.cli.settings import FORMATS
from keyadmin.model.command_line import complete, retyped, typed
from keyadmin.model.leaned_on import ONE_TOO_MANY

_SIGN_IN: Final = "keyadmin uses Google's credentials of this machine: `gcloud auth application-default login`"
_SIGNED_IN_AS: Final = "`keyadmin doctor --connection`    # whose credentials, which projects are charged"
_NEWER: Final = "as it was installed: `pipx reinstall keyadmin`, or `uv tool upgrade keyadmin`"
_SHOW: Final = "`keyadmin keys describe KEY`, or `keyadmin keys show KEY` for the key string"
_GONE: Final = "`keyadmin keys delete KEY`; a key that leaked: `keyadmin keys compromised KEY --to SINK`"

COMMANDS: Final[Mapping[str, Mapping[str, str]]] = {
    "": {
        "auth": _SIGN_IN,
        "help": "`keyadmin --help`; of one command: `keyadmin keys create --help`",
        "init": "`keyadmin sandbox env` for a local Google Cloud; a rotation begins with `keyadmin rotation init`",
        "install": "completion: `keyadmin completion --help`; a schedule: `keyadmin rotation schedule --help`",
        "key": "`keyadmin keys --help`",
        "login": _SIGN_IN,
        "logout": "keyadmin keeps no credentials; to take Google's from this machine: `gcloud auth application-default revoke`",
        "migrate": "`keyadmin keys migrate KEY`; of many projects: `keyadmin rotation migrate`",
        "project": "`keyadmin projects --help`",
        "update": _NEWER,
        "upgrade": _NEWER,
        "version": "`keyadmin --version`",
        "whoami": _SIGNED_IN_AS,
    },
    "keys": {
        "expire": _GONE,
        "add": "`keyadmin keys create --name NAME`",
        "disable": "a key cannot be disabled: `keyadmin keys delete KEY`, back within 30 days by `keyadmin keys undelete KEY`",
        "edit": "`keyadmin keys restrict KEY --help`, `keyadmin keys rename KEY NEW_NAME`",
        "enable": "a deleted key comes back within 30 days: `keyadmin keys undelete KEY`",
        "generate": "`keyadmin keys create --name NAME`",
        "get": _SHOW,
        "import": "keys of other projects are seen as soon as these are imported: `keyadmin projects import ID`",
        "info": "`keyadmin keys describe KEY`",
        "ls": "`keyadmin keys list`",
        "new": "`keyadmin keys create --name NAME`",
        "remove": _GONE,
        "revoke": _GONE,
        "rm": _GONE,
        "roll": "`keyadmin keys rotate KEY`",
        "search": "`keyadmin keys list --filter FILTER`; by its key string: `keyadmin keys lookup -`",
        "update": "`keyadmin keys restrict KEY --help`, `keyadmin keys rename KEY NEW_NAME`",
    },
    "projects": {
        "add": "`keyadmin projects create --help`; an existing one: `keyadmin projects import ID`",
        "get": "`keyadmin projects describe ID`",
        "info": "`keyadmin projects describe ID`",
        "ls": "`keyadmin projects list`",
        "new": "`keyadmin projects create --help`",
        "remove": "out of your list: `keyadmin projects forget ID`; at Google: `keyadmin projects delete ID`",
        "rm": "out of your list: `keyadmin projects forget ID`; at Google: `keyadmin projects delete ID`",
        "select": "`keyadmin projects use ID`",
        "set": "`keyadmin projects use ID`",
        "switch": "`keyadmin projects use ID`",
    },
}
"""By the group's words: the command that is not there -> what to type."""

OPTIONS: Final[Mapping[str, str]] = {
    "--all-project": "--all-projects",
    "--csv": "--format csv",
    "--dryrun": "--dry-run",
    "--dry": "--dry-run",
    "--json": "--format json",
    "--no-colour": "--no-color",
    "--org": "--organization",
    "--org-id": "--organization",
    "--organisation": "--organization",
    "--project-id": "--project",
    "--service": "--api-target",
    "--restrict": "--api-target",
    "--api": "--api-target",
    "--target": "--api-target",
    "--restriction": "--api-target",
    "--silent": "--quiet",
    "--yaml": "--format yaml",
    "-f": "--format",
    "-y": "--yes",
}
"""An option that is not there -> the one that is."""


ARGUMENTS: Final[Mapping[str, str]] = {
    "projects default": "to choose the project that commands are about: `keyadmin projects use ID`",
    "projects list": "one project: `keyadmin projects describe ID`; some of them: `keyadmin projects search WORDS`",
    "keys list": "one key: `keyadmin keys describe KEY`; the keys of a project: `keyadmin keys list -p PROJECT`",
    "keys create": "the name is an option: `keyadmin keys create --name NAME`",
}
"""A command that takes no arguments -> what was meant by one."""


def knows(group: str, word: str) -> bool:
    """Whether it is known what to type in place of a command that is not there; `group` = the words before it."""
    return word == "help" or word in COMMANDS.get(group, {})


def for_command(group: str, word: str) -> tuple[str, ...]:
    """What to type in place of it; empty where that is not known."""
    if word == "help" and group:
        return (typed(group, help=True),)
    found = COMMANDS.get(group, {}).get(word)
    return () if found is None else (complete(found),)


def for_near(word: str, near: Sequence[str], arguments: Sequence[str]) -> tuple[str, ...]:
    """The command line with each of the commands that are spelt alike in the place of `word`."""
    at = arguments.index(word)
    return tuple(retyped([*map(shlex.quote, arguments[:at]), each, *map(shlex.quote, arguments[at + 1 :])]) for each in near)


def for_argument(command: str, complaint: str, arguments: Sequence[str]) -> tuple[str, ...]:
    """What to type where a command takes no arguments, or one, and another one was meant."""
    if command == "explain" and complaint.startswith(ONE_TOO_MANY):
        return (_quoted_whole(complaint, arguments),)
    known = ARGUMENTS.get(command) if complaint.startswith(ONE_TOO_MANY) else None
    return () if known is None else (complete(known),)


def _quoted_whole(complaint: str, arguments: Sequence[str]) -> str:
    """The command line with an error text's words as one argument; `complaint` names all but the first between brackets."""
    begin = arguments.index("explain") + 1 if "explain" in arguments else len(arguments)
    more = complaint.partition(" (")[2].removesuffix(".").removesuffix(")")
    ends = [end for end in range(begin + 2, len(arguments) + 1) if " ".join(arguments[begin + 1 : end]) == more]
    if not ends or arguments[begin].startswith("-"):
        return f"quote the text: {typed('explain', 'THE ERROR TEXT')}"
    words = [*arguments[:begin], " ".join(arguments[begin : ends[0]]), *arguments[ends[0] :]]
    return retyped(map(shlex.quote, words))


def for_option(option: str, known: Collection[str], arguments: Sequence[str]) -> tuple[str, ...]:
    """The command line with the option that was probably meant, where the command has it (`known`)."""
    value = _value_of(option, arguments)
    meant = f"--format {value}" if option in ("--output", "-o") and value in FORMATS else OPTIONS.get(option)
    if meant is None or meant.split()[0] not in known:
        return ()
    drops = meant.endswith(f" {value}")
    words: list[str] = []
    for word in arguments:
        if drops and words and words[-1] == meant:
            drops = False
        else:
            words.append(meant if word == option else shlex.quote(word))
    return (retyped(words),)


def _value_of(option: str, arguments: Sequence[str]) -> str:
    """The word behind an option; empty where none stands there."""
    at = arguments.index(option) + 1 if option in arguments else len(arguments)
    return arguments[at] if at < len(arguments) else ""
