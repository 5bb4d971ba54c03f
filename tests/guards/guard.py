"""A guard: a piece of code whose absence would break a promise, and the tests that must notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Guard:
    """`old` in keyadmin/`file` protects what `protects` says; with `new` in its place each of the tests fails.

    Guards of one `group` are proven in one run, all broken at once: none of them may hide another.
    """

    protects: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    group: str | None = None

    def applied(self, text: str) -> str:
        """The file's text with the guard broken. Raises ValueError where the old text is not there exactly once."""
        count = text.count(self.old)
        if count != 1:
            raise ValueError(f"{self.file}: {count} times instead of once: {self.old!r}")
        changed = text.replace(self.old, self.new)
        compile(changed, self.file, "exec")
        return changed
