"""Which models the Gemini API has, as Google lists them: the package's data, which says of what day it is."""

from __future__ import annotations

from typing import Any

from keyadmin.data import gemini_models

Json = dict[str, Any]

_NO_THOUGHTS = ("flash-lite", "tts", "image", "banana", "gemma", "lyria", "robotics")  # unless asked to (recorded)


def every() -> list[Json]:
    """All models, in the order of ListModels."""
    models: list[Json] = gemini_models()["models"]
    return models


def by_name(name: str) -> Json | None:
    """One model by `models/ID`."""
    return next((entry for entry in every() if entry["name"] == name), None)


def version(name: str) -> str:
    """What an answer gives as its `modelVersion`: the id, for an alias that of the model it stands for (recorded)."""
    model_id = name.removeprefix("models/")
    latest: dict[str, str] = gemini_models()["latest"]
    return latest.get(model_id, model_id)


def generation(name: str) -> float:
    """2.5 of `models/gemini-2.5-flash`; 3 for what has no number."""
    head = version(name).removeprefix("gemini-").partition("-")[0]
    try:
        return float(head)
    except ValueError:
        return 3.0


def thinks(name: str) -> bool:
    """Whether a model thinks where the request does not say."""
    found = by_name(name)
    return bool(found and found.get("thinking")) and not any(part in version(name) for part in _NO_THOUGHTS)


def may_think(name: str) -> bool:
    """Whether a model can be told to think."""
    found = by_name(name)
    return bool(found and found.get("thinking"))
