"""Where a variable may be set: the process, shell files, `.env`, and on Windows the user's environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from keyadmin.local.environment.syntax import Syntax
from keyadmin.local.subprocesses import environment
from keyadmin.model.problem import usage

Shell = Literal["bash", "zsh", "fish", "powershell", "dotenv", "windows"]
SHELLS: Final[tuple[Shell, ...]] = ("bash", "zsh", "fish", "powershell", "dotenv", "windows")
VARIABLES: Final = ("GOOGLE_API_KEY", "GEMINI_API_KEY")  # in the order in which Gemini's libraries look (facts 6)


@dataclass(frozen=True, slots=True)
class Place:
    """A file that may set variables, and how it does."""

    path: Path
    syntax: Syntax
    label: str


def _powershell(home: Path) -> Path:
    if sys.platform == "win32":
        return home / "Documents" / "PowerShell" / "profile.ps1"
    return home / ".config" / "powershell" / "profile.ps1"


def file_of(shell: Shell, env: Mapping[str, str], folder: Path) -> Place:
    """The file that a shell reads at its start. Raises usage() for the Windows user environment, which is no file."""
    home = Path(env.get("HOME") or Path.home())
    config = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
    places: dict[str, Place] = {
        "bash": Place(home / ".bashrc", "posix", ".bashrc"),
        "zsh": Place(Path(env.get("ZDOTDIR") or home) / ".zshrc", "posix", ".zshrc"),
        "fish": Place(config / "fish" / "config.fish", "fish", "config.fish"),
        "powershell": Place(_powershell(home), "powershell", "PowerShell profile"),
        "dotenv": Place(folder / ".env", "dotenv", ".env"),
    }
    if shell not in places:
        raise usage(f"{shell} has no file")
    return places[shell]


def all_files(env: Mapping[str, str], folder: Path) -> list[Place]:
    """Every file that is looked at, in the order in which they are shown."""
    home = Path(env.get("HOME") or Path.home())
    more = [Place(home / name, "posix", name) for name in (".bash_profile", ".profile", ".zprofile", ".zshenv")]
    shells = [file_of(shell, env, folder) for shell in ("bash", "zsh", "fish", "powershell", "dotenv")]
    return [*shells[:1], *more, *shells[1:]]


def shell_in_use(env: Mapping[str, str]) -> Shell:
    """The shell that the person uses, by $SHELL; on Windows the user environment. Raises usage() for one that is not known."""
    if sys.platform == "win32":
        return "windows"
    name = Path(env.get("SHELL", "")).name
    if name in ("bash", "zsh", "fish"):
        return name  # type: ignore[return-value]
    if name in ("pwsh", "powershell"):
        return "powershell"
    raise usage(f"the shell {name or '(SHELL is not set)'} is not known", f"name one: --shell {'|'.join(SHELLS)}")


def tracked_by_git(path: Path) -> bool | None:
    """Whether a file is under version control; None where git is not there to be asked."""
    command = ("git", "-C", str(path.parent), "ls-files", "--error-unmatch", path.name)
    try:
        ended = subprocess.run(  # noqa: S603 - fixed words
            command, capture_output=True, check=False, timeout=10, env=environment()
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.returncode == 0


def readable_by_others(path: Path) -> bool:
    """Whether group or others may read a file (not asked on Windows, whose rights are others)."""
    return os.name == "posix" and bool(path.stat().st_mode & 0o044)
