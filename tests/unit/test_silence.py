"""How long a connection waits for no answer: over all its calls, those side by side once; and what answers are foreign."""

from __future__ import annotations

import pytest

from keyadmin.cloud import silence
from keyadmin.cloud.foreign import ForeignAnswer, error_object, page_title
from keyadmin.cloud.silence import Silence


class Clock:
    """A clock that the test turns."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    turned = Clock()
    monkeypatch.setattr(silence, "time", turned)
    return turned


def wait(each: Silence, clock: Clock, host: str, seconds: float, *, answered: bool = False) -> None:
    began = clock.now
    each.begin(host)
    clock.now += seconds
    each.end(host, answered=answered, since=began)


def test_what_was_waited_adds_up_over_hosts(clock: Clock) -> None:
    each = Silence(90)
    wait(each, clock, "a", 30)
    wait(each, clock, "b", 50)
    assert each.left() == 10
    wait(each, clock, "b", 40)
    assert each.left() == 0


def test_an_answer_clears_the_share_of_its_host_alone(clock: Clock) -> None:
    each = Silence(90)
    wait(each, clock, "a", 30)
    wait(each, clock, "b", 50)
    wait(each, clock, "b", 5, answered=True)
    assert each.left() == 60


def test_calls_side_by_side_count_once(clock: Clock) -> None:
    each = Silence(90)
    began = clock.now
    for host in ("a", "b", "c"):
        each.begin(host)
    clock.now += 20
    for host in ("a", "b", "c"):
        each.end(host, answered=False, since=began)
    assert each.left() == 70


def test_time_that_was_answered_costs_nothing(clock: Clock) -> None:
    each = Silence(90)
    for _ in range(100):
        wait(each, clock, "a", 59, answered=True)
    assert each.left() == 90


@pytest.mark.parametrize(
    ("page", "title"),
    [
        (b"<html><TITLE>\n Access &amp;\tdenied </TITLE>", "Access & denied"),
        (b"<title lang=en>x</title><title>y</title>", "x"),
        (b"<title>a\x1b[31mred</title>", "a [31mred"),
        (b"<title>" + b"long " * 50 + b"</title>", ("long " * 16).strip()),
        (b"<title>key AIza" + b"b" * 35 + b"</title>", "key AIza...bbbb"),
        (b"no page", ""),
        (b"<title>never closed", ""),
    ],
)
def test_the_title_of_a_page(page: bytes, title: str) -> None:
    assert page_title(page).strip() == title


def test_what_a_foreign_answer_says_holds_no_body_and_no_query() -> None:
    redirect = ForeignAnswer("a.googleapis.com", 302, {"Location": "https://portal.example/login?user=me&token=1"}, b"")
    assert redirect.said == "HTTP 302, which leads to portal.example"
    text = ForeignAnswer("a.googleapis.com", 403, {"Content-Type": "application/json; charset=x"}, b'{"secret": 1}')
    assert text.said == "HTTP 403 with application/json that is not Google's"
    assert ForeignAnswer("a.googleapis.com", 403, {}, b"").said == "HTTP 403 and no text"
    assert ForeignAnswer("a.googleapis.com", 503, {}, b"").passing
    assert not ForeignAnswer("a.googleapis.com", 403, {}, b"").sent


@pytest.mark.parametrize("body", [{"error": {"code": 403, "message": "m"}}, [{"error": {"code": 404, "status": "NOT_FOUND"}}]])
def test_errors_in_googles_form(body: object) -> None:
    assert error_object(body)


@pytest.mark.parametrize(
    "body", [None, {}, [], {"error": "x"}, {"error": {"code": "403", "message": "m"}}, {"error": {"code": 1}}]
)
def test_errors_in_other_forms(body: object) -> None:
    assert not error_object(body)
