"""All pages: blocks marked `sh` are typed in a sandbox, and each command of keyadmin in any block can be typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyadmin.cli.app import PROGRAM, ROOT
from keyadmin.cli.printed import use_table
from tests.cli.docs_pages import PAGES, PLAYED, TYPED, WORLDS, Piece, World, blocks, commands, pieces, wanted
from tests.cli.test_advice import parsed_words

FOLLOWED = [page for page in PAGES if page not in PLAYED and any(language == TYPED for language, _ in blocks(page))]
VERDICTS = ("audit", "doctor", "explain", "scan", "keys verify")


class Reader:
    """Somebody at a terminal who follows a page, line by line."""

    def __init__(self, cli: Callable[..., Any], world: World, rest: str) -> None:
        self._cli, self._world = cli, world
        self._env = {"KEYADMIN_SANDBOX": rest, "SHELL": "/bin/bash"}

    def types(self, line: str) -> None:
        """One line of a block."""
        said = ""
        for piece in pieces(line):
            program, *words = piece.words
            if program in ("export", "unset"):
                self._sets(program, words[0])
            elif program in ("cd", "source", "eval") or program.endswith("=SUBSTITUTED"):
                continue
            elif piece.before in (">", ">>"):
                with Path(program).open("a" if piece.before == ">>" else "w") as file:
                    file.write(said)
            elif program in self._world.output:
                said = self._world.output[program]
            elif program == PROGRAM or piece.before != "|":
                said = self._runs(line, piece, said)

    def _sets(self, program: str, word: str) -> None:
        name, _, value = word.partition("=")
        if name == "KEYADMIN_SANDBOX":  # the test's own stays
            return
        if program == "export":
            self._env[name] = value
        else:
            self._env.pop(name, None)

    def _runs(self, line: str, piece: Piece, said: str) -> str:
        assert piece.words[0] == PROGRAM, f"{line}: mark what is not typed with another language than {TYPED}"
        said_words = [str(Path.cwd() / word[2:]) if word.startswith("~/") else word for word in piece.words[1:]]
        words = said_words + (["--sandbox"] if self._world.google and "--sandbox" not in piece.words else [])
        words += next((more for start, more in self._world.options.items() if " ".join(words).startswith(start)), [])
        if "GEMINI_API_KEY" in words or words[:3] == ["keys", "lookup", "-"]:
            said = self._env["GEMINI_API_KEY"] = self._cli("keys", "show", "my-app", env=self._env).out.strip()
        env = self._env | next((more for start, more in self._world.env.items() if " ".join(words).startswith(start)), {})
        piped = piece.before == "|" or "-" in words
        done = self._cli(*words, env=env, stdin=said if piped else "y\n", terminal=not piped)
        may = {wanted(line)}
        if self._world.verdicts and " ".join(words).startswith(VERDICTS):
            may.add(3)
        assert done.code in may, f"{line}: {done.code}\n{done.out}\n{done.err}"
        return str(done.out)


@pytest.mark.parametrize("page", FOLLOWED)
def test_what_a_page_says_to_type_runs(
    page: str, cli: Callable[..., Any], served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    world = WORLDS.get(page, World())
    if world.seed:
        served.seed(**world.seed)
    for name, text in world.files.items():
        (tmp_path / name).write_text(text)
    for language, lines in blocks(page):
        if language == "csv":
            (tmp_path / "projects.csv").write_text("\n".join(lines))
    reader = Reader(cli, world, served.rest)
    for language, lines in blocks(page):
        for line in lines:
            if language == TYPED and line.strip() and not line.startswith("#"):
                reader.types(line)


@pytest.mark.parametrize("page", PAGES)
def test_each_command_of_a_page_can_be_typed(page: str) -> None:
    for language, lines in blocks(page):
        for line in lines:
            for words in commands(line):
                assert language, f"{page}: mark the block of {line!r}: {TYPED} is typed, console is read"
                parsed_words(words, line)


use_table({each: entry.target for each, entry in ROOT.entries.items()})
