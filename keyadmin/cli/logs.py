"""Where log records go: nowhere, or to the talk with `--verbose`. Without this Python would print them, tracebacks and all."""

from __future__ import annotations

import logging

from keyadmin.cli.console import Console


class ConsoleHandler(logging.Handler):
    """Says records as details; errors of a served sandbox (`server`) in one line even without `--verbose`."""

    def __init__(self, console: Console, *, server: bool) -> None:
        super().__init__()
        self._console = console
        self._server = server

    def emit(self, record: logging.LogRecord) -> None:
        """Say it; the talk masks key strings."""
        if self._console.verbose:
            self._console.detail(self.format(record))
        elif self._server and record.levelno >= logging.ERROR:
            self._console.warning(record.getMessage())


def direct(console: Console, *, server: bool) -> None:
    """Send all logging of this process to `talk`. Only keyadmin's own DEBUG records are asked for: others hold secrets."""
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, ConsoleHandler)]:
        root.removeHandler(handler)
    root.addHandler(ConsoleHandler(console, server=server))
    logging.getLogger("keyadmin").setLevel(logging.DEBUG if console.verbose else logging.WARNING)
