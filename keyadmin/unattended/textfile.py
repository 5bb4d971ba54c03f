"""Metrics for Prometheus: a textfile that the node exporter reads.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from keyadmin.local.files import write_text
from keyadmin.model.secret import redact


class Textfile:
    """Gauges, in the order in which they are added."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._lines: list[str] = []

    def gauge(self, name: str, text: str, value: float) -> None:
        """One value."""
        self.family(name, text, [({}, value)])

    def family(self, name: str, text: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> None:
        """Values told apart by labels."""
        whole = f"{self._prefix}_{name}"
        self._lines += [f"# HELP {whole} {text}", f"# TYPE {whole} gauge"]
        self._lines += [f"{whole}{_labels(labels)} {value}" for labels, value in samples]

    def write(self, path: Path) -> None:
        """Replace the file in one step. Raises Problem where it cannot be written."""
        write_text(path, "\n".join(self._lines) + "\n", mode=0o644)


def _labels(values: Mapping[str, str]) -> str:
    if not values:
        return ""
    escaped = (redact(value).replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for value in values.values())
    return "{" + ",".join(f'{name}="{value}"' for name, value in zip(values, escaped, strict=True)) + "}"
