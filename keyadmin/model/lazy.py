"""Long lists whose elements are made when they are read, and not kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

Source = TypeVar("Source")


class MadeLater(Sequence[Any], Generic[Source]):
    """`make` of each element of `source`, each time it is asked for."""

    def __init__(self, source: Sequence[Source], make: Callable[[Source], Any]) -> None:
        self._source = source
        self._make = make

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, place: Any) -> Any:
        return self._make(self._source[place])

    def __iter__(self) -> Iterator[Any]:
        return map(self._make, self._source)
