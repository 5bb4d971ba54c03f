"""`fields=keys(name,restrictions/apiTargets),nextPageToken`: partial answers.

https://cloud.google.com/apis/docs/system-parameters and the partial-response guide of Google's APIs.
"""

from __future__ import annotations

import re
from typing import Any

from keyadmin.sandbox.messages.shape import camel
from keyadmin.sandbox.messages.status import invalid

Tree = dict[str, "Tree"]  # an empty tree = everything below

_DEEPEST = 50


def parse(text: str) -> Tree:
    """The tree of wanted fields. Raises INVALID_ARGUMENT."""
    tokens = re.findall(r"[A-Za-z0-9_@$*-]+|[(),/.]", text)
    if "".join(tokens) != re.sub(r"\s", "", text):
        raise invalid(f"Invalid field selection {text[:80]}")
    tree: Tree = {}
    rest = _items(tokens, tree, text, 0)
    if rest:
        raise invalid(f"Invalid field selection {text[:80]}")
    return tree


def _items(tokens: list[str], into: Tree, text: str, depth: int) -> list[str]:
    """Read `a,b/c,d(e,f)` until `)` or the end."""
    if depth > _DEEPEST:
        raise invalid("Invalid field selection: nested too deeply")
    while True:
        node = into
        while True:
            if not tokens or tokens[0] in "(),/.":
                raise invalid(f"Invalid field selection {text[:80]}")
            node = node.setdefault(camel(tokens[0]), {})
            tokens = tokens[1:]
            if not tokens or tokens[0] not in "/.":
                break
            tokens = tokens[1:]
        if tokens and tokens[0] == "(":
            tokens = _items(tokens[1:], node, text, depth + 1)
            if not tokens or tokens[0] != ")":
                raise invalid(f"Invalid field selection {text[:80]}")
            tokens = tokens[1:]
        if not tokens or tokens[0] != ",":
            return tokens
        tokens = tokens[1:]


def select(data: Any, tree: Tree) -> Any:
    """Only the wanted fields; lists are gone through."""
    if not tree or not isinstance(data, dict | list):
        return data
    if isinstance(data, list):
        return [select(item, tree) for item in data]
    if "*" in tree:
        return {name: select(value, tree.get(name, tree["*"])) for name, value in data.items()}
    return {name: select(value, tree[name]) for name, value in data.items() if name in tree}
