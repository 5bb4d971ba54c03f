"""Where each shell finds a completion script, and putting it there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from keyadmin.local.environment.changing import FileChange, ensure_line
from keyadmin.local.environment.dialects import posix_quoted
from keyadmin.local.environment.places import Place, config_of, file_of, home_of, zsh_folder
from keyadmin.local.files import write_text
from keyadmin.local.folders import make_private
from keyadmin.local.locks import unwritable

CompletionShell = Literal["bash", "zsh", "fish", "powershell", "pwsh"]
_HINT: Final = "# Written by keyadmin completion --install."
_BLOCK: Final = "completion"


@dataclass(frozen=True)
class Installed:
    """The script's file, and the change of the start-up file that loads it (None where the shell finds it by itself)."""

    script: Path
    start_up: FileChange | None


def install(shell: CompletionShell, program: str, script: str, env: Mapping[str, str], *, dry_run: bool = False) -> Installed:
    """Write the script and see that the shell loads it. Raises Problem where a file cannot be written or changed."""
    target, place, line = _plan(shell, program, env)
    start_up = ensure_line(place, line, _BLOCK, _HINT, env, dry_run=True) if place is not None else None
    if not dry_run:  # the start-up file first of all: what it refuses leaves nothing behind
        try:
            make_private(target.parent)
        except OSError as error:
            raise unwritable(target, error) from None
        write_text(target, script + "\n", 0o644)
        start_up = ensure_line(place, line, _BLOCK, _HINT, env) if place is not None else None
    return Installed(target, start_up)


def _plan(shell: CompletionShell, program: str, env: Mapping[str, str]) -> tuple[Path, Place | None, str]:
    here = Path.cwd()
    if shell == "bash":
        target = home_of(env) / ".bash_completions" / f"{program}.sh"
        return target, file_of("bash", env, here), f"source {posix_quoted(str(target))}"
    if shell == "zsh":
        folder = zsh_folder(env) / ".zfunc"
        name = "~/.zfunc" if folder == home_of(env) / ".zfunc" else posix_quoted(str(folder))
        return folder / f"_{program}", file_of("zsh", env, here), f"fpath+={name}; autoload -Uz compinit; compinit"
    if shell == "fish":
        return config_of(env) / "fish" / "completions" / f"{program}.fish", None, ""
    profile = file_of("powershell", env, here)
    target = profile.path.parent / f"{program}-completion.ps1"
    quoted = str(target).replace("'", "''")
    return target, profile, f". '{quoted}'"
