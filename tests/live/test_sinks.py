"""The checks of the sinks against real systems: run by `nox -s live_sinks` with KEYADMIN_LIVE_SINKS and their credentials.

KEYADMIN_LIVE_SINKS = sinks, divided by blanks, of places that hold nothing of value: each is written twice with made-up strings
and read back. Nothing is cleaned up: what the places hold afterwards is named.
"""

from __future__ import annotations

import os
import secrets

import pytest

from keyadmin.model.secret import KeyString
from tests.sinks import sink_of

pytestmark = pytest.mark.live
SINKS = os.environ.get("KEYADMIN_LIVE_SINKS", "").split()


def made_up() -> KeyString:
    return KeyString(f"AQ.SANDBOX-{secrets.token_hex(20)}")


@pytest.mark.skipif(not SINKS, reason="KEYADMIN_LIVE_SINKS is not set")
@pytest.mark.parametrize("text", SINKS or ["none"])
async def test_a_sink_takes_keys_one_after_another(text: str) -> None:
    first, second = made_up(), made_up()
    sink = sink_of(text)
    await sink.preflight()
    assert (await sink.deliver(first, key_id="ka-live-1")).changed
    assert await sink.read_back(first) in (True, None)
    assert await sink.read_back(second) in (False, None)
    repeated = await sink.deliver(first, key_id="ka-live-1")
    assert not repeated.changed or await sink.read_back(first) is None
    assert (await sink.deliver(second, key_id="ka-live-2")).changed
    assert await sink.read_back(second) in (True, None)
    print(f"{text} holds a made-up key now")
