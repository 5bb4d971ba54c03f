"""explain(): what the details of a quota say - which one, how much it allows, of which model - is told."""

from __future__ import annotations

import json

import pytest

from keyadmin.access.explain import explain
from keyadmin.model.problem import Cause

METRIC = "generativelanguage.googleapis.com/generate_content_free_tier_requests"


def limited(quota_id: str, value: int, model: str, words: str = "You exceeded your current quota.") -> str:
    violation = {"quotaMetric": METRIC, "quotaId": quota_id, "quotaDimensions": {"model": model}, "quotaValue": str(value)}
    details = [
        {
            "@type": "type.googleapis.com/google.rpc.Help",
            "links": [{"url": "https://ai.google.dev/gemini-api/docs/rate-limits"}],
        },
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "22s"},
    ]
    return json.dumps({"error": {"code": 429, "message": words, "status": "RESOURCE_EXHAUSTED", "details": details}})


@pytest.mark.parametrize(
    ("quota_id", "value", "cause"),
    [
        ("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", 10, Cause.RATE_LIMITED),
        ("GenerateRequestsPerDayPerProjectPerModel-FreeTier", 20, Cause.DAILY_QUOTA_EXCEEDED),
        ("GenerateRequestsPerDayPerProjectPerModel-FreeTier", 0, Cause.NO_FREE_TIER),
    ],
)
def test_quota_limit_and_model_are_named(quota_id: str, value: int, cause: Cause) -> None:
    found = explain(limited(quota_id, value, "gemini-2.5-pro"))
    assert found.cause is cause
    assert found.explanation.endswith(f"The error names the quota {quota_id} allows {value} (model gemini-2.5-pro).")


def test_a_page_about_the_api_is_no_model() -> None:
    text = "models/gemini-9-pro is not found for API version v1beta. See https://ai.google.dev/gemini-api/docs/models"
    assert explain(text).found.model == "gemini-9-pro"
    assert explain("See https://ai.google.dev/gemini-api/docs: " + text).found.model == "gemini-9-pro"
    assert explain("gemini-cli: model not found").found.model is None


def test_the_words_tell_it_too() -> None:
    text = f"429 Quota exceeded for metric: {METRIC}, limit: 0, model: gemini-2.5-pro\nPlease retry in 11.3s."
    assert f"{METRIC} allows 0 (model gemini-2.5-pro)" in explain(text).explanation


def test_other_services_say_it_in_their_metadata() -> None:
    text = json.dumps(
        {
            "error": {
                "code": 429,
                "message": "Quota exceeded.",
                "details": [
                    {
                        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                        "reason": "RATE_LIMIT_EXCEEDED",
                        "domain": "googleapis.com",
                        "metadata": {
                            "quota_limit": "ReadRequestsPerMinutePerProject",
                            "quota_limit_value": "240",
                            "service": "apikeys.googleapis.com",
                            "quota_metric": "apikeys.googleapis.com/read_requests",
                        },
                    }
                ],
            }
        }
    )
    assert "ReadRequestsPerMinutePerProject allows 240" in explain(text).explanation
