"""Looks over what `nox -s build` made before it is published: `nox -s release_check`. Each thing that is wrong is a line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
HOST = "KEYADMIN_RELEASE_HOST"  # the repository's address, such as https://HOST/OWNER/keyadmin
WANTED_URLS = ("Repository", "Issues", "Changelog")
ALLOWED = re.compile(r"apache|bsd|mit|isc|psf|python software|mpl|mozilla|lgpl|unlicense|zlib|0bsd", re.IGNORECASE)
SAID = {"cel-python": "Apache-2.0"}  # packages that ship a licence file and no field that names it
KEY = re.compile(rb"AIza(?!SANDBOX)(?![\w-]*([\w-])\1{5})[0-9A-Za-z_-]{35}")  # but for those that repeat a letter: examples
USES = re.compile(r"uses:\s*([\w.-]+/[\w./-]+)@(\S+)(?:\s*#\s*(\S+))?")


def main() -> int:
    """0 if all is right; 1 with what is not."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    host = os.environ.get(HOST, "")
    if not host:
        print(f"{HOST} names no public host: whether [project.urls] has what an index shows is not checked.")
    wrong = [*metadata(project), *urls(project, host), *changelog(), *archives(), *licences(), *pins(), *checkers()]
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{len(wrong)} things to put right." if wrong else "Ready to be released.")
    return 1 if wrong else 0


def version() -> str:
    """The version that the package says."""
    found = re.search(r'__version__ = "([^"]+)"', (ROOT / "keyadmin/__init__.py").read_text("utf-8"))
    return found[1] if found else ""


def metadata(project: dict[str, object]) -> Iterator[str]:
    """pyproject.toml, and how an index would show it (the README rendered)."""
    packages = [str(path) for path in sorted(DIST.glob("keyadmin-*")) if path.suffix in (".whl", ".gz")]
    if len(packages) != 2:
        yield "dist: a wheel and an sdist are wanted: nox -s build"
        return
    told = subprocess.run(("twine", "check", "--strict", *packages), capture_output=True, text=True, check=False)
    if told.returncode:
        yield f"twine: {told.stdout.strip()}"


def urls(project: dict[str, object], host: str) -> Iterator[str]:
    """[project.urls], where `host` says where the repository is: an index shows them, and whoever installs it follows them."""
    named = project.get("urls")
    named = named if isinstance(named, dict) else {}
    if host:
        yield from (f"pyproject.toml: [project.urls] has no {name}" for name in WANTED_URLS if name not in named)
    place = host.rstrip("/")
    for name, url in named.items():
        if url != place and not url.startswith(f"{place}/" if host else "https://"):
            yield f"pyproject.toml: [project.urls] {name} is {url}, which is not below {host or 'https://'}"


def changelog() -> Iterator[str]:
    """The newest version in the changelog is this one, with a date, and nothing stands above it."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    found = re.search(r"^## (.+)$", text, re.MULTILINE)
    if not found or not re.fullmatch(rf"{re.escape(version())} \(\d{{4}}-\d\d-\d\d\)", found[1]):
        yield f"CHANGELOG.md: the first section is {found[1] if found else 'missing'!r}, not {version()} (YYYY-MM-DD)"


def archives() -> Iterator[str]:
    """No key strings in what is shipped, and no paths of the machine that it was made on."""
    here = [path.encode() for path in {str(ROOT), sys.prefix}]
    for name, data in contents():
        if any(path in data for path in here):
            yield f"{name}: holds a path of this machine"
        if "/tests/" not in name and KEY.search(data):
            yield f"{name}: holds a key string"


def contents() -> Iterator[tuple[str, bytes]]:
    """Every file of the archives."""
    for path in DIST.glob("*.whl"):
        with zipfile.ZipFile(path) as wheel:
            yield from ((name, wheel.read(name)) for name in wheel.namelist())
    for path in DIST.glob("*.tar.gz"):
        with tarfile.open(path) as sdist:
            for member in sdist:
                if member.isfile() and (opened := sdist.extractfile(member)):
                    yield member.name, opened.read()


def licences() -> Iterator[str]:
    """Every package that an installation brings has a licence that Apache-2.0 can be shipped beside."""
    words = ("pip-licenses", "--format=csv", "--from=mixed", "--packages", *sorted(shipped("keyadmin")))
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    for line in told.splitlines()[1:]:
        name, _, licence = (part.strip('"') for part in line.split('","'))
        if name != "keyadmin" and not ALLOWED.search(SAID.get(name, licence)):
            yield f"{name}: the licence {licence!r} is not one that we know"


def shipped(name: str) -> set[str]:
    """A package and all that it needs here, without its extras: what checks a release is not shipped with it."""
    from packaging.requirements import Requirement

    found, left = set[tuple[str, ...]](), [Requirement(name)]
    while left:
        wanted = left.pop()
        each = (wanted.name.lower().replace("_", "-"), *sorted(wanted.extras))
        if each in found:
            continue
        found.add(each)
        for line in requires(wanted.name) or ():
            needed = Requirement(line)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *wanted.extras)):
                left.append(needed)
    return {name for name, *_ in found}


def checkers() -> Iterator[str]:
    """The workflows pass actionlint, and with the action zizmor."""
    names = sorted(str(path.relative_to(ROOT)) for path in (ROOT / ".github/workflows").glob("*.yml"))
    for words in (("actionlint", *names), ("zizmor", "--offline", "--quiet", *names, "action.yml")):
        told = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)
        if told.returncode:
            yield f"{words[0]}: {(told.stdout + told.stderr).strip()}"


def pins() -> Iterator[str]:
    """Every action is pinned by the commit that requirements/actions.txt lists."""
    rows = [
        line.split() for line in (ROOT / "requirements/actions.txt").read_text("utf-8").splitlines() if not line.startswith("#")
    ]
    known = {row[0]: row[1:] for row in rows if row}
    for path in workflows():
        for action, commit, release in USES.findall(path.read_text("utf-8")):
            if known.get("/".join(action.split("/")[:2])) != [commit, release]:
                yield f"{path.relative_to(ROOT)}: {action}@{commit} is not in requirements/actions.txt"


def workflows() -> list[Path]:
    """The workflow files of this project, its action, and the one that schedules print."""
    printed = ROOT.glob("keyadmin/**/templates/**/*.yml")
    return [*sorted((ROOT / ".github/workflows").glob("*.yml")), ROOT / "action.yml", *sorted(printed)]


if __name__ == "__main__":
    raise SystemExit(main())
