"""Credentials from a program that the kubeconfig names (gke-gcloud-auth-plugin, aws eks get-token, kubelogin ...).

Form: client.authentication.k8s.io/v1 and v1beta1 ExecCredential (kubernetes.io, "Authenticating", client-go credential
plugins).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from keyadmin.local.subprocesses import environment
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import redact

TIMEOUT_S: Final = 60.0
_SHOWN: Final = 300


@dataclass(frozen=True)
class PluginCredentials:
    """What the program answered."""

    token: str = field(default="", repr=False)
    certificate: bytes | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)


async def run(described: Mapping[str, Any], cluster: Mapping[str, Any], folder: Path) -> PluginCredentials:
    """Start the program of a kubeconfig's `exec` and read its answer. Raises Problem; the person's own login is its matter."""
    command = str(described.get("command") or "")
    if "/" in command and not command.startswith("/"):
        command = str(folder / command)
    variables = {str(each["name"]): str(each["value"]) for each in described.get("env") or ()}
    info: dict[str, Any] = {"interactive": False}
    if described.get("provideClusterInfo"):
        info["cluster"] = {name: value for name, value in cluster.items() if name != "extensions"}
    variables["KUBERNETES_EXEC_INFO"] = json.dumps(
        {"kind": "ExecCredential", "apiVersion": described.get("apiVersion"), "spec": info}
    )
    try:
        process = await asyncio.create_subprocess_exec(
            *(command, *map(str, described.get("args") or ())),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment() | variables,
        )
    except OSError as error:
        raise _failed(command, f"it cannot be started: {error.strerror}") from None
    try:
        out, err = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
    except TimeoutError:
        raise _failed(command, f"it did not end within {TIMEOUT_S:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        said = redact(" ".join(err.decode(errors="replace").split())[-_SHOWN:])
        raise _failed(command, f"it ended with exit code {process.returncode}{f': {said}' if said else ''}")
    return _read(command, out)


def _read(command: str, out: bytes) -> PluginCredentials:
    try:
        status = json.loads(out)["status"]
        certificate, key = status.get("clientCertificateData"), status.get("clientKeyData")
        return PluginCredentials(
            str(status.get("token") or ""), certificate.encode() if certificate else None, key.encode() if key else None
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _failed(command, "its answer is not an ExecCredential") from None


def _failed(command: str, why: str) -> Problem:
    return Problem(
        Cause.CREDENTIALS_MISSING,
        f"the kubeconfig's credentials program {command} gave no credentials: {why}",
        fix=("see whether kubectl works with this context: kubectl auth whoami",),
    )
