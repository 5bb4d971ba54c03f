"""The list of methods in the documentation is that of the code."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_of_methods_names_what_there_is() -> None:
    """Compared without revisions and what is not implemented: those change with Google's discovery documents."""
    spec = importlib.util.spec_from_file_location("sandbox_methods", ROOT / "docs" / "sandbox_methods.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def named(text: str) -> list[set[str]]:
        lines = [line.partition(": ")[2] for line in text.splitlines() if line.startswith("Implemented")]
        return [set(line.rstrip(".").split(", ")) for line in lines]

    assert named(module.PAGE.read_text("utf-8")) == named(module.page()), "run: python docs/sandbox_methods.py"
