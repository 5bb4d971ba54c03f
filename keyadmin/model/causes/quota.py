"""Which of the many states of a quota an error is about."""

from __future__ import annotations

import re
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.facts import ErrorFacts

_ZERO: Final = re.compile(
    r"free_tier\w*[\"',]*\s*,?\s*limit: 0(?![\d.])|FreeTier limit exceeded .{1,80}: limit=0(?![\d.])", re.IGNORECASE
)
_DAY: Final = re.compile(r"per[ _-]?day|perday|daily|_day\b|/d(?:ay)?\b|-1d\b", re.IGNORECASE)
_OF_A_DAY: Final = (
    "youtube.quota",
    "/youtube/v3/getting-started#quota",
    "YouTube Data API",
    "YouTube API",
)  # services whose quotas are all of a day
_MINUTE: Final = re.compile(r"per[ _-]?minute|perminute|per[ _-]?second|/min", re.IGNORECASE)
_CAP: Final = re.compile(r"spending cap|spend cap", re.IGNORECASE)
_CREDITS: Final = re.compile(r"(?:prepa(?:id|y|yment) )?credits (?:are|have been) (?:depleted|used up)", re.IGNORECASE)
_CODE_ASSIST: Final = re.compile(
    r"cloudcode-pa|code assist|exhausted your capacity on this model|usage limit reached for gemini", re.IGNORECASE
)
# Words of Compute Engine (`Quota 'CPUS' exceeded. Limit: 24.0 in region us-central1.`) and of Kubernetes Engine
_THINGS: Final = re.compile(
    r"quota '?[A-Z][A-Z0-9_]+'? exceeded\.(?:\s+limit: \d|\s*$)|gce quota exceeded|"
    r"insufficient (?:regional|project|cpu|'[a-z_0-9]+') quota|insufficient .{1,40} quota in region|"
    r"following quotas were exceeded|quota violated|increase in quota for this region|"
    r"cannot create more than \d+|maximum number of (?:keys|service accounts) on|cannot run builds in this region|"
    r"quota for using this many instances|quota limit '[A-Za-z]+' has been exceeded|streamingpull connection|"
    r"quota error for [a-z-]+ quota|project quotas don.t allow|scale\.up\.error\.quota|insufficient quota\(s\) to execute|"
    r"cannot add \d+ nodes in region|may not have more than \d+ versions",
    re.IGNORECASE,
)
_SCRIPT: Final = re.compile(
    r"(?:service|script) invoked too many|exception: limit exceeded: |"
    r"computer time for one day|lockservice op|scripts running sim|simultaneous invoc",
    re.IGNORECASE,
)
_VARIANTS: Final = (
    ("instances", re.compile(r"there was no available instance", re.IGNORECASE)),
    ("spend", re.compile(r"spend-based rate limit", re.IGNORECASE)),
    ("things", _THINGS),
    ("script", _SCRIPT),
    ("calendar", re.compile(r"calendar usage", re.IGNORECASE)),
    ("vertex", re.compile(r"error-code-429|aiplatform\.googleapis\.com|per_base_model", re.IGNORECASE)),
    ("shared-client", re.compile(r"\brclone|\bgdrive\b|google drive|pacer: ", re.IGNORECASE)),
)
_YOUTUBE: Final = re.compile(r"youtube\.quota|youtube/v3|youtube\.googleapis|youtube error 403", re.IGNORECASE)
# Of Gemini and Vertex AI: other services have no tiers, and no page of limits in AI Studio.
_OF_MODELS: Final = re.compile(
    r"gemini|generativelanguage|genai|generative.?ai|vertex|aiplatform|ai\.google|ai\.studio|aistudio|imagen|veo-|litellm|"
    r"resource has been exhausted",
    re.IGNORECASE,
)
_CAPACITY: Final = re.compile(
    r"no capacity available|out of capacity|model_capacity_exhausted|overloaded|high demand", re.IGNORECASE
)
# The name of a quota or limit, in quotes or as one word.
_QUOTED: Final = re.compile(r"(?:quota metric|limit|metric:) ['\"]?([^'\"\n,;]{3,90})|quota for (\w{3,60})\b")
_HOUR: Final = 3_600  # to wait: no quota of a minute asks for so long


def state(facts: ErrorFacts) -> tuple[Cause, str | None]:
    """The cause of an error about a quota, and the variant of `rate-limited`."""
    text = facts.message
    if _CAPACITY.search(text):
        return Cause.MODEL_OVERLOADED, None
    if _CAP.search(text):
        return Cause.SPENDING_CAP_REACHED, None
    if _CREDITS.search(text):
        return Cause.CREDITS_DEPLETED, None
    if _no_free_tier(facts):
        return Cause.NO_FREE_TIER, None
    if _of_nothing(facts):
        return Cause.RATE_LIMITED, "zero"
    if any(_DAY.search(found.quota_id or found.metric) for found in facts.violations):
        return day(facts)
    unnamed = not any(found.quota_id for found in facts.violations)
    if unnamed and (_says_day(facts) or (facts.retry_delay or 0) > _HOUR):
        return day(facts)
    return Cause.RATE_LIMITED, _variant(text) or ("code-assist" if _CODE_ASSIST.search(text) else _other(facts))


_LIMIT: Final = re.compile(r"metric: ['\"]?([\w./-]+)['\"]?, limit: (\d+)(?:, model: ([\w.-]*\w))?")
_MOST: Final = 3  # quotas that are named: an answer may list many
_Named = tuple[str, str, str]  # name, limit, model


def said(facts: ErrorFacts) -> str:
    """Which quotas it is, and how much each allows, where the error says so; else nothing."""
    details = [
        (found.quota_id or found.metric, found.value, found.model)
        for found in facts.violations
        if found.quota_id or found.metric
    ]
    words = [(name, value, model or "") for name, value, model in _LIMIT.findall(facts.message)]
    most = next(
        (named for named in (details, _of_metadata(facts), words, details) if any(limit for _, limit, _ in named)), details
    )
    parts = [
        name + (f" allows {limit}" if limit else "") + (f" (model {model})" if model else "")
        for name, limit, model in dict.fromkeys(most)
    ]
    return f"The error names the quota {'; '.join(parts[:_MOST])}." if parts else ""


def _of_metadata(facts: ErrorFacts) -> list[_Named]:
    name = facts.metadata.get("quota_limit") or facts.metadata.get("quota_metric")
    return [(name, facts.metadata.get("quota_limit_value", ""), "")] if name else []


def day(facts: ErrorFacts) -> tuple[Cause, str | None]:
    """A quota of a day, and its form."""
    return Cause.DAILY_QUOTA_EXCEEDED, _of_a_day(facts.message) or _other(facts)


def _other(facts: ErrorFacts) -> str | None:
    """The form of quotas of other services than Gemini's and Vertex AI's."""
    return None if facts.method is not None or _OF_MODELS.search(f"{facts.message}\n{facts.around}") else "other"


def _of_a_day(text: str) -> str | None:
    """The form of a quota of a day: one that an account has at Gemini Code Assist, or YouTube's units."""
    if _CODE_ASSIST.search(text):
        return "code-assist"
    if _SCRIPT.search(text):
        return "script"
    return "youtube" if _YOUTUBE.search(text) else None


def _variant(text: str) -> str | None:
    """The form of `rate-limited` that takes other steps."""
    return next((name for name, mark in _VARIANTS if mark.search(text)), None)


def _no_free_tier(facts: ErrorFacts) -> bool:
    """A limit of 0 on the free tier: by the words (`limit: 0`), or by the details (`quotaValue`)."""
    by_details = any(found.value == "0" and "freetier" in found.quota_id.lower() for found in facts.violations)
    return by_details or _ZERO.search(facts.message) is not None


def _of_nothing(facts: ErrorFacts) -> bool:
    """A quota of nothing at all: nobody gave the project any yet."""
    return facts.metadata.get("quota_limit_value") == "0"


def _says_day(facts: ErrorFacts) -> bool:
    """Whether the quota itself is one of a day: its metric or limit says so, not a remark beside it."""
    if any(mark in facts.message for mark in _OF_A_DAY):
        return True
    named = " ".join(facts.metadata.get(key, "") for key in ("quota_limit", "quota_unit", "quota_metric", "quota_limit_name"))
    if _DAY.search(named) or _MINUTE.search(named):  # a name that was cut off says neither
        return _DAY.search(named) is not None
    quoted = _QUOTED.findall(facts.message[:4_000])
    return any(_DAY.search(name) and not _MINUTE.search(name) for name in map("".join, quoted))
