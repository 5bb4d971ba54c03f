"""Writes docs/reference/sandbox-methods.md: which methods of Google's discovery documents the sandbox answers.

Every method is called in a running sandbox: one counts as implemented if the answer is not 501 and the request log names the
method itself, not another one that took the call. `python docs/sandbox_methods.py`; needs google-api-python-client, which
brings the documents.
"""

from __future__ import annotations

import asyncio
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


async def answered(asked: list[tuple[str, str, str]]) -> set[str]:
    """The ids of those methods that a sandbox answers itself."""
    import aiohttp

    from keyadmin.sandbox.cloud import LocalCloud
    from keyadmin.sandbox.server import Server

    cloud = LocalCloud()
    cloud.start()
    server = Server(cloud)
    await server.open_tcp("127.0.0.1", 0, 0)
    found = set()
    try:
        async with aiohttp.ClientSession(server.rest_address) as session:
            for name, http, path in asked:
                cloud.requests.clear()
                async with session.request(http, sample(path), json=None if http == "GET" else {}) as answer:
                    if answer.status != 501 and cloud.requests and same(name, cloud.requests[-1][0]):
                        found.add(name)
    finally:
        await server.close()
    return found


def same(discovered: str, served: str) -> bool:
    """Whether `apikeys.projects.locations.keys.create` is `google.api.apikeys.v2.ApiKeys.CreateKey`."""
    verb, name = discovered.rpartition(".")[2].lower(), served.rpartition(".")[2].lower()
    return name.startswith(verb)


def page() -> str:
    """The page's text."""
    from keyadmin.sandbox.registry import apis, services

    out = [
        "# Methods of the sandbox\n",
        "Made by `python docs/sandbox_methods.py`: every method of Google's discovery documents was called in a sandbox.",
        "What is not implemented answers 501 UNIMPLEMENTED. Over gRPC the same methods are there, for the services named in",
        "[the sandbox's own page](../sandbox.md).\n",
    ]
    folder = files("googleapiclient.discovery_cache").joinpath("documents")
    for name in (name for service in services().values() for name in service.discovery):
        document = json.loads(folder.joinpath(f"{name}.json").read_text("utf-8"))
        found = sorted(set(methods(document)))
        served = asyncio.run(answered(found))
        there = [method for method, _, _ in found if method in served]
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
