"""The way out as the environment describes it: proxies and certificate authorities, one answer for both transports.

gRPC's core reads other variables than Python's HTTP libraries do (no upper-case `HTTPS_PROXY`, its own roots file), so
the variables are read here and both transports are told.
"""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from keyadmin.model.command_line import typed
from keyadmin.model.problem import Cause, Problem

# The first that is set counts, for REST, gRPC and identity services alike.
CA_VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH")


_PEM: Final = re.compile(rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----.+?-----END (?:TRUSTED )?CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Roots:
    """The certificate authorities to trust: as PEM, and the file that holds the same where there is one."""

    pem: bytes
    file: str | None


def is_loopback(host: str) -> bool:
    """Whether a host name or address (IPv6 with or without brackets) is this machine's own."""
    bare = host.strip("[]").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def trusted_roots() -> Roots:
    """The first of CA_VARIABLES that is set, else what Python's ssl trusts by default. Raises Problem naming a bad file."""
    for variable in CA_VARIABLES:
        value = os.environ.get(variable)
        if value:
            return _roots_of(variable, Path(value))
    default: str | None = ssl.get_default_verify_paths().cafile  # None where the file does not exist
    if default:
        return Roots(Path(default).read_bytes(), default)
    certificates = ssl.create_default_context().get_ca_certs(binary_form=True)  # Windows keeps them in no file
    if certificates:
        return Roots("".join(map(ssl.DER_cert_to_PEM_cert, certificates)).encode(), None)
    import certifi

    return Roots(Path(certifi.where()).read_bytes(), certifi.where())


def _roots_of(variable: str, path: Path) -> Roots:
    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]  # `requests` takes a folder of certificates too
        pem = b"\n".join(block for file in files if file.is_file() for block in _PEM.findall(file.read_bytes()))
    except OSError as error:
        raise _bad_roots(variable, path, error.strerror or "cannot be read") from error
    if not pem:
        raise _bad_roots(variable, path, "holds no PEM certificate")
    return Roots(pem + b"\n", None if path.is_dir() else str(path))


def _bad_roots(variable: str, path: Path, why: str) -> Problem:
    message = f"{variable} names {path}, which cannot serve as certificate authorities: {why}"
    return Problem(Cause.NETWORK_UNREACHABLE, message, unsent=True, fix=(f"Correct or unset {variable}.",))


def ssl_context(roots: Roots) -> ssl.SSLContext:
    """A verifying client context. Raises Problem where the certificates cannot be read."""
    try:
        if roots.file is None:
            return ssl.create_default_context(cadata=roots.pem.decode("ascii"))
        return ssl.create_default_context(cafile=roots.file)
    except ssl.SSLError as error:
        message = f"the certificate authorities in {roots.file} cannot be read: {error.reason or error}"
        raise Problem(
            Cause.NETWORK_UNREACHABLE,
            message,
            unsent=True,
            fix=(f"Check the file that {ca_variable() or 'the system'} names.",),
        ) from error


def ca_variable() -> str | None:
    """The variable whose certificate authorities are in force; None = the system's own are."""
    return next((name for name in CA_VARIABLES if os.environ.get(name)), None)


def ca_advice() -> str:
    """What to do about a certificate that is not trusted: named is the variable that wins, never one that loses."""
    variable = ca_variable()
    if variable is None:
        return "If your network inspects TLS, let SSL_CERT_FILE name a file with its certificate authority."
    return f"If your network inspects TLS, its certificate authority has to be in the file that {variable} names."


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy in force for a host, and the variable (or `the system's settings`) that names it."""

    url: str
    source: str

    @property
    def shown(self) -> str:
        """Without user name and password."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}:{parts.port or 80}"


def proxy_of(host: str, port: int = 443, scheme: str = "https") -> Proxy | None:
    """The http:// proxy that a request to `host` takes, or None. Loopback and link-local hosts (metadata servers) take none.

    Raises Problem for a proxy of another kind: gRPC can only use an HTTP proxy (CONNECT).
    """
    if is_loopback(host) or _beside(host):
        return None
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    kind = scheme if proxies.get(scheme) else "all"
    proxy = proxies.get(kind)
    if not proxy or proxy_bypass(f"{host}:{port}"):
        return None
    source = _variable_of(kind, proxy)
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    parts = urlsplit(proxy)
    if parts.scheme != "http" or not parts.hostname:
        raise Problem(
            Cause.NETWORK_UNREACHABLE,
            f"{source} names a {parts.scheme}:// proxy; keyadmin can use http:// proxies (CONNECT) only, as gRPC can",
            unsent=True,
            fix=(
                "export HTTPS_PROXY=http://HOST:PORT    # most SOCKS programs offer an HTTP port too",
                "export NO_PROXY=.googleapis.com    # where Google can be reached without it",
            ),
        )
    return Proxy(proxy, source)


def proxy_for(host: str, port: int = 443, scheme: str = "https") -> str | None:
    """The address of `proxy_of`."""
    proxy = proxy_of(host, port, scheme)
    return proxy.url if proxy else None


def _beside(host: str) -> bool:
    """Whether a host is of this machine's own link: 169.254.169.254 and its names are where clouds keep their metadata."""
    if host == "metadata.google.internal":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_link_local
    except ValueError:
        return False


def _variable_of(kind: str, value: str) -> str:
    """As urllib looks: the lower-case variable wins."""
    for name in (f"{kind}_proxy", f"{kind.upper()}_PROXY"):
        if os.environ.get(name) == value:
            return name
    return "the system's settings"


def way_out(host: str) -> tuple[str, ...]:
    """What to do about a host that cannot be reached."""
    try:
        proxy = proxy_of(host)
    except Problem as problem:
        return problem.fix
    if proxy is None:
        first = f"Check that this machine may reach {host}:443; where a proxy is needed: export HTTPS_PROXY=http://HOST:PORT"
    else:
        first = f"Ask whoever runs the proxy {proxy.shown} ({proxy.source}) to let {host}:443 through."
    return first, f"{typed('doctor', connection=True)}    # proxy, certificates, clock, and which hosts can be reached"
