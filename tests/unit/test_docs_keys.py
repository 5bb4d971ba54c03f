"""The pages about keys: what they tell people to type exists, and none of gcloud's flags is left out."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from keyadmin.cli.app import PROGRAM, ROOT
from keyadmin.cli.lazy import group

DOCS = Path(__file__).parents[2] / "docs"
TABLE = DOCS / "reference" / "gcloud-api-keys.md"
COMMANDS = ["create", "list", "describe", "get-key-string", "lookup", "update", "delete", "undelete"]


def options(path: list[str]) -> set[str]:
    """The options of a command, and none for what is no command. Raises KeyError for a name that is none."""
    found = group(PROGRAM, ROOT)
    for name in path:
        if name.startswith("-"):  # of a group that does something by itself
            break
        found = found.get_command(None, name)
        if found is None:
            raise KeyError(name)
        if not hasattr(found, "list_commands"):
            break
    return {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}


def test_what_stands_for_gclouds_flags_exists() -> None:
    rows = [row.split("|") for row in TABLE.read_text("utf-8").splitlines() if row.startswith("| ")]
    cells = [span for row in rows for cell in row[1:3] for span in re.findall(r"`(keys [^`]+)`", cell)]
    assert len(cells) > 40
    for span in cells:
        words = span.split()
        known = options(words)
        assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known, span


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed")
@pytest.mark.parametrize("command", COMMANDS)
def test_every_flag_of_gclouds_command_is_in_the_table(command: str, tmp_path: Path) -> None:
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "CLOUDSDK_CONFIG": str(tmp_path / "gcloud")}
    asked = ["gcloud", "services", "api-keys", command, "--help"]
    text = subprocess.run(asked, env=env, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout
    plain = re.sub(r"\x1b?\[\d*m|.\x08", "", text)
    synopsis = plain.partition("SYNOPSIS")[2].partition("DESCRIPTION")[0]
    wide = re.findall(r"--[a-z-]+", plain.partition("GCLOUD WIDE FLAGS")[2].partition("NOTES")[0])
    rows = TABLE.read_text("utf-8")
    own = [row for row in rows.splitlines() if row.startswith((f"| `{command}", "| `--"))]
    flags = set(re.findall(r"--[a-z-]+", synopsis))
    assert flags or command == "lookup"
    for flag in flags:
        assert any(re.search(rf"{flag}\b", row) for row in own), flag
    for flag in wide:
        assert flag in rows, flag
