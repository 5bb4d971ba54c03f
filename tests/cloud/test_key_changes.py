"""Changes of keys are pinned: what somebody else did between plan and act is not overwritten, nor undone, nor deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from keyadmin.cloud.connect import Cloud, connect
from keyadmin.keys import change
from keyadmin.keys.change import KeyChange
from keyadmin.keys.restriction_edit import RestrictionEdit
from keyadmin.model.key import GEMINI_ONLY, ApiTarget, Key, Restrictions
from keyadmin.model.problem import Cause, Exit, Problem

PROJECT = "demo-project"
MAPS = Restrictions(targets=(ApiTarget("maps-backend.googleapis.com"),))
SITES = Restrictions(referrers=("a.example/*",))

PINNED: dict[str, Callable[[Key], KeyChange]] = {
    "delete": lambda key: change.plan_delete(key, force=True),
    "delete with the check of use": lambda key: change.plan_delete(key, force=False),
    "replace": lambda key: change.plan_restrict(key, RestrictionEdit(MAPS), force=True),
    "unrestrict": lambda key: change.plan_unrestrict(key, "all"),
    "rename": lambda key: change.plan_rename(key, "mine"),
    "clear annotations": lambda key: change.plan_annotate(key, {"a": "1"}, clear=True),
}


@pytest_asyncio.fixture
async def cloud(sandbox: Any) -> AsyncIterator[Cloud]:
    """A connection to the sandbox, as owner."""
    async with connect(sandbox.target) as found:
        yield found


async def made(cloud: Cloud) -> Key:
    found = await cloud.keys.create(
        PROJECT,
        "pinned",
        display_name="before",
        restrictions=replace(GEMINI_ONLY, referrers=SITES.referrers),
        annotations={"team": "search"},
    )
    return replace(await cloud.keys.get(found.name), project=PROJECT)


@pytest.mark.parametrize("kind", list(PINNED))
@pytest.mark.parametrize("theirs", ["display_name", "restrictions", "annotations"])
async def test_what_was_changed_in_between_is_a_conflict_and_nothing_is_changed(cloud: Cloud, kind: str, theirs: str) -> None:
    key = await made(cloud)
    planned = PINNED[kind](key)
    other = replace(key, display_name="theirs", restrictions=MAPS, annotations={"team": "theirs"})
    await cloud.keys.update(key.name, {theirs}, other)
    before = await cloud.keys.get(key.name)
    with pytest.raises(Problem) as caught:
        await change.execute(cloud, planned)
    assert caught.value.cause is Cause.CONFLICT
    assert caught.value.exit is Exit.FAILED
    assert "meanwhile" in caught.value.message
    assert await cloud.keys.get(key.name) == before


@pytest.mark.parametrize("kind", list(PINNED))
async def test_what_was_not_changed_is_done(cloud: Cloud, kind: str) -> None:
    key = await made(cloud)
    await change.execute(cloud, PINNED[kind](key))
    now = await cloud.keys.get(key.name)
    assert now.delete_time is not None or now.etag != key.etag


async def test_what_is_merged_holds_for_what_is_there(cloud: Cloud) -> None:
    """Two people add at the same time: both additions stand. Without the etag the second writer's list wins."""
    key = await made(cloud)
    site = change.plan_restrict(key, RestrictionEdit(add=Restrictions(referrers=("mine.example/*",))), force=True)
    note = change.plan_annotate(key, {"mine": "1"}, ["team"])
    theirs = replace(key.restrictions, referrers=("a.example/*", "theirs.example/*"))
    annotations = {"team": "search", "theirs": "1"}
    await cloud.keys.update(
        key.name, {"restrictions", "annotations"}, replace(key, restrictions=theirs, annotations=annotations)
    )
    await change.execute(cloud, site)
    await change.execute(cloud, note)
    now = await cloud.keys.get(key.name)
    assert now.restrictions.referrers == ("a.example/*", "theirs.example/*", "mine.example/*")
    assert now.annotations == {"theirs": "1", "mine": "1"}


async def test_an_entry_that_went_meanwhile_is_not_the_last_one_to_be_taken(cloud: Cloud) -> None:
    """What is merged is looked at anew too: taking away the last entry would open the key."""
    key = replace(await made(cloud))
    two = replace(key.restrictions, referrers=("a.example/*", "b.example/*"))
    key = replace(await cloud.keys.update(key.name, {"restrictions"}, replace(key, restrictions=two)), project=PROJECT)
    planned = change.plan_restrict(key, RestrictionEdit(remove=Restrictions(referrers=("b.example/*",))), force=True)
    one = replace(two, referrers=("b.example/*",))
    await cloud.keys.update(key.name, {"restrictions"}, replace(key, restrictions=one))
    with pytest.raises(Problem) as caught:
        await change.execute(cloud, planned)
    assert caught.value.exit is Exit.USAGE
    assert (await cloud.keys.get(key.name)).restrictions.referrers == ("b.example/*",)


async def test_a_key_deleted_in_between_is_a_conflict(cloud: Cloud) -> None:
    key = await made(cloud)
    planned = PINNED["rename"](key)
    await cloud.keys.delete(key.name)
    with pytest.raises(Problem):
        await change.execute(cloud, planned)
    assert (await cloud.keys.get(key.name)).display_name == "before"
