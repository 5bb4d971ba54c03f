"""The page's style and script, from the files of this folder, and the policy that lets nothing else run."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Final

STYLES: Final = ("report.css", "table.css", "narrow.css")
SCRIPTS: Final = ("data.js", "lines.js", "rows.js", "table.js", "charts.js", "page.js")
_IMPORT: Final = re.compile(r'^import [^;]*";\n', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export ", re.MULTILINE)


@cache
def text(name: str) -> str:
    """A file of this folder."""
    return files(__package__).joinpath(name).read_text("utf-8")


@cache
def style() -> str:
    """All of the style."""
    return "\n".join(map(text, STYLES))


@cache
def script() -> str:
    """All of the script: the modules in the order in which they need each other, as one."""
    modules = (_EXPORT.sub("", _IMPORT.sub("", text(name))) for name in SCRIPTS)
    return '"use strict";\n' + "\n".join(modules)


@cache
def policy() -> str:
    """The Content-Security-Policy: this style, this script, and nothing from anywhere."""
    parts = (
        "default-src 'none'",
        f"style-src {_hash(style())}",
        f"script-src {_hash(script())}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(parts)


def _hash(part: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}'"
