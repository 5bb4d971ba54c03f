"""explain() against documented wordings (explain_documented/*.json): Google's, and those that any other service has.

Unlike the corpus these are sentences without a thread: Google's from its pages on troubleshooting (Maps Platform, Drive,
BigQuery, Cloud Storage, Cloud Run, IAM, the token endpoints, Gemini ...), the others as their clients print them. They name
one cause each.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from keyadmin.access.explain import explain
from keyadmin.model.problem import Cause

WORDINGS: list[dict[str, str]] = [
    each
    for file in sorted((Path(__file__).parent / "explain_documented").glob("*.json"))
    for each in json.loads(file.read_text("utf-8"))
]


def test_what_is_documented_is_named() -> None:
    wrong = {each["text"]: found for each in WORDINGS if (found := explain(each["text"]).cause.value) != each["cause"]}
    assert wrong == {}


def test_they_are_of_many_causes_and_of_other_services() -> None:
    causes = Counter(each["cause"] for each in WORDINGS)
    assert len(causes) >= 35
    assert causes[Cause.UNKNOWN.value] >= 90
