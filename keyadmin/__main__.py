"""The command `keyadmin`, also `python -m keyadmin`. `--version` is answered before anything heavy is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line of this process and exit with its code."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        from keyadmin import __version__

        print(f"keyadmin {__version__}")
        return
    from keyadmin.cli.app import main as run

    sys.exit(run(arguments))


if __name__ == "__main__":
    main()
