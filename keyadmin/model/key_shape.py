"""What a key string looks like: one shape and one rule of where it begins and ends, for the scanner and for what masks."""

from __future__ import annotations

import re
from typing import Final

MOST_CHARACTERS: Final = 256
"""Of a key string. Google documents no length of auth keys; about 53 characters is what they have."""

_WORD: Final = rb"[0-9A-Za-z_\-]"
_TOKEN: Final = rb"auth_tokens/[0-9A-Za-z_\-]{20,}"  # an ephemeral token: made of a key, and a secret like it

# Standard keys have 39 characters. Of an auth key that is longer than any the end is unknown: it is masked, and not found.
STRICT: Final = re.compile(rb"(?:AIza[0-9A-Za-z_\-]{35}|[AI]Q\.[0-9A-Za-z_\-]{20,253})(?![0-9A-Za-z_\-])")
LOOSE: Final = re.compile(rb"AIza[0-9A-Za-z_\-]{35}|[AI]Q\.[0-9A-Za-z_\-]{20,}|" + _TOKEN)

# An escape whose last character is a letter or a digit does not glue what follows it to a word: \n, \x3d, \u003d, \075, %3D,
# =3D, &#61 and ESC[33m, also where the escape character itself was lost on the way ("[33m").
_ESCAPE_BEFORE: Final = re.compile(
    rb"(?:%(?:25)*(?:u00)?[0-9A-Fa-f]{2}|\\[abefnrtv0]|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\[0-7]{3}"
    rb"|=[0-9A-Fa-f]{2}|\[[0-9;]*[mK]|&#[xX]?[0-9A-Fa-f]{1,6}|&(?:amp|nbsp|quot|lt|gt|equals))\Z"
)
_LONGEST_ESCAPE: Final = 12

_PLACEHOLDER: Final = re.compile(
    r"your[_-]?(?:google|gemini|maps|api|key|own)|api[_-]?key|[_-]here\b|example|placeholder|replace|insert|dummy|sample|"
    r"redacted|change[_-]?me|secret[_-]?key|(?:fake|mock|todo|demo)[_-]?(?:key|api)|my[_-](?:key|api)|not[_-]?a[_-]?real|"
    r"invalid|(?-i:FAKE|fake)|(.)\1{5}",
    re.IGNORECASE,
)
_DIFFERENT: Final = 12
# Glued to a word, an auth key is told from an identifier (FAQ.some-word) by its length, and its many digits and capitals.
_GLUED_CHARACTERS: Final = 35
_GLUED_EACH: Final = 4


def plausible(key: str) -> bool:
    """Whether a string of the right shape may be a key: not a placeholder, an identifier or a row of one character.

    Google's keys are random: twelve different characters, letters of both cases, and in an auth key a digit (of standard keys
    one in 270 has none). The rule misses one auth key of 50 characters in 5,000, and no standard key in a million.
    """
    body = key[3:] if key[1:3] == "Q." else key[4:]
    if len(set(key)) < _DIFFERENT or body == body.lower() or body == body.upper():
        return False
    if key[1:3] == "Q." and not any(each.isdigit() for each in body):
        return False
    return _PLACEHOLDER.search(body) is None


def begins_at(data: bytes, place: int, key: bytes) -> bool:
    """Whether a string of the right shape begins at `place`, or is the tail of a longer word.

    A standard key may be glued to a word (`prefix_AIza...`): nothing else begins with AIza and ends 35 characters later. An
    auth key may follow `_`, `-` and the escapes above; behind a letter or a digit it has to be unmistakable.
    """
    if key[:4] == b"AIza" or not place or not data[place - 1 : place].isalnum():
        return True
    if _ESCAPE_BEFORE.search(data, max(0, place - _LONGEST_ESCAPE), place):
        return True
    text = key.decode("ascii")
    kinds = (str.isdigit, str.isupper, str.islower)
    return len(text) > _GLUED_CHARACTERS and min(sum(map(kind, text)) for kind in kinds) >= _GLUED_EACH and plausible(text)
