"""The services that projects can enable: names, titles, and which need which."""

from __future__ import annotations

from typing import Any, Final

from keyadmin.data import services

Json = dict[str, Any]

UNKNOWN = "Sandbox: this service is not in its catalogue; a seed switched it on."

# What is enabled along with a service, and keeps what it needs from being disabled. Recorded in public threads:
# bigquery <- bigquerystorage, cloudapis; compute <- container; oslogin <- compute. Google has more of these.
NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "bigquerystorage.googleapis.com": ("bigquery.googleapis.com",),
    "cloudapis.googleapis.com": ("bigquery.googleapis.com",),
    "compute.googleapis.com": ("oslogin.googleapis.com",),
    "container.googleapis.com": ("compute.googleapis.com",),
}


def names() -> list[str]:
    """Every service's name, sorted."""
    return list(services())


def known(name: str) -> bool:
    """Whether there is such a service."""
    return name in services()


def config(name: str) -> Json:
    """A service's `config` as lists show it (recorded): quota, authentication and monitoring are there and empty."""
    title, summary = services().get(name, (name, UNKNOWN))  # a seed may enable what is not in the catalogue
    return {
        "name": name,
        "title": title,
        "documentation": {"summary": summary} if summary else {},
        "quota": {},
        "authentication": {},
        "usage": {"requirements": ["serviceusage.googleapis.com/tos/cloud"]},
        "monitoring": {},
    }


def with_needed(wanted: list[str]) -> list[str]:
    """The services and all that they need, each once."""
    out: list[str] = []
    for name in wanted:
        for one in (name, *with_needed(list(NEEDS.get(name, ())))):
            if one not in out:
                out.append(one)
    return out


def needing(name: str) -> list[str]:
    """The services that need this one, directly or through others, sorted."""
    direct = {one for one, needed in NEEDS.items() if name in needed}
    return sorted(direct.union(*(needing(one) for one in direct)))
