"""Recorded requests to the Gemini API, sent to the sandbox: the same statuses and errors, and answers of the same shape.

A part of the recordings is in tests/data/recorded-gemini.json. All of them are replayed where they lie beside the project
(../shared/recordings, or the folder that KEYADMIN_RECORDINGS names).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Running, start
from .gemini_help import SEED, ask, string_of

ROOT = Path(__file__).parents[2]
SHIPPED: list[dict[str, Any]] = json.loads((ROOT / "tests/data/recorded-gemini.json").read_text("utf-8"))["requests"]
WHOLE = Path(os.environ.get("KEYADMIN_RECORDINGS", ROOT.parent / "shared" / "recordings")) / "data" / "gemini.json"
TOLD = {"thoughtsTokenCount", "thoughtSignature"}  # whether a model thinks about a request is its own affair


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    path: Path = tmp_path_factory.mktemp("gemini") / "seed.json"
    path.write_text(json.dumps(SEED))
    running = start(seed=str(path))
    yield running
    running.stop()


def replayed(sandbox: Running, key: str, path: str, body: Any) -> tuple[int, Any]:
    status, answer, _ = ask(sandbox, path, {"x-goog-api-key": key}, body)
    return status, answer


def pieces(answer: Any) -> list[Any]:
    """A stream's messages, of whichever form."""
    if isinstance(answer, str):
        return [json.loads(line) for line in re.findall(r"^data: (\{.*?)\r?$", answer, re.MULTILINE)]
    return answer if isinstance(answer, list) else [answer]


def parts_of(messages: list[Any]) -> list[str]:
    found = [
        part for one in messages for each in one.get("candidates", []) for part in each.get("content", {}).get("parts") or []
    ]
    return sorted({"+".join(sorted(set(part) - TOLD)) for part in found})


@pytest.mark.parametrize("recorded", SHIPPED, ids=lambda one: f"{one['path'].rpartition('/')[2]}-{one['from'][-50:]}")
def test_status_error_and_shape_are_as_recorded(sandbox: Running, recorded: dict[str, Any]) -> None:
    status, answer = replayed(sandbox, string_of(sandbox, "good"), recorded["path"], recorded["body"])
    assert status == recorded["status"], answer
    if "error" in recorded:
        older = json.dumps(recorded["error"]).replace("Call ListModels", "Call ModelService.ListModels")  # words of 2026
        assert answer == json.loads(older)
        return
    messages, shape = pieces(answer), recorded["shape"]
    assert sorted(messages[-1]) == shape["members"]
    if "parts" not in shape or parts_of(messages) != sorted({_plain(part) for part in shape["parts"]}):
        return  # the model chose another kind of answer: test_the_kinds_of_parts counts those
    candidate = messages[-1]["candidates"][0]
    assert candidate["finishReason"] == shape["finishReason"]
    assert set(candidate) == set(shape["candidate"])
    assert set(messages[-1]["usageMetadata"]) - TOLD == set(shape["usage"]) - TOLD


def _plain(part: str) -> str:
    return "+".join(name for name in part.split("+") if name not in TOLD)


def test_the_kinds_of_parts(sandbox: Running) -> None:
    """A model may call a function or answer; the sandbox does as most recorded answers did."""
    asked = [one for one in SHIPPED if "parts" in one.get("shape", {})]
    key = string_of(sandbox, "good")
    same = [
        parts_of(pieces(replayed(sandbox, key, one["path"], one["body"])[1]))
        == sorted({_plain(part) for part in one["shape"]["parts"]})
        for one in asked
    ]
    assert sum(same) >= 0.8 * len(asked), f"{sum(same)} of {len(asked)}"


@pytest.mark.skipif(not WHOLE.exists(), reason="the recordings are not beside the project")
def test_all_recorded_statuses(sandbox: Running) -> None:
    """But for models that the list of 2026 does not have, for what the sandbox does not serve, and for a used-up quota."""
    key = string_of(sandbox, "good")
    _, listed = replayed(sandbox, key, "/v1beta/models?pageSize=1000", None)
    known = {model["name"].removeprefix("models/") for model in listed["models"]}
    wrong, tried = [], 0
    for sequence in json.loads(WHOLE.read_text("utf-8")):
        for step in sequence["steps"]:
            model = re.search(r"models/([^:/?]+)", step["path"])
            path = re.sub(r"([?&])key=KEY", r"\1", step["path"]).rstrip("?&").replace("?&", "?")
            if (
                step["method"] not in ("GET", "POST")
                or step["status"] == 429
                or (model and step["status"] == 200 and model[1] not in known)
            ):
                continue
            used = "invalid" if "API key not valid" in json.dumps(step["reply"]) else key
            status, answer = replayed(sandbox, used, path, step["body"] if step["method"] == "POST" else None)
            if status == 501:
                continue
            tried += 1
            if status != step["status"]:
                wrong.append((sequence["file"], path, step["status"], status, answer))
    assert tried > 350
    assert wrong == []
