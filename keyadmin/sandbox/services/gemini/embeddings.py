"""Embeddings: numbers that depend on the text alone and mean nothing, in the shapes of recorded answers."""

from __future__ import annotations

import hashlib
import json
import math
import random
from typing import Any

from keyadmin.sandbox.messages.status import invalid
from keyadmin.sandbox.services.gemini import models
from keyadmin.sandbox.services.gemini.request import tokens

Json = dict[str, Any]

_SIZE = 3072  # numbers unless told otherwise (recorded)


def embedding(request: Json) -> Json:
    """ContentEmbedding of an EmbedContentRequest: a vector of length 1."""
    size = request.get("outputDimensionality", _SIZE)
    if not 1 <= size <= _SIZE:
        raise invalid(f"Unsupported output dimensionality: {size}.", "output_dimensionality")  # unsourced: the wording
    seed = hashlib.sha256(json.dumps(request.get("content", {}), sort_keys=True).encode()).digest()
    numbers = random.Random(seed)  # noqa: S311 - not a secret
    values = [numbers.gauss(0, 1) for _ in range(size)]
    length = math.sqrt(sum(value * value for value in values))
    return {"values": [round(value / length, 9) for value in values]}


def usage(name: str, requests: list[Json]) -> Json:
    """`usageMetadata`, which gemini-embedding-2 gives (recorded)."""
    if models.version(name) != "gemini-embedding-2":
        return {}
    count = sum(tokens(request.get("content", {})) for request in requests)
    return {"usageMetadata": {"promptTokenCount": count, "promptTokenDetails": [{"modality": "TEXT", "tokenCount": count}]}}
