"""How the running keyadmin was installed: told from the files that installers leave, never by asking an index.

Forms: PEP 610 (direct_url.json), pipx_metadata.json, uv-receipt.toml.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from keyadmin import __version__

NAME: Final = "keyadmin"
Origin = Literal["index", "archive", "git", "folder", "editable", "unknown"]
Installer = Literal["pip", "pipx", "uv tool", "uv"]


@dataclass(frozen=True)
class Installation:
    """Where the package came from.

    `url` = of an archive, a repository or a folder; `revision` = git's full commit id; `hash` = `sha256:HEX` of an archive,
    empty where it is not known.
    """

    origin: Origin
    installer: Installer = "pip"
    url: str = ""
    revision: str = ""
    hash: str = ""

    @property
    def requirement(self) -> str:
        """What installs the same again, on any machine; empty where nothing does (a folder of this machine, unknown)."""
        if self.origin == "index":
            return f"{NAME}=={__version__}"
        if self.origin == "git" and self.revision:
            return f"{NAME} @ git+{self.url}@{self.revision}"
        if self.origin == "archive" and not self.url.startswith("file:"):
            return f"{NAME} @ {self.url}"
        return ""


def running() -> Installation:
    """How this process's keyadmin was installed."""
    installer = _installer(Path(sys.prefix))
    try:
        text = metadata.distribution(NAME).read_text("direct_url.json")
    except metadata.PackageNotFoundError:  # run from a folder that was put on the path
        return Installation("unknown", installer)
    if text is None:
        return Installation("index", installer)
    return of_direct_url(text, installer)


def of_direct_url(text: str, installer: Installer = "pip") -> Installation:
    """Read a direct_url.json (PEP 610)."""
    try:
        told = json.loads(text)
        url = str(told["url"])
        if "vcs_info" in told:
            revision = str(told["vcs_info"].get("commit_id", ""))
            full = re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", revision)
            return Installation("git", installer, url, revision if full else "")
        if "dir_info" in told:
            return Installation("editable" if told["dir_info"].get("editable") else "folder", installer, url)
        hashes = told.get("archive_info", {}).get("hashes", {})
    except (ValueError, KeyError, TypeError, AttributeError):
        return Installation("unknown", installer)
    return Installation("archive", installer, url, hash=f"sha256:{hashes['sha256']}" if "sha256" in hashes else "")


def how_to_add(extra: str) -> tuple[str, ...]:
    """Commands, as steps, that add what an extra of keyadmin needs to this installation; never keyadmin by its bare name."""
    wanted = _requirements(extra)
    if not wanted:
        return (f"install keyadmin again with its extra {extra!r}",)
    here = running()
    words = " ".join(shlex.quote(each) for each in wanted)
    if here.installer == "pipx":
        return (f"pipx inject {NAME} {words}",)
    if here.installer == "uv tool":
        source = here.requirement or here.url.removeprefix("file://")
        if source:
            return (f"uv tool install {' '.join(f'--with {shlex.quote(each)}' for each in wanted)} {shlex.quote(source)}",)
    if here.installer != "pip" or find_spec("pip") is None:
        return (f"uv pip install --python {shlex.quote(sys.executable)} {words}",)
    return (f"{shlex.quote(sys.executable)} -m pip install {words}",)


def _installer(prefix: Path) -> Installer:
    if (prefix / "pipx_metadata.json").exists():
        return "pipx"
    if (prefix / "uv-receipt.toml").exists():
        return "uv tool"
    try:
        settings = (prefix / "pyvenv.cfg").read_text("utf-8")
    except (OSError, ValueError):
        return "pip"
    return "uv" if re.search(r"^uv\s*=", settings, re.MULTILINE) else "pip"


def _requirements(extra: str) -> list[str]:
    """The requirements of an extra, without their markers."""
    try:
        listed = metadata.requires(NAME) or []
    except metadata.PackageNotFoundError:
        return []
    found = (re.fullmatch(rf"\s*([^;]+?)\s*;.*extra\s*==\s*['\"]{re.escape(extra)}['\"].*", each) for each in listed)
    return [match[1] for match in found if match]
