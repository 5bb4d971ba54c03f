"""Which task looks after which project: every project in one part, none moved by the others, little moved by the count."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.model.problem import Exit, Problem
from keyadmin.rotation.policy import PolicyRule
from keyadmin.rotation.shard import Shard, check_sinks, shard

COUNTS = st.integers(1, 64)
IDS = st.from_regex(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", fullmatch=True)
FLEET = [f"fleet-{number:05}" for number in range(10_000)]


def part_of(project: str, count: int) -> int:
    """The one part that has a project."""
    found = [index for index in range(count) if Shard(index, count).has(project)]
    assert len(found) == 1
    return found[0]


@given(IDS, COUNTS)
def test_every_project_is_in_exactly_one_part(project: str, count: int) -> None:
    part_of(project, count)


@given(st.sets(IDS, min_size=1), st.sets(IDS), st.sets(IDS), COUNTS)
def test_no_project_moves_when_others_come_and_go(projects: set[str], coming: set[str], going: set[str], count: int) -> None:
    def parts(present: set[str]) -> dict[str, int]:
        return {one: index for index in range(count) for one in present if Shard(index, count).has(one)}

    before, after = parts(projects), parts((projects | coming) - going)
    assert all(after[one] == before[one] for one in projects & set(after))
    assert set(after) == (projects | coming) - going


@given(IDS, st.integers(1, 200))
def test_one_task_more_takes_from_the_others_and_moves_nothing_between_them(project: str, count: int) -> None:
    before, after = part_of(project, count), part_of(project, count + 1)
    assert after in (before, count)


@pytest.mark.parametrize("count", [1, 2, 3, 10, 25])
def test_parts_are_of_like_size(count: int) -> None:
    sizes = [sum(map(Shard(index, count).has, FLEET)) for index in range(count)]
    mean = len(FLEET) / count
    assert sum(sizes) == len(FLEET)
    assert max(sizes) < mean + 5 * mean**0.5, "as even as chance is"
    assert statistics.pstdev(sizes) < 1.5 * mean**0.5


def test_one_task_more_moves_one_share() -> None:
    moved = sum(part_of(project, 9) != part_of(project, 10) for project in FLEET[:3000])
    assert 200 < moved < 400


def test_parts_are_those_of_yesterday() -> None:
    """Another hash would move projects when keyadmin is updated."""
    assert [part_of(project, 7) for project in ("my-project", "demo-project", "fleet-00001", "example.com:old")] == [1, 4, 5, 6]


@pytest.mark.parametrize(
    ("text", "env", "expected"),
    [
        ("0/1", {}, Shard(0, 1)),
        ("3/4", {"CLOUD_RUN_TASK_INDEX": "0", "CLOUD_RUN_TASK_COUNT": "1"}, Shard(3, 4)),
        ("auto", {"CLOUD_RUN_TASK_INDEX": "3", "CLOUD_RUN_TASK_COUNT": "4"}, Shard(3, 4)),
        ("auto", {"CLOUD_RUN_TASK_INDEX": "9999", "CLOUD_RUN_TASK_COUNT": "10000"}, Shard(9999, 10_000)),
        ("auto", {"JOB_COMPLETION_INDEX": "1", "JOB_COMPLETION_COUNT": "2"}, Shard(1, 2)),
    ],
)
def test_a_part_is_named_or_found_out(text: str, env: dict[str, str], expected: Shard) -> None:
    assert shard(text, env) == expected


@pytest.mark.parametrize(
    ("text", "env", "mend"),
    [
        ("4/4", {}, "write I/N with I from 0 to N-1"),
        ("0/0", {}, "write I/N"),
        ("-1/4", {}, "write I/N"),
        ("1", {}, "write I/N"),
        ("1/2/3", {}, "write I/N"),
        ("", {}, "write I/N"),
        ("²/3", {}, "write I/N"),
        ("0/10001", {}, "N up to 10,000"),
        ("AUTO", {}, "or auto"),
        ("auto", {}, "elsewhere write --shard 0/4"),
        ("auto", {"CLOUD_RUN_TASK_COUNT": "4"}, "elsewhere write --shard 0/4"),
        ("auto", {"CLOUD_RUN_TASK_INDEX": "0"}, "set CLOUD_RUN_TASK_COUNT"),
        ("auto", {"JOB_COMPLETION_INDEX": "0"}, "set JOB_COMPLETION_COUNT"),
        ("auto", {"CLOUD_RUN_TASK_INDEX": "4", "CLOUD_RUN_TASK_COUNT": "4"}, "write I/N"),
        ("auto", {"CLOUD_RUN_TASK_INDEX": "", "CLOUD_RUN_TASK_COUNT": "4"}, "write I/N"),
    ],
)
def test_what_is_no_part_is_usage_with_the_mend(text: str, env: dict[str, str], mend: str) -> None:
    with pytest.raises(Problem) as caught:
        shard(text, env)
    assert caught.value.exit is Exit.USAGE
    assert mend in caught.value.fix[0]


def rule(*sinks: str) -> PolicyRule:
    return PolicyRule("rule", projects=("shop-a", "shop-b"), sinks=sinks)


@pytest.mark.parametrize(
    ("a", "b", "shared"),
    [
        (rule("secret-manager:projects/p/secrets/s"), None, True),
        (rule("secret-manager:projects/p/secrets/{name}"), None, True),
        (rule("secret-manager:projects/p/secrets/{lineage}"), None, False),
        (rule("secret-manager:projects/{project}/secrets/s"), None, False),
        (rule("stdout"), None, False),
        (rule(), None, False),
        (rule("secret-manager:projects/{project}/secrets/s"), rule("secret-manager:projects/shop-a/secrets/s"), True),
        (rule("secret-manager:projects/p/secrets/a"), rule("secret-manager:projects/p/secrets/b"), False),
    ],
)
def test_sinks_that_two_projects_would_share_are_seen(a: PolicyRule, b: PolicyRule | None, shared: bool) -> None:
    by_project = {"shop-a": [a], "shop-b": [b or a]}
    if not shared:
        check_sinks(by_project)
        return
    with pytest.raises(Problem) as caught:
        check_sinks(by_project)
    assert caught.value.exit is Exit.USAGE
    assert "put {project} or {lineage} into it" in caught.value.fix[0]
