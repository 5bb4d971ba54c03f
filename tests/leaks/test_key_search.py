"""What is a key string and what is none: one rule for the scanner and for what masks."""

from __future__ import annotations

import base64
import itertools
import random
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keyadmin.leaks.stream import TextSearch
from keyadmin.model.key_encodings import BASE64, unescape
from keyadmin.model.key_search import search
from keyadmin.model.key_shape import plausible
from keyadmin.model.secret import KeyString, holds_key, mask, redact, redact_echo
from tests.leaks.conftest import made_up
from tests.leaks.forms import FORMS, LETTERS, Form, a_key

STANDARD, AUTH = made_up(), made_up("AQ.")


def keys(text: str) -> list[str]:
    return [match.key for match in search(text.encode())]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_none_of_2000_made_up_keys_is_missed_or_printed(form: Form) -> None:
    dice = random.Random(form("x"))
    for key in (a_key(dice) for _ in range(2000 // len(FORMS) + 1)):
        text = form(key)
        assert keys(text) == [key], text
        assert key not in redact(text)
        shown = redact(text)
        assert not holds_key(shown), shown
        assert mask(key) in shown


@pytest.mark.parametrize(
    "text",
    [
        "protected IQ.IQChildElementXmlStringBuilder getIQ(IQ.IQChildElementXmlStringBuilder xml) { return xml; }",
        "function f(){return AQ.useSyncExternalStore(a,b)} AQ.__SECRET_INTERNALS_DO_NOT_USE_OR_YOU_WILL_BE_FIRED;",
        "IQ.getOwnPropertyDescriptors(e);IQ.getOwnPropertySymbols(e);",
        "AQ.decodeBase64StringToUint8ArrayAsync(x)",
        "see FAQ.how-do-I-make-a-key-in-2026-with-gcloud",
        "AIzaSyYOUR_API_KEY_HERE_0123456789abcde",
        "AIzaSy-your-api-key-0123456789abcdefghi",
        "AIzaSyEXAMPLEexample0123456789abcdefghi",
        "AIzaSyDUMMY_KEY_FOR_TESTS_0123456789abc",
        "AIzaSyFAKE0123456789abcdefghijklmnopqrs",
        "AIzaSyREPLACE_ME_0123456789abcdefghijkl",
        "AIza" + "x" * 35,
        "AIzaSy" + "x" * 33,
        "AIzaSyDxxxxxxxxxxxxxxxxxxxxxxxxxxxABCDE",
        "AIza_abababab_abababab_abababab_ababab1",
        "AIza" + "abcdefghijklmnopqrstuvwxyz012345678",
        "AIza" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345678",
        "AQ." + "Ab" * 20,
        "AQ.short",
        STANDARD[:-1],
        STANDARD + "y",
        "AIzaAIzaAIza",
        "AIzaAIza" + "-" * 31,
        base64.b64encode(("AIza" + "x" * 35).encode()).decode(),
        f"image/png;base64,{'iVBORw0KGgo' * 9}{STANDARD}{'AAAA' * 9}",
    ],
)  # fmt: skip
def test_what_is_no_key_string(text: str) -> None:
    assert keys(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (STANDARD, [STANDARD]),
        (f"a={STANDARD}&b={AUTH}", [STANDARD, AUTH]),
        (f"{AUTH}.", [AUTH]),
        (f"({STANDARD})", [STANDARD]),
        (f"I{AUTH[1:]}", [f"I{AUTH[1:]}"]),
        (f"key_{AUTH}", [AUTH]),
        (f"x{STANDARD}", [STANDARD]),
        (f"x{AUTH}", [AUTH]),  # long, with many digits and capitals: no identifier
        ("AIzaSyHUNTtestKEY0123456789abcdefghijkl", ["AIzaSyHUNTtestKEY0123456789abcdefghijkl"]),
        (f"{STANDARD}\\u0000{AUTH}", [STANDARD, AUTH]),
    ],
)
def test_what_is_one(text: str, found: list[str]) -> None:
    assert keys(text) == found


def test_the_windows_are_those_of_base64_itself() -> None:
    """Made anew: each window's place in a quad is right, and no key string in base64, or in base64 of base64, has none."""
    dice = random.Random(5)
    windows = [(char, left, table) for char, left, table in BASE64]
    for start, depth, skip, again in itertools.product(("AIza", "AQ.", "IQ."), (1, 2), range(3), range(3)):
        if depth == 2 and start == "IQ.":
            continue  # hardly anybody has one
        for _ in range(40):
            front, second = (bytes(dice.choices(LETTERS.encode(), k=size)) for size in (skip, again))
            text = base64.b64encode(front + (start + "".join(dice.choices(LETTERS, k=35))).encode())
            if depth == 2:
                text = base64.b64encode(second + text)
            there = [
                (at - left, table[text[at - left : at - left + 4]])
                for char, left, table in windows
                for at in range(left, len(text))
                if text[at : at + 1] == char and text[at - left : at - left + 4] in table
            ]
            assert any(at % 4 == quad for at, quad in there), (start, depth, skip, again, text)


@given(st.text(alphabet=LETTERS + "%\\&=;:#xu0123456789ABCDEF \n\"'/+.AIzQ", max_size=300), st.integers(0, 300))
@example("AIza%", 0)
@settings(max_examples=300)
def test_a_key_is_found_in_whatever_noise_and_noise_breaks_nothing(noise: str, at: int) -> None:
    text = f"{noise[:at]} {STANDARD} {noise[at:]}"
    assert STANDARD in keys(text)
    assert STANDARD not in redact(text)


@given(st.text(max_size=200))
def test_masking_changes_nothing_else(text: str) -> None:
    if not holds_key(text):
        assert redact(text) == text
    assert redact(f"{text}\ud800") is not None  # lone surrogates come from names of files


@given(st.binary(max_size=400))
def test_any_bytes_may_come(data: bytes) -> None:
    search(data)
    search(data, loose=True)
    unescape(data)


@pytest.mark.parametrize(
    "piece",
    [
        "AIza",
        "AIza%41",
        "AQ.",
        "QUl6",
        "QUl6\n",
        "%41%49%7A%61",
        "\\u0041\\u0049",
        f"{STANDARD} ",
        f"'{AUTH}',",
        "z",
        "AIz=\n",
        "%25",
    ],
)
def test_the_work_is_linear_whatever_a_line_holds(piece: str) -> None:
    """Eight times the text takes about eight times the time, not 64 times."""

    def seconds(size: int) -> float:
        data = (piece * (size // len(piece) + 1)).encode()
        begun = time.process_time()
        list(TextSearch().feed(data, last=True))
        return time.process_time() - begun

    small = min(seconds(10_000) for _ in range(3))
    assert seconds(80_000) < 8 * 3 * small + 0.05


def test_what_a_thing_is_when_it_is_not_random_enough() -> None:
    assert plausible(STANDARD)
    assert not plausible(STANDARD.lower())
    assert not plausible("AQ." + "abcdefghijKLMNOPQRSTUVWXYZabcdef")  # no digit


def test_what_echoes_a_key_in_pieces_is_masked_and_the_rest_is_read() -> None:
    key = KeyString(AUTH)
    text = f"error 42 while storing {AUTH[::-1]} (tried {AUTH[:20]} first) at 2026-11-28"
    shown = redact_echo(text, key)
    assert shown.startswith("error 42 while storing ")
    assert shown.endswith(" first) at 2026-11-28")
    assert AUTH[10:20] not in shown
    assert AUTH[::-1][10:20] not in shown
