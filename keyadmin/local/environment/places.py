"""Where a variable may be set: the process, start-up files of shells, `.env` files, and on Windows the user's environment."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from keyadmin.local.environment.dialects import Syntax
from keyadmin.model.problem import usage

Shell = Literal["bash", "zsh", "sh", "fish", "powershell", "dotenv", "windows"]
SHELLS: Final[tuple[Shell, ...]] = ("bash", "zsh", "sh", "fish", "powershell", "dotenv", "windows")
VARIABLES: Final = ("GOOGLE_API_KEY", "GEMINI_API_KEY")  # in the order in which Gemini's libraries look (facts 6)
_POSIX_SH: Final = ("sh", "dash", "ash", "ksh", "mksh", "busybox")


@dataclass(frozen=True, slots=True)
class Place:
    """A file that may set variables, how it does, and which shell reads it (`dotenv`: programs, and direnv for `.envrc`)."""

    path: Path
    syntax: Syntax | Literal["universal"]
    label: str
    shell: Shell
    makes_folder: bool = False
    """Whether its folder is made where it is missing: that of a shell's own configuration, never one that a person named."""


def home_of(env: Mapping[str, str]) -> Path:
    """The home directory."""
    return Path(env.get("HOME") or Path.home())


def config_of(env: Mapping[str, str]) -> Path:
    """Where programs keep their configuration (XDG_CONFIG_HOME)."""
    return Path(env.get("XDG_CONFIG_HOME") or home_of(env) / ".config")


def zsh_folder(env: Mapping[str, str]) -> Path:
    """Where zsh reads its files."""
    return Path(env.get("ZDOTDIR") or home_of(env)).absolute()


def _powershell(env: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        return home_of(env) / "Documents" / "PowerShell" / "profile.ps1"
    return config_of(env) / "powershell" / "profile.ps1"


def file_of(shell: Shell, env: Mapping[str, str], folder: Path) -> Place:
    """The file that a shell reads at its start. Raises usage() for the Windows user environment, which is no file."""
    places: dict[str, Place] = {
        "bash": Place(home_of(env) / ".bashrc", "posix", ".bashrc", "bash"),
        "zsh": Place(zsh_folder(env) / ".zshrc", "posix", ".zshrc", "zsh", makes_folder=bool(env.get("ZDOTDIR"))),
        "sh": Place(home_of(env) / ".profile", "posix", ".profile", "sh"),
        "fish": Place(config_of(env) / "fish" / "config.fish", "fish", "config.fish", "fish", makes_folder=True),
        "powershell": Place(_powershell(env), "powershell", "PowerShell profile", "powershell", makes_folder=True),
        "dotenv": Place(folder / ".env", "dotenv", ".env", "dotenv"),
    }
    if shell not in places:
        raise usage(f"{shell} has no file")
    return places[shell]


def all_files(env: Mapping[str, str], folder: Path) -> list[Place]:
    """Every file that is read for variables, in the order in which they are shown."""
    home, fish = home_of(env), config_of(env) / "fish"
    out = [file_of("bash", env, folder)]
    out += [Place(home / name, "posix", name, "bash") for name in (".bash_profile", ".bash_login", ".bash_aliases")]
    out.append(file_of("sh", env, folder))
    zsh = [Place(zsh_folder(env) / name, "posix", name, "zsh") for name in (".zprofile", ".zshenv", ".zlogin")]
    out += [*zsh[:2], file_of("zsh", env, folder), *zsh[2:]]
    pieces = sorted((fish / "conf.d").glob("*.fish")) if (fish / "conf.d").is_dir() else []
    out += [Place(path, "fish", f"conf.d/{path.name}", "fish") for path in pieces]
    out += [file_of("fish", env, folder), Place(fish / "fish_variables", "universal", "fish's universal variables", "fish")]
    out.append(file_of("powershell", env, folder))
    systemd = config_of(env) / "environment.d"
    confs = sorted(systemd.glob("*.conf")) if systemd.is_dir() else []
    out += [Place(path, "dotenv", f"environment.d/{path.name}", "dotenv") for path in confs]
    out += [file_of("dotenv", env, folder), Place(folder / ".env.local", "dotenv", ".env.local", "dotenv")]
    out += [
        Place(folder / ".envrc", "posix", ".envrc", "bash"),
        Place(home / ".gemini" / ".env", "dotenv", "~/.gemini/.env", "dotenv"),
    ]
    return list({os.path.abspath(place.path): place for place in out}.values())


def shell_in_use(env: Mapping[str, str]) -> Shell:
    """The shell that the person uses, by $SHELL; on Windows the user environment. Raises usage() for one that is not known."""
    if sys.platform == "win32":
        return "windows"
    name = Path(env.get("SHELL", "")).name
    if name in ("bash", "zsh", "fish"):
        return name  # type: ignore[return-value]
    if name in ("pwsh", "powershell"):
        return "powershell"
    if name in _POSIX_SH:
        return "sh"
    raise usage(f"the shell {name or '(SHELL is not set)'} is not known", f"name one: --shell {'|'.join(SHELLS)}")


def shell_of(path: Path) -> Shell | None:
    """The shell that reads a file of this name; None where the name does not tell."""
    name = path.name
    forms: tuple[tuple[str, Shell], ...] = (
        (r"\.envrc|\.?bash.*|.*\.(?:ba)?sh", "bash"),
        (r".*\.env|\.env.*|.*\.env\..*", "dotenv"),
        (r"\.?z(?:shrc|shenv|profile|login|logout)|.*\.zsh", "zsh"),
        (r"\.profile", "sh"),
        (r".*\.fish", "fish"),
        (r".*\.ps1", "powershell"),
    )
    return next((shell for form, shell in forms if re.fullmatch(form, name)), None)


def readable_by_others(path: Path) -> bool:
    """Whether group or others may read a file (not asked on Windows, whose rights are others)."""
    return os.name == "posix" and bool(path.stat().st_mode & 0o044)
