"""Credentials of the machine: the metadata server of Compute Engine, Cloud Run, GKE and their kin."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from keyadmin.cloud.credentials import SCOPE, CallerIdentity
from keyadmin.cloud.identity import IdentityTransport
from keyadmin.cloud.sources import UNIVERSE, Loaded, Source, check_universe
from keyadmin.model.loading import load
from keyadmin.model.problem import Problem

DEFAULT_HOST: Final = "metadata.google.internal"
DEFAULT_ADDRESS: Final = "169.254.169.254"
PRODUCT: Final = Path("/sys/class/dmi/id/product_name")  # "Google Compute Engine" on its machines
PATIENT_S: Final = 6.0  # where the machine is known to be Google's
BRIEF_S: Final = 1.5  # where it most likely is not
_FLAVOR: Final = {"Metadata-Flavor": "Google"}
_MARKS: Final = ("K_SERVICE", "CLOUD_RUN_JOB", "FUNCTION_TARGET", "GAE_SERVICE", "GCE_METADATA_HOST", "GCE_METADATA_IP")


def metadata_host(env: Mapping[str, str]) -> str:
    """HOST or HOST:PORT of the metadata server (google.auth.environment_vars)."""
    return env.get("GCE_METADATA_HOST") or env.get("GCE_METADATA_ROOT") or DEFAULT_HOST


async def from_machine(env: Mapping[str, str], transport: IdentityTransport) -> Loaded | None:
    """The machine's own account; None where no metadata server answers. Raises Problem for another universe."""
    if env.get("NO_GCE_CHECK") == "true":
        return None
    if not await _there(env, transport):
        return None
    host = metadata_host(env)
    place = f"the metadata server {host}"
    universe = await _value(transport, host, "universe/universe-domain") or UNIVERSE
    check_universe(universe.strip(), place)
    project = await _value(transport, host, "project/project-id")
    credentials: Any = load("google.auth.compute_engine").Credentials(scopes=[SCOPE], universe_domain=UNIVERSE)
    caller = CallerIdentity(
        None,
        "metadata-server",
        quota_project=env.get("GOOGLE_CLOUD_QUOTA_PROJECT") or None,
        credentials_project=project,
        own_project=project,
    )
    return Loaded(Source("metadata-server", place), caller, credentials)


async def _there(env: Mapping[str, str], transport: IdentityTransport) -> bool:
    """Whether a metadata server answers: long where the machine says that it is Google's, briefly elsewhere."""
    import asyncio

    known = any(env.get(mark) for mark in _MARKS) or _product().startswith("Google")
    address = env.get("GCE_METADATA_IP") or env.get("GCE_METADATA_HOST") or DEFAULT_ADDRESS
    try:
        async with asyncio.timeout(PATIENT_S if known else BRIEF_S):
            answer = await transport.ask("GET", f"http://{address}/", headers=_FLAVOR, tries=3 if known else 1)
    except (Problem, TimeoutError):
        return False
    return answer.status == 200 and answer.headers.get("Metadata-Flavor") == "Google"


async def _value(transport: IdentityTransport, host: str, path: str) -> str | None:
    """One value; None where the server has none or does not say."""
    try:
        answer = await transport.ask("GET", f"http://{host}/computeMetadata/v1/{path}", headers=_FLAVOR, tries=2)
    except Problem:
        return None
    text = answer.data.decode("utf-8", "replace").strip()
    return text if answer.status == 200 and text and "<" not in text else None


def _product() -> str:
    try:
        return PRODUCT.read_text("utf-8").strip() if os.name == "posix" else ""
    except OSError:
        return ""
