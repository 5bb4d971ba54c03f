"""The way of a rotation: what is handed over when, what is read back, and when the old key goes."""

from __future__ import annotations

from pathlib import Path

from keyadmin.problem import Cause
from tests.rotation.conftest import always_live, condition, deleted, holders, newest, published
from tests.rotation.inside import Stage, Subject


async def test_two_runs_make_a_rotation_and_a_third_does_nothing(on: Stage) -> None:
    subject = await published(on)
    assert holders(subject) == {newest(subject).key.key_id}
    await on.control("clock", {"advance": "25h"})
    (second,) = await subject.run()
    assert (second.problem, second.state) == (None, "retired")
    assert deleted(subject) == ["web"]
    on.local.requests.clear()
    assert await subject.run() == []
    assert subject.writes() == []


async def test_a_key_that_is_not_known_everywhere_is_handed_to_nobody(on: Stage) -> None:
    subject = await on.project()
    await on.control("propagation", {"key": "30s"})
    (first,) = await subject.run()
    assert first.problem is not None
    assert first.problem.cause is Cause.API_KEY_INVALID
    assert holders(subject) == {"web"}
    assert newest(subject).state == "stuck"
    assert newest(subject).cause == "api-key-invalid"
    await on.control("clock", {"advance": "31s"})
    (second,) = await subject.run()
    assert second.problem is None
    assert holders(subject) == {newest(subject).key.key_id}
    assert newest(subject).cause is None


async def test_a_sink_that_somebody_else_writes_to_stops_the_lineage(on: Stage) -> None:
    subject = await on.project()
    before = subject.env_file.read_text()

    def overwrite() -> None:
        if newest(subject).generation == 2 and subject.env_file.read_text() != before:
            subject.env_file.write_text(before)

    on.watch = overwrite
    (outcome,) = await subject.run()
    assert outcome.problem is not None
    assert "holds another one" in outcome.problem.message
    assert (newest(subject).state, newest(subject).cause) == ("stuck", "conflict")
    on.watch = lambda: None
    (outcome,) = await subject.run()
    assert (outcome.problem, outcome.state) == (None, "grace")


async def test_what_a_sink_lost_is_handed_over_again_and_grace_begins_anew(on: Stage) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    subject.env_file.write_text(f"GEMINI_API_KEY={subject.strings()['web']}\n")
    always_live(subject)
    (outcome,) = await subject.run()
    assert (outcome.problem, outcome.state) == (None, "grace")
    assert deleted(subject) == []
    assert holders(subject) == {newest(subject).key.key_id}
    (again,) = await subject.run()
    assert again.until is not None
    await on.control("clock", {"advance": "25h"})
    await subject.run()
    assert deleted(subject) == ["web"]


async def test_a_new_sink_has_the_key_before_the_predecessor_goes(on: Stage, tmp_path: Path) -> None:
    """A program cannot be read back: that it is new is told by the annotation."""
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    taken = tmp_path / "taken"
    subject.more_sinks = (f"exec:tee {taken}",)
    (outcome,) = await subject.run()
    assert outcome.state == "grace"
    assert deleted(subject) == []
    assert taken.read_text().strip() == subject.strings()[newest(subject).key.key_id]
    await on.control("clock", {"advance": "25h"})
    await subject.run()
    assert deleted(subject) == ["web"]


async def test_the_predecessor_stays_where_its_successor_stopped_working(on: Stage) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    await on.control("seed", {"projects": [condition(subject, newest(subject), "leaked")]})
    (outcome,) = await subject.run()
    assert outcome.problem is not None
    assert outcome.problem.cause is Cause.API_KEY_LEAKED
    assert deleted(subject) == []


# ---- the use of the old key -------------------------------------------------------------------------------------------


async def use(subject: Subject, key_id: str) -> None:
    """Somebody works with a key."""
    headers = {"x-goog-api-key": subject.strings()[key_id]}
    body = {"contents": [{"parts": [{"text": "hello"}]}]}
    url = f"{subject.stage.rest}/v1beta/models/gemini-2.5-flash:generateContent"
    async with subject.stage.http.post(url, json=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


async def test_a_predecessor_in_use_is_kept_until_nobody_used_it_for_the_grace_period(on: Stage) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    await use(subject, "web")
    (outcome,) = await subject.run()
    assert (outcome.problem, outcome.state) == (None, "grace")
    assert "was used for generativelanguage.googleapis.com" in outcome.why
    assert outcome.ways_out
    assert deleted(subject) == []
    await on.control("clock", {"advance": "26h"})
    await subject.run()
    assert deleted(subject) == ["web"]


async def test_a_predecessor_in_use_is_retired_all_the_same_with_force(on: Stage) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    await use(subject, "web")
    await subject.run(force_use=True)
    assert deleted(subject) == ["web"]


async def test_where_the_use_cannot_be_read_the_service_checks_it(on: Stage) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    await use(subject, "web")
    await on.control("faults", {"method": "ListTimeSeries", "code": "PERMISSION_DENIED", "times": 99})
    (outcome,) = await subject.run()
    assert outcome.problem is None
    assert "was used in the last 7 days" in outcome.why
    assert deleted(subject) == []
    await on.control("clock", {"advance": "200h"})
    await subject.run()
    assert deleted(subject) == ["web"]
