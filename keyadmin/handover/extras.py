"""Packages that some sinks need and the base install leaves out: what to type where one is missing."""

from __future__ import annotations

from importlib.util import find_spec

from keyadmin.local.installation import how_to_add
from keyadmin.model.problem import Problem, usage


def needed(extra: str, module: str, package: str) -> None:
    """Raises Problem (exit 2) where the module of an extra is not installed. Nothing is imported."""
    if find_spec(module) is None:
        raise missing(extra, package)


def missing(extra: str, package: str) -> Problem:
    """The Problem: which package is missing, and the command that adds it in the way in which keyadmin was installed."""
    return usage(f"this sink needs {package}, which is not installed", *how_to_add(extra))
