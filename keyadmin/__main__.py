"""The command `keyadmin`, also `python -m keyadmin`. `--version` is answered before anything heavy is imported."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run the command line of this process and exit with its code."""
    arguments = sys.argv[1:]
    if arguments == ["--version"] and sys.stdout is not None:
        from keyadmin import __version__

        print(f"keyadmin {__version__}")
        return
    from keyadmin.cli.streams import prepare

    prepare()
    _interruptible()
    try:
        from keyadmin.cli.app import main as run

        code = run(arguments)
    except KeyboardInterrupt:  # before or after the command line's own handling
        code = 130
    sys.exit(code)


def _interruptible() -> None:
    """SIGTERM, by which engines end what they run, ends a command as Ctrl-C does: it says what is left half made.

    Where Ctrl-C is ignored (a shell's background job) it goes on to end the process at once.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


if __name__ == "__main__":
    main()
