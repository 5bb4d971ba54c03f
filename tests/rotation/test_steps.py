"""The way of a rotation: what is handed over when, what is read back, and when the old key goes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from keyadmin.model.problem import Cause
from keyadmin.rotation.decide import RotationTerms
from keyadmin.sandbox.services.apikeys import usage as key_usage
from tests.rotation.conftest import always_live, condition, deleted, holders, newest, published
from tests.rotation.inside import GEMINI, MAPS, Stage, Subject


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


async def test_a_successor_is_what_its_predecessor_was(on: Stage) -> None:
    limited = {"apiTargets": [GEMINI], "serverKeyRestrictions": {"allowedIps": ["192.0.2.0/24"]}}
    subject = await on.project(restrictions=limited, annotations={"team": "web"})
    (outcome,) = await subject.run()
    assert (outcome.problem, outcome.state) == (None, "grace"), "that it does not work from here says nothing"
    assert ("verify", "skipped") in [(step.step, step.status) for step in outcome.steps]
    old, new = (member.key for member in subject.lineage().members)
    assert subject.rows()[new.key_id]["restrictions"] == limited
    assert (new.display_name, new.service_account_email) == (old.display_name, old.service_account_email)
    assert {name: value for name, value in new.annotations.items() if not name.startswith("keyadmin-")} == {"team": "web"}
    assert new.annotations["keyadmin-predecessor"] == "web"


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


async def test_older_versions_of_a_secret_are_disabled_when_the_old_key_went_and_not_before(on: Stage) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})

    def states() -> list[str]:
        found = on.local.world.store.all("SELECT state FROM secret_versions WHERE project = ? ORDER BY version", subject.number)
        return [state for (state,) in found]

    def look() -> None:
        assert deleted(subject) or states() == ["ENABLED", "ENABLED"]

    on.watch = look
    await subject.run()
    assert states() == ["DISABLED", "ENABLED"]


async def test_a_mixed_auth_key_is_replaced_and_not_split(on: Stage) -> None:
    subject = await on.project(restrictions={"apiTargets": [GEMINI, MAPS]})
    binding = {"iam.managed.disableServiceAccountApiKeyCreation": False}
    await on.control("seed", {"orgPolicies": {f"projects/{subject.project}": binding}})
    (outcome,) = await subject.run(grace=timedelta())
    assert (outcome.problem, outcome.state) == (None, "retired")
    assert newest(subject).key.restricted == "mixed"
    assert deleted(subject) == ["web"]
    assert not [step.detail for step in outcome.steps if step.detail.startswith("keeps")]


async def test_a_key_is_verified_once_a_run(on: Stage) -> None:
    subject = await on.project()
    on.local.requests.clear()
    (outcome,) = await subject.run(grace=timedelta())
    assert outcome.state == "retired"
    assert [method.rpartition(".")[2] for method, *_ in on.local.requests].count("ListModels") == 1


async def test_the_predecessor_stays_where_its_successor_stopped_working(on: Stage) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    await on.control("seed", {"projects": [condition(subject, newest(subject), "leaked")]})
    (outcome,) = await subject.run()
    assert outcome.problem is not None
    assert outcome.problem.cause is Cause.API_KEY_LEAKED
    assert deleted(subject) == []


@pytest.mark.parametrize("code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"])
async def test_where_the_gemini_api_cannot_be_asked_nothing_is_known_of_the_key(on: Stage, code: str) -> None:
    """It stays what it was, nothing is written of it, and nothing is handed over or deleted."""
    subject = await on.project()
    await on.control("faults", {"method": "ListModels", "code": code, "times": 99})
    outcome = await subject.rotate("web", RotationTerms(force=True, grace=timedelta()))
    assert outcome.problem is not None
    assert (outcome.state, newest(subject).state, newest(subject).cause) == ("verifying", "verifying", None)
    assert (holders(subject), deleted(subject)) == ({"web"}, [])
    await on.control("faults", method="DELETE")
    await subject.rotate("web", RotationTerms(force=True))
    await on.control("clock", {"advance": "25h"})
    await on.control("faults", {"method": "ListModels", "code": code, "times": 99})
    (outcome,) = await subject.run()
    assert outcome.problem is not None
    assert (outcome.state, newest(subject).state, deleted(subject)) == ("grace", "grace", [])


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
    with on.local.world.store.change():  # the last use counts, whatever it was for
        at = on.local.world.clock.now() - 480 * key_usage.HOUR
        key_usage.record(on.local.world.store, subject.rows()["web"]["uid"], MAPS["service"], at)
    (outcome,) = await subject.run()
    assert (outcome.problem, outcome.state) == (None, "grace")
    assert "was used for generativelanguage.googleapis.com" in outcome.why
    assert outcome.ways_out
    await on.control("clock", {"advance": "20h"})
    await subject.run()
    assert deleted(subject) == [], "a day without any use is what the grace period asks for"
    await on.control("clock", {"advance": "6h"})
    await subject.run()
    assert deleted(subject) == ["web"]


@pytest.mark.parametrize("how", [{"force_use": True}, {"emergency": True, "max_age": None}])
async def test_a_predecessor_in_use_is_retired_all_the_same_if_that_is_asked_for(on: Stage, how: dict[str, Any]) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    await use(subject, "web")
    await subject.run(**how)
    assert deleted(subject) == ["web"]
    assert newest(subject).generation == 2, "what was under way is finished, and no more"


async def test_use_before_the_publication_keeps_nothing(on: Stage) -> None:
    """Monitoring tells the hour of the last use, which ends after the publication here."""
    subject = await on.project()
    await use(subject, "web")
    (outcome,) = await subject.run(grace=timedelta())
    assert (outcome.problem, outcome.state) == (None, "retired")
    assert deleted(subject) == ["web"]


async def test_the_use_of_another_key_keeps_nothing(on: Stage) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    await use(subject, newest(subject).key.key_id)
    await subject.run()
    assert deleted(subject) == ["web"]


@pytest.mark.parametrize(
    ("services", "state"), [(["maps-backend"], "retired"), (["generativelanguage", "maps-backend"], "grace")]
)
async def test_what_a_split_key_keeps_may_be_used_on(on: Stage, services: list[str], state: str) -> None:
    subject = await published(on, serviceAccountEmail=None, restrictions={"apiTargets": [GEMINI, MAPS]})
    await on.control("clock", {"advance": "25h"})
    with on.local.world.store.change():
        for hours, service in enumerate(services):  # the Gemini API before Maps
            at = on.local.world.clock.now() - (len(services) - hours) * key_usage.HOUR
            key_usage.record(on.local.world.store, subject.rows()["web"]["uid"], f"{service}.googleapis.com", at)
    (outcome,) = await subject.run(new_auth=True)
    assert (outcome.problem, outcome.state) == (None, state)


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
