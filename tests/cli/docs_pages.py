"""What pages of the documentation say to type, and the worlds in which they are read."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from keyadmin.cli.app import PROGRAM, ROOT

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGES: Final = sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))
TYPED: Final = "sh"
PLAYED: Final = {"fix-walk.md": "tests/cli/fix/test_fix_walk.py"}
"""Pages that a test of their own follows: things happen between the lines."""
_BLOCK = re.compile(r"^ *```([\w-]*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_OPEN = re.compile(rf"(?<=\$\({PROGRAM} )([^()\n]*)\n\s*(?=[^()\n]*\))")
_SUBSTITUTED = re.compile(r'"?\$\((.*?)\)"?')
_CODE = re.compile(r"#.*exit code (\d)$")
_APART = ("|", "||", "&&", "&", ";", ">", ">>", ">&", "(", ")", "<")


def blocks(page: str) -> list[tuple[str, list[str]]]:
    """The languages and lines of a page's blocks."""
    text = (DOCS / page).read_text("utf-8")
    return [(language, _OPEN.sub(r"\1 ", body).splitlines()) for language, body in _BLOCK.findall(text)]


@dataclass(frozen=True)
class Piece:
    """One program of a line, and what stands before it: a pipe, `>` and a file, or nothing."""

    before: str
    words: list[str]


def pieces(line: str) -> list[Piece]:
    """A line as a shell splits it; what is substituted is a piece of its own, before the others."""
    inner = [piece for found in _SUBSTITUTED.finditer(line) for piece in pieces(found[1])]
    lexer = shlex.shlex(_SUBSTITUTED.sub("SUBSTITUTED", line.replace("2>&1", "")), posix=True, punctuation_chars="|&;<>()")
    lexer.commenters, lexer.whitespace_split = "", True
    found = [Piece("", [])]
    for word in lexer:
        if word == "#" or (word.startswith("#") and found[-1].words):
            break
        if word in _APART:
            found.append(Piece(word, []))
        else:
            found[-1].words.append(word)
    return inner + [piece for piece in found if piece.words]


def commands(line: str) -> Iterator[list[str]]:
    """The words after `keyadmin`, of each command of keyadmin in a line of whatever language."""
    if "[OPTIONS]" in line or re.search(rf"(?<![\w./-]){PROGRAM} (?:--[\w-]+ )*(?:{'|'.join(ROOT.entries)})\b", line) is None:
        return
    for piece in pieces(line):
        for place, word in enumerate(piece.words):
            after = [each for each in piece.words[place + 1 :] if not each.startswith("-")]
            if word == PROGRAM and after and after[0] in ROOT.entries:
                yield piece.words[place + 1 :]
                break


def wanted(line: str) -> int:
    """The exit code that the line's comment names."""
    return int(found[1]) if (found := _CODE.search(line)) else 0


GEMINI: Final = "generativelanguage.googleapis.com"
MAPS: Final = "maps-backend.googleapis.com"
SERVICES: Final = [GEMINI, MAPS, *(f"{name}.googleapis.com" for name in ("apikeys", "monitoring", "serviceusage"))]
OWNED: Final = {"roles/owner": ["user:owner@example.com"]}
_RULES = ("resourcemanager.organizationAdmin", "resourcemanager.folderAdmin", "orgpolicy.policyAdmin", "cloudasset.viewer")
_TAGS = ("resourcemanager.tagAdmin", "resourcemanager.tagUser", "resourcemanager.projectCreator")
GOVERNS: Final = {f"roles/{role}": ["user:owner@example.com"] for role in (*_RULES, *_TAGS)}
NOW: Final = datetime.now(UTC)


def ago(days: int) -> str:
    """A time in the past."""
    return (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def key(name: str, *services: str, **more: Any) -> dict[str, Any]:
    """An old key, for these services, or for all; not a day without use."""
    restrictions = {"apiTargets": [{"service": service} for service in services]} if services else {}
    use = [{"service": service, "at": ago(2), "calls": 40} for service in services or (MAPS,)]
    return {"keyId": name, "displayName": name, "createTime": ago(500), "restrictions": restrictions, "use": use} | more


def auth(name: str, project: str) -> dict[str, Any]:
    """A key for the Gemini API as keyadmin makes it."""
    return key(name, GEMINI, serviceAccountEmail=f"keyadmin-gemini@{project}.iam.gserviceaccount.com")


def project(name: str, *keys: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A project of the reader's."""
    return {"projectId": name, "iam": OWNED, "services": SERVICES, "keys": [*keys], "parent": "folders/1001"} | more


def organisation(number: str, *below: dict[str, Any]) -> dict[str, Any]:
    """An organisation in which the reader has an administrator's roles, with projects."""
    name = f"organizations/{number}"
    made = {"name": name, "displayName": f"org{number}.example", "iam": GOVERNS}
    return {"organizations": [made], "projects": [{**each, "parent": name} for each in below]}


@dataclass(frozen=True)
class World:
    """What is there when somebody follows a page."""

    seed: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    verdicts: bool = False
    """Whether commands with a verdict may have found something (exit code 3) where the page does not say."""
    google: bool = False
    """Whether the page is read beside a real Google: then each command is typed with --sandbox."""
    output: dict[str, str] = field(default_factory=dict)
    """What other programs print into a pipe, by name."""
    options: dict[str, list[str]] = field(default_factory=dict)
    """What is typed besides, so that nobody waits, by command."""
    env: dict[str, dict[str, str]] = field(default_factory=dict)
    """What is in the environment, by command; `` = all."""


BOT: Final = auth("web", "my-project")
WORLDS: Final[dict[str, World]] = {
    "audit.md": World(
        organisation(
            "123456789",
            project("my-project", key("web")),
            project("shop", key("web", MAPS)),
            project("web-one"),
            project("web-two"),
        ),
        verdicts=True,
    ),
    "fix.md": World(
        {"projects": [project("my-project", key("map"))]},
        google=True,
        options={"audit fix --apply": ["--observe", "0s"]},
    ),
    "guard.md": World(organisation("123456789012", project("my-project", BOT)), google=True),
    "keys.md": World(
        {
            "projects": [
                project("demo-project", key("maps", MAPS, use=[]), key("old-key"), auth("web", "demo-project")),
                project("my-project"),
            ]
        },
        files={".bashrc": "alias ll='ls -l'\n"},
        verdicts=True,
        google=True,
    ),
    "projects.md": World(
        {
            "projects": [project("shop-prod"), project("shop-test")],
            "folders": [
                {"name": "folders/122", "displayName": "Production", "parent": "organizations/1000"},
                {"name": "folders/123", "displayName": "Tests", "parent": "organizations/1000"},
            ],
        },
        google=True,
        env={"projects default": {"KEYADMIN_SANDBOX_USER": "newcomer@gmail.com"}},
    ),
    "rotation.md": World(
        {
            "projects": [
                project("my-project", BOT, key("old-key", GEMINI, use=[])),
                project("shop-a", key("a", GEMINI), parent="folders/123456789"),
                project("shop-b", key("b", GEMINI), parent="folders/123456789"),
            ],
            "folders": [{"name": "folders/123456789", "displayName": "Shops", "parent": "organizations/1000"}],
        },
        google=True,
        env={"": {"KEYADMIN_PROJECT": "my-project"}},
    ),
    "troubleshooting.md": World(
        {"projects": [project(name) for name in ("my-project", "a", "b", "c")]},
        files={"build.log": "API key expired. Please renew the API key."},
        output={"terraform": "Error: googleapi: Error 403: Permission 'apikeys.keys.create' denied"},
        verdicts=True,
    ),
}
