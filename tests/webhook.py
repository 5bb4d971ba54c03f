"""A webhook that remembers what it is told, fails, or hangs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATH = "/services/T0/B0/very-secret-address"


class Receiver:
    """What came in. `statuses` = what is answered to one call after another, the last one from then on; 0 = nothing."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses) or [200]
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.over = threading.Event()
        self.address = ""

    @property
    def json(self) -> Any:
        """The body of the only call."""
        ((_, body),) = self.calls
        return json.loads(body)


@contextmanager
def receiving(*statuses: int) -> Iterator[Receiver]:
    """A receiver on loopback."""
    receiver = Receiver(*statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == PATH
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status = receiver.statuses.pop(0) if len(receiver.statuses) > 1 else receiver.statuses[0]
            if not status:
                receiver.over.wait(60)
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.address = f"http://127.0.0.1:{server.server_port}{PATH}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        server.server_close()
