"""The lock that CI installs from is in step with pyproject.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DIRECT = [*PROJECT["dependencies"], *(each for extra in PROJECT["optional-dependencies"].values() for each in extra)]


def locked() -> dict[str, Requirement]:
    lines = (ROOT / "requirements" / "lock.txt").read_text().splitlines()
    found = [Requirement(line.strip()) for line in lines if line.strip() and not line.strip().startswith("#")]
    return {canonicalize_name(each.name): each for each in found}


@pytest.mark.parametrize("text", DIRECT)
def test_every_direct_dependency_is_locked_in_a_version_that_is_allowed(text: str) -> None:
    wanted = Requirement(text)
    found = locked().get(canonicalize_name(wanted.name))
    assert found is not None, f"{wanted.name} is not locked: nox -s lock"
    (pin,) = found.specifier
    assert pin.operator == "=="
    assert wanted.specifier.contains(pin.version, prereleases=True), f"{found} is not {wanted}: nox -s lock"


def test_the_lock_names_no_index_and_no_path() -> None:
    text = (ROOT / "requirements" / "lock.txt").read_text()
    assert "://" not in text
    assert "--index" not in text
    assert "/" not in text.replace("pyproject.toml", "").replace("#", "")
