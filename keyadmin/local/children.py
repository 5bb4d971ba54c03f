"""What programs that keyadmin starts are given."""

from __future__ import annotations

import os

from keyadmin.secret import PATTERN


def environment() -> dict[str, str]:
    """This process's environment without variables that hold a key string: others on the machine may see a child's."""
    return {name: value for name, value in os.environ.items() if not PATTERN.search(value)}
