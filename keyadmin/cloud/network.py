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

from keyadmin.model.problem import Cause, Problem

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
    return Problem(Cause.SERVICE_UNAVAILABLE, message, fix=(f"Correct or unset {variable}.",))


def ssl_context(roots: Roots) -> ssl.SSLContext:
    """A verifying client context. Raises Problem where the certificates cannot be read."""
    try:
        if roots.file is None:
            return ssl.create_default_context(cadata=roots.pem.decode("ascii"))
        return ssl.create_default_context(cafile=roots.file)
    except ssl.SSLError as error:
        message = f"the certificate authorities in {roots.file} cannot be read: {error.reason or error}"
        raise Problem(
            Cause.SERVICE_UNAVAILABLE, message, fix=(f"Check the file that {' or '.join(CA_VARIABLES)} names.",)
        ) from error


def proxy_for(host: str, port: int = 443) -> str | None:
    """The http:// proxy that an https request to `host` takes, or None. Loopback never takes one.

    Raises Problem for a proxy of another kind: gRPC can only use an HTTP proxy (CONNECT).
    """
    if is_loopback(host):
        return None
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if not proxy or proxy_bypass(f"{host}:{port}"):
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    parts = urlsplit(proxy)
    if parts.scheme != "http" or not parts.hostname:
        message = f"the proxy for {host} is a {parts.scheme}:// one; only http:// proxies (CONNECT) can be used"
        raise Problem(Cause.SERVICE_UNAVAILABLE, message, fix=("Set HTTPS_PROXY=http://HOST:PORT, or NO_PROXY for this host.",))
    return proxy
