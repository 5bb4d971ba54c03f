"""Many command lines in one process of its own: `python -m tests.local_google.inside FOLDER [--port-443]`, rows on stdin.

A row is JSON: `{"id", "kind", "network", "arguments", "faults"}`; the answer is one line of JSON for each. With `--port-443`
the process brings up the loopback of the network namespace that it was put into; names are answered by nss_wrapper's hosts
file.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import socket
import struct
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Final

from tests.local_google import client
from tests.local_google.client import KINDS, LocalGoogle, environment

NAMES: Final = [
    *client.ALL_APIS,
    *(f"{name}.googleapis.com" for name in ("oauth2", "sts", "openidconnect")),
]
_KEPT: Final = ("LD_PRELOAD", "NSS_WRAPPER_HOSTS", "GRPC_DNS_RESOLVER", "PYTHONPATH")
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


def loopback_up() -> None:
    """In a fresh network namespace even loopback is down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        flags = struct.unpack("16sh", fcntl.ioctl(handle, _SIOCGIFFLAGS, struct.pack("16sh", b"lo", 0)))[1]
        fcntl.ioctl(handle, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | _IFF_UP))


def resolve_to(address: str, without: str = "") -> None:
    """Let every name of Google's be this address, for this process alone. nss_wrapper looks at the file's time."""
    path = Path(os.environ["NSS_WRAPPER_HOSTS"])
    before = path.stat().st_mtime if path.exists() else time.time()
    path.write_text("".join(f"{address} {name}\n" for name in NAMES if name != without) + "127.0.0.1 localhost\n")
    os.utime(path, (before + 5, before + 5))


def network(name: str, google: LocalGoogle, home: Path) -> dict[str, str | None]:
    """The variables of a network; None = unset."""
    if name == "proxy":
        return {}
    if name == "proxy with password":
        google.set(password="me:pass word")
        return {"HTTPS_PROXY": f"http://me:pass%20word@{google.proxy}"}
    if name == "own CA":
        bundle = home / "bundle.pem"
        bundle.write_bytes(client.another_authority() + Path(google.ca).read_bytes())
        return {"SSL_CERT_FILE": None, "REQUESTS_CA_BUNDLE": str(bundle)}
    without = name.removeprefix("no name for ") if name.startswith("no name for ") else ""
    resolve_to("::1" if name == "IPv6 only" else "127.0.0.1", without)
    if name == "NO_PROXY":
        return {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": ".googleapis.com"}
    return {"HTTPS_PROXY": None}


def run(row: dict[str, Any], google: LocalGoogle, folder: Path) -> dict[str, Any]:
    """One command line, and what it left on the wire."""
    from keyadmin.cli.app import main

    home = folder / f"row-{row['id']}"
    home.mkdir()
    google.control("clear")
    variables: dict[str, str | None] = {**environment(google, home), **KINDS[row["kind"]](google, home)}
    variables |= network(row["network"], google, home)
    google.faults(*row.get("faults", ()))
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    os.environ.clear()
    os.environ.update(kept | {name: value for name, value in variables.items() if value is not None})
    out, err = io.StringIO(), io.StringIO()
    sys.stdin = io.StringIO("")
    began = time.monotonic()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(row["arguments"])
    seconds = time.monotonic() - began
    return {
        "id": row["id"],
        "code": code,
        "out": out.getvalue(),
        "err": err.getvalue(),
        "seconds": seconds,
        "log": google.log(),
    }


def serve(folder: Path, *, fixed: bool) -> None:
    """Rows until stdin ends."""
    if fixed:
        loopback_up()
        resolve_to("127.0.0.1")
    google = LocalGoogle(folder, fixed=fixed)
    google.reset(**json.loads(sys.stdin.readline()))
    os.environ["GCE_METADATA_HOST"] = google.plain  # google.auth reads it once, when it is imported
    from google.auth.compute_engine import _metadata

    assert google.plain == _metadata._GCE_METADATA_HOST
    rows, answers = sys.stdin, sys.stdout
    for line in rows:
        answers.write(json.dumps(run(json.loads(line), google, folder)) + "\n")
        answers.flush()
    google.stop()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), fixed="--port-443" in sys.argv)
