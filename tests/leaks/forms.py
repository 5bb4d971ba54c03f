"""The forms in which key strings lie about: each makes a text of a key string."""

from __future__ import annotations

import base64
import json
import quopri
import random
import string
from collections.abc import Callable

Form = Callable[[str], str]
LETTERS = string.ascii_letters + string.digits + "-_"


def a_key(dice: random.Random) -> str:
    """A made-up key string, of the shape of Google's: auth keys have a digit, as nearly all have."""
    if dice.random() < 0.5:
        return "AIzaSy" + "".join(dice.choice(LETTERS) for _ in range(33))
    body = "".join(dice.choice(LETTERS) for _ in range(dice.randint(30, 60)))
    return f"{dice.choice(('AQ.Ab8RN6', 'AQ.', 'IQ.'))}{body}7"


def _each(form: str) -> Form:
    return lambda key: f"x = '{''.join(form % ord(each) for each in key)}'"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _quoted_printable(text: str) -> str:
    return quopri.encodestring(text.encode()).decode()


FORMS: dict[str, Form] = {
    "plain": lambda key: f"KEY = '{key}'",
    "JSON, after a line break": lambda key: json.dumps({"cell": f"import os\n{key}\n"}),
    "JSON, after a tab": lambda key: json.dumps({"log": f"key:\t{key}"}),
    "JSON in JSON": lambda key: json.dumps(json.dumps({"a": f"b\n{key}\nc"})),
    "JSON, \\u003d": lambda key: f"https://maps.example/js?key\\u003d{key}\\u0026v=3",
    "C, \\x3d": lambda key: f"key\\x3d{key}\\x26",
    "C, \\075": lambda key: f"key\\075{key}\\046",
    "percent": lambda key: f"u=https%3A%2F%2Fmaps.example%2Fjs%3Fkey%3D{key}%26v%3D3",
    "percent, twice": lambda key: f"u=key%253D{key}%2526v",
    "quoted-printable": lambda key: f"<a href=3D\"x?key=3D{key}=20\">",
    "quoted-printable, folded": lambda key: _quoted_printable(f"<p>Use this one, please:</p><script src='https://maps.example/js?key={key}&v=3'>"),
    "HTML, decimal": lambda key: f"?key&#61;{key}&#38;",
    "HTML, by name": lambda key: f"&quot;{key}&quot;",
    "terminal colours": lambda key: f"\x1b[32mGET\x1b[0m key=\x1b[33m{key}\x1b[0m",
    "terminal colours, as text": lambda key: f"^[[33m{key}^[[0m",
    "grep --color": lambda key: f"a=\x1b[01;31m\x1b[K{key[:4]}\x1b[m\x1b[K{key[4:]}",
    "glued to a word": lambda key: f"prefix_{key}",
    "base64 of the key": _base64,
    "base64 of a text": lambda key: f"  data: {_base64(f'GEMINI_API_KEY={key}' + chr(10))}",
    "base64 of base64": lambda key: f"  data: {_base64(_base64(f'k={key}'))}" if key[0] == "A" else f"  data: {_base64(key)}",
    "base64 of JSON": lambda key: _base64(json.dumps({"a": f"\n{key}\n"})),
    "base64 for URLs": lambda key: base64.urlsafe_b64encode(f"?key={key}&v=3".encode()).decode().rstrip("="),
    "every character, percent": _each("%%%02X"),
    "every character, \\u": _each("\\u%04x"),
    "every character, \\x": _each("\\x%02x"),
    "every character, HTML": _each("&#%d;"),
    "underscores and hyphens, percent": lambda key: key.replace("-", "%2D").replace("_", "%5F").replace(".", "%2E"),
}  # fmt: skip
