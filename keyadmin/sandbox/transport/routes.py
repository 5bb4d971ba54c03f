"""REST paths to methods: Google's path templates (google/api/http.proto), several APIs on one port."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

from keyadmin.sandbox.api import Api, Method

_DOMAIN_SCOPED = re.compile(r".*/projects/[a-z0-9-]+(\.[a-z0-9-]+)+:[a-z][a-z0-9-]*")  # example.com:my-project
HOSTS = "/_hosts/"  # the host name of Google's that a path is meant for, where the path alone does not tell


class Match(NamedTuple):
    """A method and the values of its path's variables."""

    method: Method
    variables: dict[str, str]


@dataclass(frozen=True)
class _Route:
    pattern: re.Pattern[str]
    names: tuple[str, ...]
    method: Method
    wild: int  # how unspecific: several segments at once count most


def _compile(template: str) -> tuple[re.Pattern[str], tuple[str, ...], int]:
    """`/v2/{parent=projects/*/locations/*}/keys` as a regular expression and its variables."""
    names: list[str] = []

    def segments(text: str) -> str:
        parts = re.split(r"(\*\*|\*)", text)
        return "".join({"*": "[^/]+", "**": ".+"}.get(part, re.escape(part)) for part in parts)

    out, rest = "", template
    while found := re.search(r"\{([\w.]+)(?:=([^}]*))?\}", rest):
        out += segments(rest[: found.start()]) + f"({segments(found[2] or '*')})"
        names.append(found[1])
        rest = rest[found.end() :]
    wild = template.count("**") * 100 + template.replace("**", "").count("*")
    return re.compile(out + segments(rest)), tuple(names), wild


class Router:
    """All routes, found by HTTP method, custom verb (`:enable`) and the path's first two segments, the most specific first."""

    def __init__(self, apis: dict[str, Api]) -> None:
        self._routes: dict[tuple[str, str, str, str], list[_Route]] = {}  # "*" = any second segment
        for api in apis.values():
            for method in api.methods.values():
                for route in method.routes:
                    http, _, template = route.partition(" ")
                    path, verb = _split_verb(template)
                    pattern, names, wild = _compile(path)
                    self._routes.setdefault((http, verb, *_head(path)), []).append(_Route(pattern, names, method, wild))
        for (http, verb, first, second), routes in self._routes.items():
            if second != "*":
                routes += self._routes.get((http, verb, first, "*"), [])
        for routes in self._routes.values():
            routes.sort(key=lambda route: route.wild)

    def find(self, http: str, raw_path: str) -> Match | None:
        """The method for a percent-encoded path; None if there is none."""
        head, slash, last = raw_path.rpartition("/")
        plain = f"{head}{slash}{last.replace('%3a', ':').replace('%3A', ':')}"  # some clients escape the colon of a custom verb
        path, verb = _split_verb(plain)
        match = self._match(http, verb, path)
        if match is None and verb and _DOMAIN_SCOPED.fullmatch(plain):
            match = self._match(http, "", plain)  # no verb: the colon belongs to a project's id
        return match

    def find_by_host(self, http: str, raw_path: str) -> Match | None:
        """The method for `/_hosts/HOST/PATH`: that of the service of this name, else the one that stands for any other."""
        host, slash, rest = raw_path.removeprefix(HOSTS).partition("/")
        match = self.find(http, f"/{rest}") if slash else None
        if match is not None and match.method.api.host == host:
            return match
        if match is not None and host.endswith(".googleapis.com") and match.method.free:
            return match  # maps.googleapis.com stands before several services, told apart by the path
        return self._match(http, "", raw_path)

    def _match(self, http: str, verb: str, path: str) -> Match | None:
        _, first, second = f"{path}//".split("/", 3)[:3]
        for route in self._routes.get((http, verb, first, second)) or self._routes.get((http, verb, first, "*")) or ():
            if found := route.pattern.fullmatch(path):
                values = [unquote(value) for value in found.groups()]
                return Match(route.method, dict(zip(route.names, values, strict=True)))
        return None


def _head(template: str) -> tuple[str, str]:
    """The first two segments of a path template; `*` where the second is not fixed."""
    plain = re.sub(r"\{[\w.]+(?:=([^}]*))?\}", lambda found: found[1] or "*", template)
    first, second = f"{plain}//".split("/", 3)[1:3]
    return first, "*" if "*" in second else second


def _split_verb(path: str) -> tuple[str, str]:
    head, slash, last = path.rpartition("/")
    name, colon, verb = last.rpartition(":")
    return (head + slash + name, verb) if colon else (path, "")
