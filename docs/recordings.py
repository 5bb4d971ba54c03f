"""Writes the terminal recordings of docs/recordings: what keyadmin prints in a sandbox, as SVG. Part of `nox -s docs`.

Each is a run, now, on a terminal of 96 columns; nothing is written by hand but the commands.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Final

OUT: Final = Path(__file__).parent / "recordings"
COLUMNS: Final = 96
SCENES: Final = {
    "first-key": (
        "keyadmin doctor",
        'keyadmin keys create --name "my first key"',
        'keyadmin keys verify "my first key"',
        "keyadmin keys list",
    ),
    "why-not": ("keyadmin explain '429 ... generate_content_free_tier_requests, limit: 0, model: gemini-2.5-pro'",),
    "audit": ("keyadmin audit -p old-maps-site",),
    "leak": (
        "keyadmin keys usage worker-001 -p crowded-project",
        "keyadmin keys compromised worker-001 -p crowded-project --dry-run",
    ),
}
_PROMPT: Final = "\x00"
_ESCAPE: Final = re.compile(r"\x1b\[([0-9;]*)m")
_OTHER: Final = re.compile(r"\x1b(\[[0-9;?]*[A-Za-ln-z]|\][^\x07]*\x07|[()][A-Z0-9]|[=>])")
_COLOURS: Final = {"31": "r", "32": "g", "33": "y", "34": "b", "35": "m", "36": "c", "91": "r", "92": "g", "93": "y", "94": "b"}
_STYLE: Final = """
text { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #dfe4ea; white-space: pre; }
.p { fill: #8ab8ff; } .k { font-weight: 700; } .d { fill: #a6b0bb; } .r { fill: #ff9d94; } .g { fill: #8fdc9b; }
.y { fill: #ffd07a; } .b { fill: #94c7ff; } .m { fill: #e2b0ff; } .c { fill: #86e1e6; }
"""
_LINE, _CHARACTER, _EDGE = 19, 7.83, 16


def recorded(lines: tuple[str, ...], env: Mapping[str, str] | None = None, folder: Path | None = None) -> list[str]:
    """What a terminal shows of these commands, line by line, with its colours; prompts included.

    In the embedded sandbox and a folder that is gone afterwards, or with `env`, in `folder`.
    """
    out: list[str] = []
    with tempfile.TemporaryDirectory() as empty:
        home = str(folder or empty)
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        chosen = {"KEYADMIN_SANDBOX": "1"} if env is None else dict(env)
        chosen |= {"PATH": path, "HOME": home, "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
        for line in lines:
            out += [f"{_PROMPT}$ {line}", *_run(line, chosen, home), ""]
    return out[:-1]


def _run(line: str, env: dict[str, str], folder: str) -> list[str]:
    """The lines that one command prints on a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(  # noqa: S602 - lines of this file
        line, shell=True, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    ):
        os.close(theirs)
        text = _all(ours)
    shown = _OTHER.sub("", text).replace("\r\n", "\n").rstrip("\n").split("\n")
    last = [line.rpartition("\r")[2].rstrip() for line in shown]  # a progress line is what stands there last
    return [row for line in last for row in _rows(line)]


def _rows(line: str) -> list[str]:
    """A line as the terminal breaks it where it is full; a colour goes on behind the break."""
    rows, room, colour = [""], COLUMNS, ""
    for place, part in enumerate(_ESCAPE.split(line)):
        if place % 2:
            colour = f"\x1b[{part}m"
            rows[-1] += colour
            continue
        while len(part) > room:
            rows[-1] += part[:room]
            part, room = part[room:], COLUMNS
            rows.append(colour)
        rows[-1] += part
        room -= len(part)
    return rows


def _all(descriptor: int) -> str:
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:  # the other end is closed (pty(7))
            part = b""
        if not part:
            os.close(descriptor)
            return b"".join(parts).decode("utf-8", "replace")
        parts.append(part)


def picture(lines: list[str], title: str) -> str:
    """The lines as SVG that loads nothing."""
    longest = max(COLUMNS, *(len(_ESCAPE.sub("", line)) for line in lines))
    width, height = int(longest * _CHARACTER + 2 * _EDGE), len(lines) * _LINE + 2 * _EDGE
    rows = "\n".join(
        f'<text x="{_EDGE}" y="{_EDGE + 13 + place * _LINE}">{_spans(line)}</text>' for place, line in enumerate(lines) if line
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">\n<title>{escape(title)}</title>\n'
        f'<style>{_STYLE}</style>\n<rect width="{width}" height="{height}" rx="10" fill="#171b22"/>\n{rows}\n</svg>\n'
    )


def _spans(line: str) -> str:
    """A line with its colours as classes."""
    if line.startswith(_PROMPT):
        prompt = escape(line.removeprefix(_PROMPT))
        return f'<tspan class="p k">{prompt}</tspan>'
    out, classes = [], ""
    for place, part in enumerate(_ESCAPE.split(line)):
        if place % 2:
            classes = _classes(part)
        elif part:
            out.append(f'<tspan class="{classes}">{escape(part)}</tspan>' if classes else escape(part))
    return "".join(out)


def _classes(codes: str) -> str:
    names = {"1": "k", "2": "d"} | _COLOURS
    return " ".join(names[code] for code in codes.split(";") if code in names)


def main() -> None:
    """All recordings, anew."""
    OUT.mkdir(exist_ok=True)
    for name, lines in SCENES.items():
        (OUT / f"{name}.svg").write_text(picture(recorded(lines), "; ".join(lines)), "utf-8")


if __name__ == "__main__":
    main()
