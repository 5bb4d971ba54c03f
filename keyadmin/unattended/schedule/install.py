"""How a scheduled keyadmin is installed: from a wheel, a commit or an index, never by a bare name.

Nobody owns the name keyadmin in the public index: whoever took it would run code with an account that may read all keys. Where
nothing is said, it is installed as the running one was (`direct_url.json`,
https://packaging.python.org/en/latest/specifications/direct-url/).
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

from keyadmin import __version__
from keyadmin.model.problem import Problem, usage

CHOICES: Final = (
    "a wheel: --install-from wheel:PATH [--hash sha256:HEX]",
    "a commit: --install-from git:REPOSITORY@COMMIT    # its https:// or ssh:// address, and a full commit id",
    "an index: --install-from index:NAME==VERSION --hash sha256:HEX",
)
_REVISION: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_URL: Final = re.compile(r"(?:https|ssh)://[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?/[A-Za-z0-9._~/+-]+")
_WHEEL: Final = re.compile(r"[A-Za-z0-9._+/-]*?([A-Za-z0-9._+-]+\.whl)")
_RELEASE: Final = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)==([A-Za-z0-9][A-Za-z0-9.!+_-]*)")
_IN_IMAGE: Final = "/tmp"  # noqa: S108 - of an image that is being built
_HASH: Final = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class InstallSource:
    """Where keyadmin comes from: all of it in forms that neither a shell nor YAML nor a Dockerfile reads anything into.

    `what` = a wheel's path, a URL, or a package's name; `pin` = the full commit id, or the version; `hashes` = SHA-256, hex.
    """

    kind: Literal["wheel", "git", "index"]
    what: str
    pin: str = ""
    hashes: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        """What tells this one from others of the same version, for the name of an image."""
        return (self.pin if self.kind == "git" else self.hashes[0])[:12]

    @property
    def file(self) -> str:
        """The wheel's file name; empty for the others."""
        return Path(self.what).name if self.kind == "wheel" else ""

    def commands(self, wheel: str = "") -> list[str]:
        """The shell commands that install it with pip; `wheel` = where the wheel lies then, else its path."""
        if self.kind == "wheel":
            path = wheel or f"./{self.what}"
            checks = [f"echo {shlex.quote(f'{self.hashes[0]}  {path}')} | sha256sum --check -"]
            return [*checks, f"pip install --no-cache-dir {shlex.quote(path)}"]
        if self.kind == "git":
            return [f"pip install --no-cache-dir {shlex.quote(self._reference)}"]
        hashes = " ".join(f"--hash=sha256:{each}" for each in self.hashes)
        pinned = f"{self.what}=={self.pin}"
        # The file itself by its hash; then that file, with what it needs.
        return [
            f"echo {shlex.quote(f'{pinned} {hashes}')} > /tmp/release.txt",
            "pip download --no-deps --require-hashes --requirement /tmp/release.txt --dest /tmp/release",
            "pip install --no-cache-dir /tmp/release/*",
        ]

    @property
    def dockerfile(self) -> str:
        """The lines of a Dockerfile that install it; the wheel lies beside it. Commits are built where git is."""
        if self.kind == "git":
            built = f"pip wheel --no-cache-dir --no-deps --wheel-dir /wheel {shlex.quote(self._reference)}"
            image = f"FROM python:3.13 AS wheel\nRUN {built}\nFROM python:3.13-slim\nCOPY --from=wheel /wheel /wheel\n"
            return f"{image}RUN pip install --no-cache-dir /wheel/*.whl"
        copy = f"COPY {self.file} {_IN_IMAGE}/{self.file}\n" if self.kind == "wheel" else ""
        steps = " \\\n && ".join(self.commands(f"{_IN_IMAGE}/{self.file}"))
        return f"FROM python:3.13-slim\n{copy}RUN {steps}"

    @property
    def _reference(self) -> str:
        return f"keyadmin @ git+{self.what}@{self.pin}"


def parse_source(text: str, hashes: Sequence[str] = ()) -> InstallSource:
    """`--install-from` with its `--hash`es. Raises usage() for anything that is not pinned."""
    kind, _, value = text.partition(":")
    digests = tuple(_digest(each) for each in hashes)
    if kind == "wheel":
        return _wheel(value, digests)
    if kind == "git":
        return _commit(value, digests)
    if kind == "index":
        return _release(value, digests)
    raise usage(f"--install-from {text!r} is none of wheel:PATH, git:REPOSITORY@COMMIT and index:NAME==VERSION", *CHOICES)


def as_running(direct_url: str | None = None) -> InstallSource:
    """As the running keyadmin was installed. Raises usage() with the choices where others cannot install it so.

    `direct_url` = the text of its `direct_url.json`, else that which is there.
    """
    told = _direct_url() if direct_url is None else direct_url
    try:
        data = json.loads(told) if told else None
        return _installed(data)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _unknown("its direct_url.json says nothing that can be used") from None


def installed_program() -> str:
    """The absolute path of the running keyadmin's command, else of that on the PATH. Raises usage() where there is none."""
    beside = Path(sysconfig.get_path("scripts")) / "keyadmin"
    found = str(beside) if beside.is_file() else shutil.which("keyadmin")
    if found is None:
        raise usage("there is no program keyadmin on this machine that a schedule could run", "install keyadmin with pip")
    return str(Path(found).absolute())


def _direct_url() -> str | None:
    try:
        return distribution("keyadmin").read_text("direct_url.json")
    except PackageNotFoundError:
        return None


def _installed(data: Any) -> InstallSource:
    if data is None:
        raise _unknown("it was installed from an index, whose hash is not known")
    url = str(data["url"])
    if "dir_info" in data:
        what = "editable, from" if data["dir_info"].get("editable") else "from"
        raise _unknown(f"it was installed {what} a folder of this machine", *_wheel_of(unquote(urlsplit(url).path)))
    if "vcs_info" in data:
        return _as_choice(f"git:{url}@{data['vcs_info']['commit_id']}")
    archive = data["archive_info"]
    found = archive.get("hashes", {}).get("sha256") or archive.get("hash", "").removeprefix("sha256=")
    if urlsplit(url).scheme != "file":
        raise _unknown(f"it was installed from {url}, which is neither an index nor a repository")
    return _as_choice(f"wheel:{unquote(urlsplit(url).path)}", *([f"sha256:{found}"] if found else []))


def _as_choice(text: str, *hashes: str) -> InstallSource:
    try:
        return parse_source(text, hashes)
    except Problem as problem:
        raise _unknown(problem.message) from None


def _wheel_of(folder: str) -> tuple[str, ...]:
    """The way that is always there with a folder: a wheel of it, beside the files that will be written."""
    if not Path(folder).is_dir():
        return ()
    made = f"pip wheel --no-deps --wheel-dir deploy {shlex.quote(folder)}"
    return (
        f"make a wheel of it: {made}",
        f"and add: --install-from wheel:deploy/keyadmin-{__version__}-py3-none-any.whl --output deploy",
    )


def _unknown(why: str, *first: str) -> Problem:
    said = f"keyadmin cannot tell from this installation how to install the scheduled one: {why}"
    return usage(said, *first, *CHOICES)


def _digest(text: str) -> str:
    found = _HASH.fullmatch(text)
    if found is None:
        raise usage(f"--hash {text!r} does not read sha256: and 64 hexadecimal digits", "pip hash FILE prints one")
    return found[1]


def _wheel(value: str, digests: tuple[str, ...]) -> InstallSource:
    """A wheel on this machine, or in the repository that a workflow runs in. Its hash is worked out where the file is here."""
    if not _WHEEL.fullmatch(value):
        raise usage(f"wheel:{value}: not the path of a .whl file, of letters, digits and . / + - _ only", *CHOICES)
    path = Path(value)
    if path.is_file():
        known = hashlib.sha256(path.read_bytes()).hexdigest()
        if digests and digests != (known,):
            raise usage(f"{value} has the hash sha256:{known}, not the one that was given", "name the right file")
        return InstallSource("wheel", value, hashes=(known,))
    if len(digests) != 1:
        raise usage(
            f"there is no file {value} here, so its hash is not known", "add --hash sha256:HEX (pip hash FILE prints it)"
        )
    return InstallSource("wheel", value, hashes=digests)


def _commit(value: str, digests: tuple[str, ...]) -> InstallSource:
    url, _, revision = value.removeprefix("git+").rpartition("@")
    if not _URL.fullmatch(url):
        raise usage(f"git:{value}: the repository is not a https:// or ssh:// URL without a user's name", *CHOICES)
    if not _REVISION.fullmatch(revision):
        wrong = f"git:{value}: {revision!r} is not a full commit id; a branch or a tag can be moved"
        raise usage(wrong, "git rev-parse HEAD prints it: 40 or 64 hexadecimal digits")
    if digests:
        raise usage("--hash is for wheels and releases: a commit's id is its hash", "leave it out")
    return InstallSource("git", url, revision)


def _release(value: str, digests: tuple[str, ...]) -> InstallSource:
    found = _RELEASE.fullmatch(value)
    if found is None:
        raise usage(f"index:{value}: does not read NAME==VERSION", *CHOICES)
    if not digests:
        raise usage(f"index:{value}: an index can be made to serve another package", "add --hash sha256:HEX (pip hash FILE)")
    return InstallSource("index", found[1], found[2], digests)
