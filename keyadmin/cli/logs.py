"""Where log records go: nowhere, or to the talk with `--verbose`. Without this Python would print them, tracebacks and all."""

from __future__ import annotations

import logging

from keyadmin.cli.talk import Talk


class TalkHandler(logging.Handler):
    """Says records as details; errors of a served sandbox (`server`) in one line even without `--verbose`."""

    def __init__(self, talk: Talk, *, server: bool) -> None:
        super().__init__()
        self._talk = talk
        self._server = server

    def emit(self, record: logging.LogRecord) -> None:
        """Say it; the talk masks key strings."""
        if self._talk.verbose:
            self._talk.detail(self.format(record))
        elif self._server and record.levelno >= logging.ERROR:
            self._talk.warning(record.getMessage())


def direct(talk: Talk, *, server: bool) -> None:
    """Send all logging of this process to `talk`. Only keyadmin's own DEBUG records are asked for: others hold secrets."""
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, TalkHandler)]:
        root.removeHandler(handler)
    root.addHandler(TalkHandler(talk, server=server))
    logging.getLogger("keyadmin").setLevel(logging.DEBUG if talk.verbose else logging.WARNING)
