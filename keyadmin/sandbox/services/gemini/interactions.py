"""Interactions: what they answer, as one object or as events, and how they refuse.

Shapes: answers of 15 May 2026 that vercel/ai keeps as fixtures, and https://ai.google.dev/api/interactions-api (revision
2026-05-20).
"""

from __future__ import annotations

import base64
import json
from typing import Any

from keyadmin.sandbox.messages.status import Code, RpcError
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.services.gemini import models
from keyadmin.sandbox.services.gemini.answers import THOUGHTS, answer_text, fingerprint
from keyadmin.sandbox.services.gemini.request import cut, listed, pick, tokens
from keyadmin.sandbox.services.gemini.samples import sample

Json = dict[str, Any]


def interaction(request: Json, now: int) -> Json:
    """An Interaction, done at once, or one that waits for the result of a function."""
    model = f"models/{request['model'].removeprefix('models/')}"
    asked = [request.get("system_instruction", ""), request["input"]]
    settings = request.get("generation_config", {})
    thoughts = THOUGHTS if models.thinks(model) and pick(settings, "thinkingLevel") != "minimal" else 0
    step = _function_call(request) or {"content": [{"text": _text(request, asked), "type": "text"}], "type": "model_output"}
    answer = tokens(json.dumps(step["arguments"]) if "arguments" in step else step["content"][0]["text"])
    at = rfc3339(now)[:19] + "Z"
    signature = base64.b64encode(f"sandbox {fingerprint(request, 60)}".encode()).decode()
    out: Json = {
        "id": f"v1_{fingerprint(request, 40)}",
        "status": "requires_action" if "arguments" in step else "completed",
        "usage": {
            "total_tokens": tokens(asked) + answer + thoughts,
            "total_input_tokens": tokens(asked),
            "input_tokens_by_modality": [{"modality": "text", "tokens": tokens(asked)}],
            "total_cached_tokens": 0,
            "total_output_tokens": answer,
            "total_tool_use_tokens": 0,
            "total_thought_tokens": thoughts,
        },
        "created": at,
        "updated": at,
        "service_tier": str(request.get("service_tier", "standard")),
        "steps": [*([{"signature": signature, "type": "thought"}] if thoughts else []), step],
        "object": "interaction",
        "model": request["model"],
    }
    if "previous_interaction_id" in request:
        out["previous_interaction_id"] = request["previous_interaction_id"]
    return out


def _text(request: Json, asked: list[Any]) -> str:
    form = request.get("response_format")
    schema = form.get("schema", form) if isinstance(form, dict) else None
    if isinstance(schema, dict) and ("type" in schema or "properties" in schema):
        text = json.dumps(sample(schema), ensure_ascii=False)
    else:
        text = answer_text(asked)
    most = pick(request.get("generation_config", {}), "maxOutputTokens")
    return cut(text, int(most)) if isinstance(most, (int, float)) and 0 < most < len(text) else text


def _function_call(request: Json) -> Json | None:
    """The first function that is declared, unless a function's result was sent."""
    declared = [tool for tool in listed(request.get("tools")) if isinstance(tool, dict) and tool.get("type") == "function"]
    if not declared or "function_result" in json.dumps(request["input"]):
        return None
    chosen = declared[0]
    return {
        "id": fingerprint(request, 8).lower(),
        "type": "function_call",
        "name": chosen.get("name", ""),
        "arguments": sample(chosen.get("parameters", {})) or {},
    }


def events(whole: Json) -> list[Json]:
    """The same as server-sent events, in the order that recorded streams show."""
    begun = {name: whole[name] for name in ("id", "object", "model")} | {"status": "in_progress"}
    out: list[tuple[str, Json]] = [
        ("interaction.created", {"interaction": begun}),
        ("interaction.status_update", {"interaction_id": whole["id"], "status": "in_progress"}),
    ]
    for index, step in enumerate(whole["steps"]):
        out += _step_events(index, step)
    ended = {name: value for name, value in whole.items() if name != "steps"}
    out.append(("interaction.completed", {"interaction": ended}))
    return [data | {"event_type": kind} for kind, data in out]


def _step_events(index: int, step: Json) -> list[tuple[str, Json]]:
    if step["type"] == "thought":
        shown: Json = {"type": "thought"}
        deltas = [{"signature": step["signature"], "type": "thought_signature"}]
    elif step["type"] == "function_call":
        shown = step | {"signature": "", "arguments": {}}
        deltas = [{"arguments": json.dumps(step["arguments"]), "type": "arguments_delta"}]
    else:
        text, shown = step["content"][0]["text"], {"type": "model_output"}
        half = len(text) // 2
        deltas = [{"text": text[:half], "type": "text"}, {"text": text[half:], "type": "text"}]
    return [
        ("step.start", {"index": index, "step": shown}),
        *(("step.delta", {"index": index, "delta": delta}) for delta in deltas),
        ("step.stop", {"index": index}),
    ]


# https://ai.google.dev/gemini-api/docs/troubleshooting and the API's documents of 2026, as far as they could be read.
_CODES = {
    Code.INVALID_ARGUMENT: "invalid_request",
    Code.FAILED_PRECONDITION: "failed_precondition",
    Code.OUT_OF_RANGE: "out_of_range",
    Code.UNAUTHENTICATED: "authentication",
    Code.PERMISSION_DENIED: "permission_denied",
    Code.NOT_FOUND: "not_found",
    Code.RESOURCE_EXHAUSTED: "rate_limit_exceeded",
    Code.CANCELLED: "canceled",
}
_UNKNOWN_FIELD = "Unknown name"


class InteractionError(RpcError):
    """A refusal in the form of the Interactions API: `{"error": {"message", "code"}}` with a word as the code."""

    def rest(self, *, listed: bool = False) -> Json:
        """The REST error body (its members in this order: discuss.ai.google.dev 143625). `listed` makes no difference."""
        return {"error": {"message": self.message, "code": _word(self)}}


def _word(error: RpcError) -> str:
    if error.code == Code.NOT_FOUND and error.message.startswith("models/"):
        return "model_not_found"
    if error.code == Code.INVALID_ARGUMENT and _UNKNOWN_FIELD in error.message:
        return "parameter_unknown"
    if error.code == Code.RESOURCE_EXHAUSTED and "PerDay" in json.dumps(error.details):
        return "quota_exceeded"
    return _CODES.get(error.code, error.code.name.lower())


def reworded(error: RpcError) -> RpcError:
    """An error in the form of this API, unless it is one of Google's front end, which knows nothing of forms: of keys, callers
    and projects that pay. Those have an ErrorInfo."""
    if isinstance(error, InteractionError) or any("ErrorInfo" in str(detail.get("@type")) for detail in error.details):
        return error
    return InteractionError(error.code, error.message, *error.details)
