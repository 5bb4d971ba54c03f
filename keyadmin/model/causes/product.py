"""What is known of a product of Google's that decides by settings of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Product:
    """One of them. `words` = what its refusals say, in lower case; where these are anybody's, one of `marks` must stand there.

    `where` = where to look, as the end of a sentence.
    """

    name: str
    where: str
    words: tuple[str, ...]
    marks: tuple[str, ...] = ()
