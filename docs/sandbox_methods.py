"""Writes docs/reference/sandbox-methods.md: which methods of Google's discovery documents the sandbox answers.

`python docs/sandbox_methods.py`; needs google-api-python-client, which brings the documents.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "reference" / "sandbox-methods.md"


def methods(resource: Any) -> Iterator[tuple[str, str, str]]:
    """(id, HTTP method, path) of all methods below a resource of a discovery document."""
    for method in resource.get("methods", {}).values():
        yield method["id"], method["httpMethod"], method.get("flatPath", method["path"])
    for inner in resource.get("resources", {}).values():
        yield from methods(inner)


def sample(path: str) -> str:
    """A path that fits: ids for its variables."""
    path = re.sub(r"\{v1Id\}/\{v1Id1\}|projects/\{\w+\}", "projects/p", path)
    path = re.sub(r"organizations/\{\w+\}", "organizations/1", path)
    return "/" + re.sub(r"\{\+?\w+\}", "x1", path)


def page() -> str:
    """The page's text."""
    from keyadmin.sandbox.registry import apis, services
    from keyadmin.sandbox.transport.routes import Router

    router = Router(apis())
    out = [
        "# Methods of the sandbox\n",
        "Made by `python docs/sandbox_methods.py` from Google's discovery documents and the sandbox's routes. What is not",
        "implemented answers 501 UNIMPLEMENTED. Over gRPC the same methods are there, for the services named in",
        "[the sandbox's own page](../sandbox.md).\n",
    ]
    folder = files("googleapiclient.discovery_cache").joinpath("documents")
    for name in (name for service in services().values() for name in service.discovery):
        document = json.loads(folder.joinpath(f"{name}.json").read_text("utf-8"))
        found = sorted(set(methods(document)))
        there = [method for method, http, path in found if router.find(http, sample(path))]
        missing = [method for method, _, _ in found if method not in there]
        out.append(f"## {document['title']} {document['version']} (revision {document['revision']})\n")
        out.append(f"Implemented, {len(there)} of {len(found)}: {', '.join(f'`{method}`' for method in there)}.\n")
        if missing:
            out.append(f"Not implemented: {', '.join(f'`{method}`' for method in missing)}.\n")
    out.append("## Gemini API (no discovery document at hand; the sandbox's own list)\n")
    gemini = [method for api in apis().values() if api.credentials == "key" for method in api.methods.values()]
    out.append(f"Implemented: {', '.join(f'`{route}`' for method in gemini for route in method.routes)}.\n")
    out.append("Not implemented: everything else, such as files, caches, tuning, batches, embeddings and the Live API.\n")
    return "\n".join(out)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
