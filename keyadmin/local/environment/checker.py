"""What the shell itself says of a text: whether it parses (`-n`), and whether its end stands at top level."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from keyadmin.model.env_text import encode

_TIMEOUT_S: Final = 20.0
# Reads no start-up file of anybody's, and runs nothing: the text comes on stdin, so that no key lies in a temporary file.
_COMMANDS: Final = {
    "bash": ("bash", "--norc", "--noprofile", "-n"),
    "zsh": ("zsh", "-f", "-n"),
    "sh": ("sh", "-n"),
    "fish": ("fish", "--no-config", "--no-execute"),
}
# What is an error at top level and elsewhere is not, or not the same: a text that stays right with it behind has something
# open (a here-document, in zsh a loop that waits for its body).
_WRONG_AT_TOP: Final = {"bash": (")",), "sh": (")",), "zsh": (")", "do :; done"), "fish": ("end",)}


@dataclass
class Checker:
    """A shell's parser. `program` None = the shell is not installed."""

    shell: str
    program: str | None
    _known: dict[str, str] = field(default_factory=dict)

    def complaint(self, text: str) -> str:
        """The shell's first line of complaint about a text, empty where it parses."""
        if self.program is None:
            return "it is not installed"
        if text not in self._known:
            self._known[text] = self._asked(text)
        return self._known[text]

    def top_level_after(self, text: str) -> bool:
        """Whether a command that is put behind this text is one of its own, run whenever the file is."""
        if self.complaint(text):
            return False
        closed = text if text.endswith("\n") or not text else text + "\n"
        return all(self.complaint(f"{closed}{wrong}\n") for wrong in _WRONG_AT_TOP[self.shell])

    def _asked(self, text: str) -> str:
        assert self.program is not None
        command = (self.program, *_COMMANDS[self.shell][1:])
        fixed = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "TERM": "dumb"}
        try:
            ended = subprocess.run(  # noqa: S603 - fixed words
                command, input=encode(text), capture_output=True, check=False, timeout=_TIMEOUT_S, env=fixed, cwd="/"
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"it could not be asked: {type(error).__name__}"
        if ended.returncode == 0:
            return ""
        said = ended.stderr.decode(errors="replace").strip().splitlines()
        return said[0] if said else f"exit code {ended.returncode}"


def checker(shell: str, env: Mapping[str, str]) -> Checker:
    """The checker of bash, zsh, sh or fish, as it is found on PATH."""
    return Checker(shell, shutil.which(_COMMANDS[shell][0], path=env.get("PATH")))
