"""What the sandbox's Gemini API answers: a few models by their real names, and fixed text that no model wrote.

The same request gets the same answer. Shapes follow the answers of the v1beta API as pasted into public issue threads and
as google-genai reads them.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from keyadmin.sandbox.messages.times import rfc3339

Json = dict[str, Any]

_TEXT = ("generateContent", "countTokens")
_LIVE = ("bidiGenerateContent", "countTokens")
# (id, version, display name, methods); limits are those of the real text models
_MODELS = (
    ("gemini-2.5-flash", "001", "Gemini 2.5 Flash", _TEXT),
    ("gemini-2.5-flash-lite", "001", "Gemini 2.5 Flash-Lite", _TEXT),
    ("gemini-2.5-pro", "2.5", "Gemini 2.5 Pro", _TEXT),
    ("gemini-3-flash-preview", "3-flash-preview-12-2025", "Gemini 3 Flash Preview", _TEXT),
    ("gemini-3-pro-preview", "3-pro-preview-11-2025", "Gemini 3 Pro Preview", _TEXT),
    ("gemini-live-2.5-flash-preview", "2.5-preview", "Gemini Live 2.5 Flash Preview", _LIVE),
)
_BYTES_PER_TOKEN = 4  # about what Google's documentation says of English text
_IMAGE_TOKENS = 258  # of an image or a piece of media (Gemini API documentation, tokens)


def models() -> list[Json]:
    """All models, as ListModels gives them."""
    return [
        {
            "name": f"models/{name}",
            "version": version,
            "displayName": title,
            "description": "Sandbox stand-in: answers with fixed text, no model is asked.",
            "inputTokenLimit": 1048576,
            "outputTokenLimit": 65536,
            "supportedGenerationMethods": list(methods),
            "temperature": 1,
            "topP": 0.95,
            "topK": 64,
            "maxTemperature": 2,
            "thinking": True,
        }
        for name, version, title, methods in _MODELS
    ]


def model(name: str) -> Json | None:
    """One model by `models/ID`."""
    return next((entry for entry in models() if entry["name"] == name), None)


def tokens(content: Any) -> int:
    """How many tokens the text (and media) in a request count for: a quarter of its bytes, rounded up."""
    if isinstance(content, str):
        return -(-len(content.encode()) // _BYTES_PER_TOKEN)
    if isinstance(content, list):
        return sum(tokens(item) for item in content)
    if isinstance(content, dict):
        if "inlineData" in content or "fileData" in content:
            return _IMAGE_TOKENS
        return sum(tokens(content[name]) for name in ("text", "parts", "content") if name in content)
    return 0


def answer_text(asked: Any) -> str:
    """The answer: plainly none of a model."""
    return f"This is the sandbox: no model was asked. Your prompt counts {tokens(asked)} tokens."


def fingerprint(value: Any, length: int) -> str:
    """Letters and digits that depend on the request alone, for ids."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().replace("-", "A").replace("_", "B")[:length]


def generated(model_name: str, request: Json, *, pieces: int = 1) -> list[Json]:
    """GenerateContentResponse, in one or more pieces; the last one ends the answer and has all its counts."""
    asked = [request.get("systemInstruction", {}), request["contents"]]
    text, prompt = answer_text(asked), tokens(asked)
    size = -(-len(text) // pieces)
    out: list[Json] = []
    for start in range(0, len(text), size):
        piece = text[start : start + size]
        so_far = tokens(text[: start + size])
        candidate: Json = {"content": {"parts": [{"text": piece}], "role": "model"}, "index": 0}
        if start + size >= len(text):
            candidate = {"content": candidate["content"], "finishReason": "STOP", "index": 0}
        out.append(
            {
                "candidates": [candidate],
                "usageMetadata": {
                    "promptTokenCount": prompt,
                    "candidatesTokenCount": so_far,
                    "totalTokenCount": prompt + so_far,
                    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
                },
                "modelVersion": model_name.removeprefix("models/"),
                "responseId": fingerprint([model_name, request], 22),
            }
        )
    return out


def interaction(request: Json, now: int) -> Json:
    """An Interaction, done at once (https://ai.google.dev/api/interactions-api, revision 2026-05-20)."""
    asked = [request.get("system_instruction", ""), request["input"]]
    text, prompt = answer_text(asked), tokens(asked)
    at = rfc3339(now)[:19] + "Z"
    out: Json = {
        "id": f"v1_{fingerprint(request, 40)}",
        "status": "completed",
        "usage": {
            "total_tokens": prompt + tokens(text),
            "total_input_tokens": prompt,
            "input_tokens_by_modality": [{"modality": "text", "tokens": prompt}],
            "total_cached_tokens": 0,
            "total_output_tokens": tokens(text),
            "total_tool_use_tokens": 0,
            "total_thought_tokens": 0,
        },
        "created": at,
        "updated": at,
        "object": "interaction",
        "model": request["model"],
        "steps": [{"type": "model_output", "content": [{"type": "text", "text": text}]}],
    }
    if "previous_interaction_id" in request:
        out["previous_interaction_id"] = request["previous_interaction_id"]
    return out


def interaction_events(whole: Json) -> list[Json]:
    """The same as server-sent events, in the order that the documentation of streaming interactions shows."""
    text = whole["steps"][0]["content"][0]["text"]
    half = len(text) // 2
    begun = {name: whole[name] for name in ("id", "object", "model")} | {"status": "in_progress"}
    events: list[tuple[str, Json]] = [
        ("interaction.created", {"interaction": begun}),
        ("interaction.status_update", {"interaction_id": whole["id"], "status": "in_progress"}),
        ("step.start", {"index": 0, "step": {"type": "model_output"}}),
        ("step.delta", {"index": 0, "delta": {"text": text[:half], "type": "text"}}),
        ("step.delta", {"index": 0, "delta": {"text": text[half:], "type": "text"}}),
        ("step.stop", {"index": 0}),
        ("interaction.completed", {"interaction": {name: value for name, value in whole.items() if name != "steps"}}),
    ]
    return [data | {"event_type": kind} for kind, data in events]
