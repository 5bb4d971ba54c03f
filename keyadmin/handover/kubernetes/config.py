"""Which cluster, and as whom: a context of the kubeconfig, or the service account of the pod that keyadmin runs in.

Forms: "Organizing Cluster Access Using kubeconfig Files" and "Accessing the Kubernetes API from a Pod" (kubernetes.io).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from keyadmin.cloud.network import Roots, is_loopback, ssl_context, trusted_roots
from keyadmin.handover.http import HttpTarget
from keyadmin.handover.kubernetes import exec_plugin
from keyadmin.model.problem import Cause, Problem, usage

POD: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_NAME: Final = "Kubernetes"


def in_cluster() -> bool:
    """Whether this process runs in a pod that may call its cluster."""
    return bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and (POD / "token").exists()


@dataclass(frozen=True)
class Kubeconfig:
    """The merged kubeconfig files: contexts, clusters and users by name; `folders` = where relative paths count from."""

    current: str
    contexts: Mapping[str, Mapping[str, Any]]
    clusters: Mapping[str, Mapping[str, Any]]
    users: Mapping[str, Mapping[str, Any]] = field(repr=False)
    folders: Mapping[tuple[str, str], Path]


def paths() -> list[Path]:
    """The kubeconfig files, as kubectl takes them."""
    listed = [Path(text) for text in os.environ.get("KUBECONFIG", "").split(os.pathsep) if text]
    return listed or [Path("~/.kube/config").expanduser()]


def read(files: Sequence[Path] | None = None) -> Kubeconfig:
    """The files merged: the first that sets a value wins. Raises usage() for what cannot be read."""
    import yaml

    current, folders = "", {}
    found: dict[str, dict[str, Mapping[str, Any]]] = {"contexts": {}, "clusters": {}, "users": {}}
    for path in paths() if files is None else files:
        try:
            document = yaml.safe_load(path.read_text("utf-8")) or {}
            for kind, entries in found.items():
                for entry in document.get(kind) or ():
                    if entry["name"] not in entries:
                        entries[entry["name"]] = entry.get(kind[:-1]) or {}
                        folders[kind, entry["name"]] = path.parent
        except FileNotFoundError:
            continue
        except (OSError, ValueError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
            raise usage(f"the kubeconfig {path} cannot be read: {type(error).__name__}", "see: kubectl config view") from None
        current = current or str(document.get("current-context") or "")
    return Kubeconfig(current, found["contexts"], found["clusters"], found["users"], folders)


def current_context() -> str:
    """The context that kubectl would use now. Raises usage() where there is none."""
    config = read()
    if not config.current:
        raise usage(
            "the sink kubernetes names no context, this is not a pod, and no kubeconfig has a current context",
            "write kubernetes:CONTEXT/NAMESPACE/SECRET; kubectl config get-contexts lists the contexts",
        )
    return config.current


async def target(context: str) -> HttpTarget:
    """Where the API server is, with credentials. `context` empty = the pod's own cluster. Raises Problem."""
    if not context:
        return _of_pod()
    config = read()
    if context not in config.contexts:
        known = ", ".join(sorted(config.contexts)) or "none"
        raise usage(f"no kubeconfig has the context {context!r}", f"contexts there are: {known}")
    names = config.contexts[context]
    cluster = _entry(config, "clusters", str(names.get("cluster") or ""))
    user = _entry(config, "users", str(names.get("user") or ""))
    return await _of_context(config, context, cluster, user)


def _of_pod() -> HttpTarget:
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST", ""), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    try:
        token = (POD / "token").read_text("utf-8").strip()  # renewed by the cluster: read at each use
        roots = Roots((POD / "ca.crt").read_bytes(), str(POD / "ca.crt"))
    except OSError as error:
        raise _no_credentials(f"the pod's service account cannot be read: {error.strerror}") from None
    if ":" in host:
        host = f"[{host}]"
    return HttpTarget(_NAME, f"https://{host}:{port}", _bearer(token), ssl_context(roots))


def _entry(config: Kubeconfig, kind: str, name: str) -> tuple[Mapping[str, Any], Path]:
    entries: Mapping[str, Mapping[str, Any]] = getattr(config, kind)
    if name not in entries:
        raise usage(f"the kubeconfig names {kind[:-1]} {name!r} and does not describe it", "see: kubectl config view")
    return entries[name], config.folders[kind, name]


async def _of_context(
    config: Kubeconfig, context: str, cluster: tuple[Mapping[str, Any], Path], user: tuple[Mapping[str, Any], Path]
) -> HttpTarget:
    described, folder = cluster
    server = str(described.get("server") or "")
    if described.get("insecure-skip-tls-verify"):
        raise usage(
            f"the cluster of the context {context} is not verified (insecure-skip-tls-verify): anybody could answer and get it",
            "give the cluster its certificate-authority-data instead",
        )
    if described.get("proxy-url"):
        raise usage(
            f"the cluster of the context {context} has a proxy-url of its own, which keyadmin does not use",
            "set HTTPS_PROXY instead",
        )
    credentials = await _credentials(context, described, *user)
    roots = _bytes(described, "certificate-authority", folder)
    secure = not (
        server.startswith("http://") and is_loopback(server.removeprefix("http://").partition(":")[0].partition("/")[0])
    )
    tls = ssl_context(Roots(roots, None) if roots else trusted_roots()) if secure else None
    if tls is not None and credentials.certificate is not None:
        _load(tls, *credentials.certificate)
    return HttpTarget(_NAME, server, credentials.headers, tls)


@dataclass(frozen=True)
class _Credentials:
    headers: Mapping[str, str] = field(repr=False)
    certificate: tuple[bytes, bytes] | None = field(repr=False, default=None)


async def _credentials(context: str, cluster: Mapping[str, Any], user: Mapping[str, Any], folder: Path) -> _Credentials:
    as_whom = (("Impersonate-User", "as"), ("Impersonate-Uid", "as-uid"))
    headers = {name: str(user[option]) for name, option in as_whom if option in user}
    certificate, key = _bytes(user, "client-certificate", folder), _bytes(user, "client-key", folder)
    if "exec" in user:
        found = await exec_plugin.run(user["exec"], cluster, folder)
        headers |= _bearer(found.token) if found.token else {}
        certificate, key = found.certificate or certificate, found.key or key
    elif token := user.get("token"):
        headers |= _bearer(str(token))
    elif file := user.get("tokenFile"):
        headers |= _bearer(_read(folder / str(file)).decode().strip())
    elif "username" in user:
        word = base64.b64encode(f"{user['username']}:{user.get('password', '')}".encode()).decode()
        headers |= {"Authorization": f"Basic {word}"}
    elif "auth-provider" in user:
        raise _no_credentials(f"the context {context} uses an auth-provider, which Kubernetes removed in 1.26")
    return _Credentials(headers, (certificate, key) if certificate and key else None)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _bytes(entry: Mapping[str, Any], name: str, folder: Path) -> bytes | None:
    """`NAME-data` (base64), or the file that `NAME` names."""
    if text := entry.get(f"{name}-data"):
        try:
            return base64.b64decode(str(text), validate=True)
        except binascii.Error:
            raise usage(f"the kubeconfig's {name}-data is not base64", "see: kubectl config view --raw") from None
    file = entry.get(name)
    return _read(folder / str(file)) if file else None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise usage(f"{path}, which the kubeconfig names, cannot be read: {error.strerror}") from None


def _load(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """ssl reads certificates from files alone: where the system can, from one that lies in memory and has no name."""
    try:
        with _nameless(certificate + b"\n" + key) as path:
            context.load_cert_chain(path)
    except ssl.SSLError as error:
        raise _no_credentials(f"the kubeconfig's client certificate cannot be used: {error.reason}") from None


@contextlib.contextmanager
def _nameless(data: bytes) -> Iterator[str]:
    """A path by which these bytes can be read meanwhile."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        descriptor = os.memfd_create("keyadmin")
        try:
            os.write(descriptor, data)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with tempfile.NamedTemporaryFile(prefix="keyadmin-", suffix=".pem") as file:
        file.write(data)
        file.flush()
        yield file.name


def _no_credentials(message: str) -> Problem:
    return Problem(Cause.CREDENTIALS_MISSING, message, fix=("see whether kubectl works there: kubectl auth whoami",))
