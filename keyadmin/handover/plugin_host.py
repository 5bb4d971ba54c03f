"""The process in which a sink of another package gets a key: `python -m keyadmin.handover.plugin_host`.

One order (JSON) comes on stdin, one answer (JSON) goes to what was stdout; the package's own prints go nowhere.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any, cast

from keyadmin.cloud.connect import Cloud
from keyadmin.handover import plugins
from keyadmin.handover.sink import SinkContext, SinkSpec
from keyadmin.model.problem import Problem
from keyadmin.model.secret import KeyString


def main() -> None:
    """Carry out the order and answer."""
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    order = json.loads(sys.stdin.buffer.read())
    os.dup2(nowhere, 0)
    try:
        answer = asyncio.run(_carried_out(order))
    except Problem as problem:
        answer = {"error": problem.message, "fix": list(problem.fix)}
    except BaseException as error:  # noqa: BLE001 - whatever another's code raises is its answer
        answer = {"error": f"{type(error).__name__}: {_without(str(error), order)}"}
    with os.fdopen(answers, "w") as stream:
        stream.write(_without(json.dumps(answer), order))
    sys.stdout.flush()
    os._exit(0)  # threads that the package left running do not keep this process


def _without(text: str, order: dict[str, Any]) -> str:
    """Whatever the answer says, it does not hold the key."""
    key = order.get("key")
    return text.replace(key, KeyString(key).masked) if key else text


async def _carried_out(order: dict[str, Any]) -> dict[str, Any]:
    entry = next(each for each in plugins.entries() if each.name == order["kind"])
    sink = plugins.load(entry)
    # No connection to Google Cloud is lent to other packages.
    made = sink(SinkSpec(order["text"], order["value"], sink), SinkContext(cast("Cloud", None), lambda line: None))
    if order["action"] == "preflight":
        await made.preflight()
        return {}
    key = KeyString(order["key"])
    if order["action"] == "deliver":
        delivery = await made.deliver(key, key_id=order["key_id"])
        return {"changed": delivery.changed, "detail": delivery.detail}
    return {"held": await made.read_back(key)}


if __name__ == "__main__":
    main()
