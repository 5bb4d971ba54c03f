"""The clients of a key, by what bears it: the option that names them, and what stands for them in a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from keyadmin.model.key import Bearer

CLIENTS_OF: Final[Mapping[Bearer | None, Mapping[str, str]]] = {
    "page": {"allowed_referrers": "SITE"},
    "android": {"allowed_android": "PACKAGE=SHA1"},
    "ios": {"allowed_ios": "BUNDLE"},
    None: {"allowed_ips": "ADDRESS"},
}
"""For `model.command_line.typed`. None = nothing speaks for a page or an app."""
