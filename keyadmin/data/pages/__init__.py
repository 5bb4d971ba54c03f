"""Pages of keyadmin's own: files of style and script that stand in the page itself, and the policy that lets nothing else run.

Scripts are modules, so that linters see what each needs; in the page they are one, in the order in which they are named.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Final

BASE_STYLE: Final = "base.css"
BASE_SCRIPT: Final = "dom.js"
_IMPORT: Final = re.compile(r'^import [^;]*";\n', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export ", re.MULTILINE)


@dataclass(frozen=True)
class PageFiles:
    """The files of one page, in a package's folder; what all pages share stands before them."""

    package: str
    styles: tuple[str, ...]
    scripts: tuple[str, ...]

    def text(self, name: str) -> str:
        """A file of the folder."""
        return files(self.package).joinpath(name).read_text("utf-8")

    @cached_property
    def style(self) -> str:
        """All of the style."""
        return "\n".join([_shared(BASE_STYLE), *map(self.text, self.styles)])

    @cached_property
    def script(self) -> str:
        """All of the script, as one."""
        modules = [_shared(BASE_SCRIPT), *map(self.text, self.scripts)]
        return '"use strict";\n' + "\n".join(_EXPORT.sub("", _IMPORT.sub("", module)) for module in modules)

    def policy(self, *more: str) -> str:
        """The Content-Security-Policy: this style, this script, no form, and nothing from anywhere but what `more` allows."""
        parts = (
            "default-src 'none'",
            f"style-src {_hash(self.style)}",
            f"script-src {_hash(self.script)}",
            "img-src data:",
            *more,
            "base-uri 'none'",
            "form-action 'none'",
        )
        return "; ".join(parts)


def _shared(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _hash(part: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}'"
