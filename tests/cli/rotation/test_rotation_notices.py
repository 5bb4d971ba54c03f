"""Events, notices and metrics of a run."""

from __future__ import annotations

import json
import re

from tests.cli.rotation.conftest import World, rule, three
from tests.webhook import receiving


def test_every_step_is_an_event(world: World) -> None:
    three(world)
    done = world.rotation("run", "--only", "shop-a", "--format", "jsonl")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert [event["step"].split()[0] for event in events] == ["create", "verify", "publish", "mark", "grace"]
    assert {event["project"] for event in events} == {"shop-a"}
    assert all(set(event) >= {"at", "lineage", "generation", "key", "status", "detail"} for event in events)


def test_what_could_not_be_looked_at_is_an_event_too(world: World) -> None:
    three(world)
    world.policy(rule("shop-a", "gone-shop") + rule("nobody-*", name='"vain"'))
    taken = world.folder / "events"
    done = world.rotation("run", "--notify", f"exec:tee {taken}", "--format", "jsonl")
    assert done.code == 3
    events = [json.loads(line) for line in taken.read_text().splitlines()]
    assert events == [json.loads(line) for line in done.out.splitlines()]
    looks = [event for event in events if event["step"] == "look"]
    assert len(looks) == 2
    gone, vain = looks
    assert (gone["status"], vain["status"]) == ("failed", "failed")
    if "project" not in gone:
        gone, vain = vain, gone
    assert gone["project"] == "gone-shop"
    assert gone["cause"]
    assert not {"lineage", "generation", "key"} & {*gone, *vain}
    assert vain["detail"] == "the rule 'vain': it finds no project that you may see"


def test_a_run_that_ends_before_it_began_is_an_event_too(world: World) -> None:
    three(world)
    taken = world.folder / "events"
    world.sandbox.control("faults", {"method": "SearchProjects", "code": "PERMISSION_DENIED", "times": 1})
    done = world.rotation("run", "--notify", f"exec:tee {taken}", "--format", "jsonl")
    assert done.code == 1
    assert taken.is_file(), "nothing was told"
    (event,) = [json.loads(line) for line in taken.read_text().splitlines()]
    assert (event["step"], event["status"], event["cause"]) == ("run", "failed", "missing-iam-permission")
    assert json.loads(done.out) == event


def test_events_are_given_to_a_program_and_metrics_to_a_file(world: World) -> None:
    three(world)
    world.sandbox.control("faults", {"method": "CreateKey", "code": "PERMISSION_DENIED", "times": 1})
    taken, metrics = world.folder / "events", world.folder / "keyadmin.prom"
    done = world.rotation("run", "--notify", f"exec:tee {taken}", "--metrics", str(metrics), "--format", "json")
    assert done.code == 3
    events = [json.loads(line) for line in taken.read_text().splitlines()]
    assert {event["project"] for event in events} == {"shop-a", "shop-b", "shop-c"}
    assert [event["cause"] for event in events if event["status"] == "failed"] == ["missing-iam-permission"]
    text = metrics.read_text()
    assert re.search(r"^keyadmin_rotation_stuck 1$", text, re.MULTILINE)
    assert re.search(r"^keyadmin_rotation_due 1$", text, re.MULTILINE)
    assert re.search(r'^keyadmin_rotation_lineages\{state="grace"\} 2$', text, re.MULTILINE)
    assert re.search(r'^keyadmin_key_age_seconds\{project="shop-young",lineage="\w+",name="web 0"\} \d+$', text, re.MULTILINE)
    ages = [int(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith("keyadmin_key_age_seconds{")]
    assert sum(age < 60 for age in ages) == 2
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r'[a-z_]+(\{([a-z]+="[^"]*",?)+\})? -?\d+', line) for line in samples)
    assert metrics.stat().st_mode & 0o777 == 0o644


def test_metrics_tell_of_a_failure_that_could_not_be_noted_on_the_key(world: World) -> None:
    three(world)
    for method in ("CreateKey", "UpdateKey"):
        world.sandbox.control("faults", {"method": method, "code": "PERMISSION_DENIED", "times": 99})
    done = world.rotation("run", "--only", "shop-a", "--metrics", str(world.folder / "m"), "--format", "json")
    assert done.code == 3, done.err
    assert [(out["state"], out["cause"]) for out in done.json] == [("stuck", "missing-iam-permission")]
    assert "keyadmin_rotation_stuck 1\n" in (world.folder / "m").read_text()


def test_a_notice_that_fails_is_a_warning(world: World) -> None:
    three(world)
    done = world.rotation("run", "--notify", "exec:false", "--metrics", "/nowhere/at/all", "--format", "json")
    assert done.code == 0
    assert len(done.json) == 3
    assert "notice was not taken" in done.err
    assert "/nowhere/at/all cannot be written" in done.err
    assert world.rotation("run", "--notify", "mailto:me").code == 2


def test_a_webhook_gets_the_events_in_one_document(world: World) -> None:
    three(world)
    world.sandbox.control("faults", {"method": "CreateKey", "code": "PERMISSION_DENIED", "times": 1})
    with receiving() as json_hook, receiving() as chat:
        env = {"HOOK": json_hook.address}
        words = ("--notify", "webhook-from-env:HOOK", "--format", "jsonl", "--only", "shop-a")
        done = world.rotation("run", *words, env=env)
        slack = ("--notify", f"webhook:{chat.address}", "--webhook-form", "slack", "--only", "shop-b")
        assert world.rotation("run", *slack).code == 0
    assert done.code == 3
    told = json_hook.json
    assert told["events"] == [json.loads(line) for line in done.out.splitlines()]
    assert (told["about"], told["failed"]) == ("keyadmin rotation run", True)
    assert chat.json["text"].startswith("[sandbox] keyadmin rotation run: ")
