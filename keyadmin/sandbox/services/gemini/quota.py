"""How the Gemini API refuses calls over a quota: QuotaFailure with metric, id, model and value (recorded, 2025 and 2026)."""

from __future__ import annotations

from keyadmin.sandbox.messages.status import Code, RpcError, help_link

_DOCS = "https://ai.google.dev/gemini-api/docs/rate-limits"
_METRIC = "generativelanguage.googleapis.com/generate_content_free_tier_requests"


def exceeded(model: str, limit: int, wait: float) -> RpcError:
    """429 for a model (without `models/`) over `limit` requests a minute; `wait` in seconds."""
    message = (
        "You exceeded your current quota, please check your plan and billing details. For more information on this error, "
        f"head to: {_DOCS}. To monitor your current usage, head to: https://ai.dev/rate-limit. \n* Quota exceeded for "
        f"metric: {_METRIC}, limit: {limit}, model: {model}\nPlease retry in {wait:.9f}s."
    )
    violation = {
        "quotaMetric": _METRIC,
        "quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
        "quotaDimensions": {"model": model, "location": "global"},
        "quotaValue": str(limit),
    }
    return RpcError(
        Code.RESOURCE_EXHAUSTED,
        message,
        help_link("Learn more about Gemini API quotas", _DOCS),
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{int(wait)}s"},
    )
