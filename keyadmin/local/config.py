"""The user's configuration: a few named settings, one file for Google and another for the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from keyadmin.local.files import config_dir, damaged, locked, read_json, write_json
from keyadmin.model.problem import usage

# name -> what it is. Each is the default of the global option of the same name.
SETTINGS: Final = {
    "project": "the project used when none is given",
    "format": "the output format used when none is given",
    "quota-project": "the project that calls are charged to",
    "impersonate-service-account": "the service account to act as",
    "timeout": "how long calls wait in all for a network that does not answer",
}


class Config:
    """The settings of one world, the sandbox or Google; read once, when first asked."""

    def __init__(self, *, sandbox: bool, directory: Path | None = None) -> None:
        self._sandbox = sandbox
        self._directory = directory
        self._values: dict[str, str] | None = None

    @property
    def path(self) -> Path:
        """The file. The two worlds never share one."""
        return (self._directory or config_dir()) / ("sandbox-config.json" if self._sandbox else "config.json")

    def values(self) -> dict[str, str]:
        """All that is set. Raises Problem where the file is not a configuration."""
        if self._values is None:
            self._values = self._read()
        return dict(self._values)

    def get(self, name: str) -> str | None:
        """One setting, None where it is not set. Raises usage() for an unknown name."""
        return self.values().get(known(name))

    def set(self, name: str, value: str) -> None:
        """Set it; an empty value removes it. Safe beside other processes. Raises usage() for an unknown name."""
        known(name)
        with locked(self.path):
            values = self._read()
            values.pop(name, None)
            if value:
                values[name] = value
            write_json(self.path, values)
            self._values = values

    def _read(self) -> dict[str, str]:
        data = read_json(self.path)
        if data is None:
            return {}
        if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
            raise damaged(self.path, "it should hold one JSON object of texts")
        return data


def known(name: str) -> str:
    """`name`, if there is such a setting. Raises usage() that names those there are."""
    if name not in SETTINGS:
        from difflib import get_close_matches

        near = get_close_matches(name, SETTINGS, 1)
        raise usage(
            f"there is no setting {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
            f"settings are: {', '.join(SETTINGS)}",
        )
    return name
