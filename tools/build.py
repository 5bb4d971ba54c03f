"""Builds a release into `dist/`: wheel, sdist, SBOM and checksums, twice, and compares the bytes. Run by `nox -s build`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
SUMS = "SHA256SUMS"
SBOM = "keyadmin.cdx.json"


def main() -> int:
    """0 for a reproducible build; 1 with the files that differ."""
    epoch = last_change()
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        for folder in (first, second):
            make(Path(folder), epoch)
        if different := differing(Path(first), Path(second)):
            print(f"Two builds differ: {', '.join(different)}", file=sys.stderr)
            return 1
        shutil.rmtree(DIST, ignore_errors=True)
        shutil.copytree(first, DIST)
    for path in sorted(DIST.iterdir()):
        print(f"{path.stat().st_size:>10,}  {path.name}")
    print("Two builds gave the same bytes.")
    return 0


def last_change() -> str:
    """The time of the last commit, in seconds since 1970: the age of every file in the archives."""
    asked = ("git", "-C", str(ROOT), "log", "-1", "--format=%ct")
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def make(folder: Path, epoch: str) -> None:
    """Everything of a release, in `folder`."""
    env = {**os.environ, "SOURCE_DATE_EPOCH": epoch}
    # A clean copy: what lies about in the checkout gets into no archive.
    with tempfile.TemporaryDirectory() as source:
        export(Path(source))
        words = (sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), source)
        subprocess.run(words, env=env, check=True, stdout=subprocess.DEVNULL)
    write_sbom(folder / SBOM, epoch)
    lines = [f"{digest(path)}  {path.name}\n" for path in sorted(folder.iterdir())]
    (folder / SUMS).write_text("".join(lines), "utf-8")


def export(folder: Path) -> None:
    """What git tracks, as it stands in the checkout."""
    listed = subprocess.run(("git", "-C", str(ROOT), "ls-files", "-z"), capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)


def write_sbom(path: Path, epoch: str) -> None:
    """The packages of a plain installation, as CycloneDX, without serial number and times: these would differ each time."""
    with tempfile.TemporaryDirectory() as folder:
        pinned = Path(folder, "requirements.txt")
        compile_ = ("uv", "pip", "compile", "--quiet", "--no-header", "--no-emit-index-url", "--no-annotate", "-c")
        words = (*compile_, str(ROOT / "requirements/lock.txt"), "-o", str(pinned), str(ROOT / "pyproject.toml"))
        subprocess.run(words, check=True)
        made = ("cyclonedx-py", "requirements", str(pinned), "--pyproject", str(ROOT / "pyproject.toml"), "--of", "JSON")
        bom = json.loads(subprocess.run(made, capture_output=True, text=True, check=True).stdout)
    bom.pop("serialNumber", None)
    bom.setdefault("metadata", {}).pop("timestamp", None)
    bom["metadata"]["properties"] = [{"name": "keyadmin:sourceDateEpoch", "value": epoch}]
    path.write_text(json.dumps(bom, indent=2, sort_keys=True) + "\n", "utf-8")


def differing(first: Path, second: Path) -> list[str]:
    """The names of files that are not the same in both folders."""
    names = {path.name for path in (*first.iterdir(), *second.iterdir())}
    return sorted(name for name in names if digest(first / name) != digest(second / name))


def digest(path: Path) -> str:
    """SHA-256 in hexadecimal; empty for a file that is not there."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


if __name__ == "__main__":
    raise SystemExit(main())
