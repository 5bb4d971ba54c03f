"""The use cases of `env set`, `env unset` and `env restore`: one variable in one file, with a backup."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from keyadmin.local import backups
from keyadmin.local.edited import IN_PLACE, EditedFile, opened, peek
from keyadmin.local.environment.checker import checker
from keyadmin.local.environment.dialects import DIALECTS, Dialect
from keyadmin.local.environment.editor import Edit, Editor
from keyadmin.local.environment.places import Place
from keyadmin.local.environment.reading import decoded, unusable
from keyadmin.local.environment.variables import PROCESS, VariableSetting, look_up
from keyadmin.local.folders import make_private
from keyadmin.local.locks import unwritable
from keyadmin.model import env_text
from keyadmin.model.command_line import typed
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import KeyString


@dataclass(frozen=True)
class FileChange:
    """What was changed, or with `dry_run` would be. `backup` None where there was no file; `notes` = what to know, in words."""

    path: Path
    changed: bool
    backup: Path | None = None
    notes: tuple[str, ...] = ()


def set_variable(place: Place, name: str, value: KeyString, env: Mapping[str, str], *, dry_run: bool = False) -> FileChange:
    """Write the variable into a file, idempotently.

    Raises Problem: no key string, a symbolic link, a folder that is not there or not writable, a file that is not text, one
    that cannot be changed without risk.
    """
    if not value.well_formed:
        raise Problem(
            Cause.INVALID_ARGUMENT,
            "that is not a key string: key strings have 20 to 256 letters, digits, '.', '_' and '-'; nothing was written",
            fix=("pass the key string alone, or name the key",),
        )
    return _changed(place, name, value, env, dry_run=dry_run)


def unset_variable(place: Place, name: str, env: Mapping[str, str], *, dry_run: bool = False) -> FileChange:
    """Take the variable out of a file. Raises Problem as `set_variable` does."""
    return _changed(place, name, None, env, dry_run=dry_run)


def ensure_line(place: Place, line: str, name: str, hint: str, env: Mapping[str, str], *, dry_run: bool = False) -> FileChange:
    """See that a start-up file has a line, in a block marked with `name`. Raises Problem as `set_variable` does."""

    def edit(text: str) -> Edit:
        check = None if place.syntax == "powershell" else checker(place.shell, env)
        return Editor(text, name, _dialect(place), check, str(place.path)).ensure(line, hint)

    if place.path.is_symlink():  # nothing secret goes there: what the link points to is the start-up file
        place = replace(place, path=place.path.resolve())
    return _applied(place, edit, private=False, dry_run=dry_run)


def rivals(env: Mapping[str, str], folder: Path, place: Path, name: str, value: KeyString) -> list[str]:
    """What else is set, and wins or stands beside it: in words. The same key under the same name elsewhere is no rival."""
    out = []
    for one in _elsewhere(env, folder, place):
        where = "this terminal" if one.source == PROCESS else one.where
        if name == "GEMINI_API_KEY" and one.name == "GOOGLE_API_KEY":
            out.append(f"GOOGLE_API_KEY is set in {where}, and Gemini's libraries take it before {name}: {_way_out(one)}")
        elif name == "GOOGLE_API_KEY" and one.name == "GEMINI_API_KEY":
            out.append(f"GEMINI_API_KEY is set in {where} too; Gemini's libraries take GOOGLE_API_KEY: set only one")
        elif one.name == name and one.source != PROCESS and one.value != value:
            out.append(f"{name} is set in {where} too: where both files are read, the one that is read last wins")
    return out


def remaining(env: Mapping[str, str], folder: Path, place: Path, name: str) -> list[str]:
    """Where a variable is set still, once it was taken out of one file: in words."""
    found = [one for one in _elsewhere(env, folder, place) if one.name == name]
    return [
        f"{name} is still set in {'this terminal' if one.source == PROCESS else one.where}: {_way_out(one)}" for one in found
    ]


def _elsewhere(env: Mapping[str, str], folder: Path, place: Path) -> list[VariableSetting]:
    return [one for one in look_up(env, folder).settings if os.path.abspath(one.source) != os.path.abspath(place)]


def _way_out(one: VariableSetting) -> str:
    if one.source == PROCESS:
        return f"unset {one.name}"
    if os.path.basename(one.source) == "fish_variables":
        return f"in fish, type: set -eU {one.name}"
    return f"take it out of {one.source}"


def chosen_backup(path: Path, number: int) -> backups.Backup:
    """The backup of a file, 1 = the newest. Raises Problem where there is none."""
    known = backups.of(path)
    for each in known:
        if each.number == number:
            return each
    have = f"the numbers are 1 to {len(known)}" if known else "keyadmin changed no such file, or it was new"
    raise Problem(Cause.NOT_FOUND, f"there is no backup {number} of {path}: {have}", fix=(typed("env restore", list=True),))


def restore(path: Path, number: int = 1, *, dry_run: bool = False) -> FileChange:
    """Put back what a file held before one of keyadmin's changes (1 = the last one); what it holds now is kept as a backup.

    Raises Problem where there is no such backup, or the file cannot be written.
    """
    chosen = chosen_backup(path, number)
    data = chosen.read()
    if dry_run:
        _see_writable(path)
    with opened(path, lock=not dry_run) as file:
        if file.data == data:
            return FileChange(path, changed=False)
        file.refuse_others()
        if dry_run:
            return FileChange(path, changed=True)
        kept = backups.keep(path, file.data, file.mode or 0o600) if file.data is not None else None
        in_place = file.write(data, chosen.mode & 0o700 or 0o600)
    return FileChange(path, changed=True, backup=kept, notes=(IN_PLACE,) if in_place else ())


def _changed(place: Place, name: str, value: KeyString | None, env: Mapping[str, str], *, dry_run: bool) -> FileChange:
    if value is None and not place.path.is_symlink() and peek(place.path) is None:
        return FileChange(place.path, changed=False)
    edit = partial(_edit, place, name=name, value=value, env=env)
    return _applied(place, edit, private=value is not None, dry_run=dry_run)


def _applied(place: Place, change: Callable[[str], Edit], *, private: bool, dry_run: bool) -> FileChange:
    """The change of a file's text, under its lock and with a backup. `private` = it holds a key now."""
    path = place.path
    if place.makes_folder and not path.parent.is_dir():
        if dry_run:
            return FileChange(path, changed=True)
        try:
            make_private(path.parent)
        except OSError as error:
            raise unwritable(path.parent, error) from None
    if dry_run:
        _see_writable(path)
    with opened(path, lock=not dry_run) as file:
        text, encode = decoded(place, file.data or b"")
        edit = change(text)
        data = encode(edit.text)
        if data == (file.data or b""):
            return FileChange(path, changed=False, notes=edit.notes)
        mode = _mode(file, private=private)
        notes = (*edit.notes, *_narrowed(file, mode), *([f"{path}: {IN_PLACE}"] if file.mounted else []))
        file.refuse_others()
        if dry_run:
            return FileChange(path, changed=True, notes=notes)
        backup = backups.keep(path, file.data, file.mode or 0o600) if file.data is not None else None
        file.write(data, mode)
    return FileChange(path, changed=True, backup=backup, notes=notes)


def _see_writable(path: Path) -> None:
    """Raises the Problem that writing into its folder would end with."""
    try:
        folder = path.parent.stat()
    except OSError as error:
        raise unwritable(path, error) from None
    wrong = errno.ENOTDIR if not stat.S_ISDIR(folder.st_mode) else 0 if os.access(path.parent, os.W_OK) else errno.EACCES
    if wrong:
        raise unwritable(path, OSError(wrong, os.strerror(wrong)))


def _edit(place: Place, text: str, name: str, value: KeyString | None, env: Mapping[str, str]) -> Edit:
    """The new text. Raises Problem where the file cannot be changed without risk."""
    if place.syntax == "dotenv":
        new = env_text.with_variable(text, name, value.reveal()) if value else env_text.without_variable(text, name)
        return Edit(new, "nothing" if new == text else "line")
    check = None if place.syntax == "powershell" else checker(place.shell, env)
    editor = Editor(text, name, _dialect(place), check, str(place.path))
    return editor.set(value) if value is not None else editor.unset()


def _dialect(place: Place) -> Dialect:
    """Raises Problem for a file that no shell reads as commands."""
    if place.syntax == "universal" or place.syntax == "dotenv":
        raise unusable(place, "it is not a file of shell commands")
    return DIALECTS[place.syntax]


def _mode(file: EditedFile, *, private: bool) -> int:
    """The permissions to write with: a file that holds a key is its owner's alone."""
    if file.mode is None:
        return 0o600
    return file.mode & 0o700 or 0o600 if private else file.mode


def _narrowed(file: EditedFile, mode: int) -> list[str]:
    if file.mode is None or file.mode == mode:
        return []
    return [f"others may read {file.path} no longer: its mode was {file.mode:04o} and becomes {mode:04o}"]
