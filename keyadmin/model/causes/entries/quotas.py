"""Causes: too much was asked for, or nobody pays for it."""

from __future__ import annotations

from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entry import CLOUD, GEMINI_DOCS, CauseEntry, Turn, Variant, do, google_says, run, says

_CODE_ASSIST: Final = (
    do("wait as long as the message says (quotas of a day start again at midnight Pacific time), or take a flash model"),
    do(
        "continue with a Gemini API key (GEMINI_API_KEY; /auth in the Gemini CLI) or with Vertex AI: these have quotas of "
        "their own"
    ),
    do("more for this sign-in: a plan (Google AI Pro or Ultra, Code Assist Standard); no Cloud quota can be raised for it"),
)

RATE_LIMITED: Final = CauseEntry(
    Cause.RATE_LIMITED,
    "Too many calls in a short time",
    "A quota, most often one per minute, is used up: at the Gemini API that of the key's project (all its keys together), "
    "elsewhere that of the project charged.",
    (
        do("wait a minute and try again, then slower: with a pause that doubles each time"),
        do(
            "Gemini: what a project may do per minute and day, by model, is shown on "
            "https://aistudio.google.com/rate-limit; a higher tier raises it, another key of the same project or a "
            "subscription to the Gemini app does not; where only calls with a tool (search grounding) meet it, the free "
            "tier lacks that tool"
        ),
        do("other APIs: ask for more on https://console.cloud.google.com/iam-admin/quotas?project=PROJECT"),
    ),
    f"{CLOUD}/docs/quotas/view-manage",
    variants={
        "gcloud": Variant(
            (
                run(
                    "gcloud auth application-default set-quota-project PROJECT",
                    "name a project of your own (keyadmin: --quota-project PROJECT)",
                ),
            ),
            "The quota that ran out is shared by all users of gcloud: no quota project of your own was named.",
        ),
        "spend": Variant(
            (
                do("wait ten minutes and go on more slowly"),
                do("a higher tier has a higher limit ($10, $50, $200 in ten minutes): https://aistudio.google.com/projects"),
            ),
            "More money was spent within ten minutes than the project's tier allows.",
        ),
        # https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429
        "vertex": Variant(
            (
                do("try again with a pause that doubles; the location global has more room than one region"),
                do("spread the calls, use another model, or buy Provisioned Throughput for a steady load"),
                do(
                    "the message names a quota (..._requests_per_base_model): ask for more on "
                    "https://console.cloud.google.com/iam-admin/quotas?project=PROJECT"
                ),
            ),
            "Vertex AI shares its capacity among all customers (newer models have no quota of their own), and just now "
            "there was not enough; older models have a quota a minute.",
        ),
        "shared-client": Variant(
            (
                do("wait a minute and try again, then slower"),
                do(
                    "a tool that came with an OAuth client of its maker shares that client's quota with everybody: make "
                    "your own (Google Drive API on, type Desktop app): "
                    "https://rclone.org/drive/#making-your-own-client-id"
                ),
            ),
            "A quota of the app (its OAuth client) or of the user is used up.",
        ),
        "code-assist": Variant(_CODE_ASSIST),
        # https://support.google.com/a/answer/2905486
        "calendar": Variant(
            (
                do(
                    "wait some hours, then go on more slowly: the limit is the user's, so spread the work over time, or "
                    "over users"
                ),
                do("it counts new calendars, events, guests and mails: import without guests and notifications"),
                do("the API's quota in the console is another one: raising it does not help"),
            ),
            "Calendar lets a user create and invite only so much within some hours.",
        ),
        # https://developers.google.com/workspace/drive/api/guides/limits and the like
        "script": Variant(
            (
                do("put Utilities.sleep(1000) between calls; ask for many things in one (UrlFetchApp.fetchAll, getValues)"),
                do("keep answers (CacheService); one function for a range in place of one for each cell"),
                do(
                    "what an account may do in Apps Script, and what a Workspace account may: "
                    "https://developers.google.com/apps-script/guides/services/quotas"
                ),
            ),
            "Apps Script lets an account call its services only so often.",
        ),
        "other": Variant(
            (
                do("wait a minute and try again, then slower: with a pause that doubles each time; several calls in one batch"),
                do(
                    "see which quota of the service it is, and ask for more: "
                    "https://console.cloud.google.com/iam-admin/quotas?project=PROJECT"
                ),
                do(
                    "a tool that came with credentials of its maker shares their quota with everybody: give it a key or an "
                    "OAuth client of a project of yours"
                ),
            ),
            "A quota on calls is used up, most often one per minute: of the project charged, or of each user.",
        ),
        # https://cloud.google.com/run/docs/troubleshooting#abort-request
        "instances": Variant(
            (
                run(
                    "gcloud run services update CLOUD_RUN_SERVICE --region=REGION --max-instances=NUMBER",
                    "more instances at once (within the quota of the region)",
                ),
                do("or let each take more calls at once (--concurrency), start quicker, or be up already (--min-instances)"),
                do("callers try again with a pause that doubles; Pub/Sub, Cloud Tasks and Scheduler do so by themselves"),
            ),
            "All instances of the Cloud Run service (or function) were busy and no more could be started in time.",
            "No instance of the service was free",
        ),
        "zero": Variant(
            (
                do("waiting does not help: ask for one on https://console.cloud.google.com/iam-admin/quotas?project=PROJECT"),
                do(
                    "some APIs have to be asked for with a form first (Business Profile: "
                    "https://developers.google.com/my-business/content/prereqs)"
                ),
            ),
            "The project's quota for this is 0: it was never given any.",
            "The project has no quota for this",
        ),
        "unsaid": Variant(
            (
                do("look into the answer's body: it names the limit, where the program prints it"),
                do("wait a minute and try again, with a pause that doubles"),
                do(
                    "it stays: a limit of the day, credits or a spending cap (Gemini: "
                    "https://aistudio.google.com/rate-limit, https://aistudio.google.com/projects), or a quota "
                    "(https://console.cloud.google.com/iam-admin/quotas?project=PROJECT)"
                ),
            ),
            "Google answered 429, too many requests; which limit it is was not printed.",
        ),
        "things": Variant(
            (
                do("delete what is not needed, or take another region or type; waiting does not help"),
                do("ask for more: https://console.cloud.google.com/iam-admin/quotas?project=PROJECT"),
            ),
            "A quota on how many of a thing may exist at once is used up, not one on calls.",
            "A quota on how many there may be is used up",
        ),
    },
    reasons=("RATE_LIMIT_EXCEEDED", "EMULATOR_QUOTA_EXCEEDED", "QUOTA_EXHAUSTED"),
    legacy=(
        *("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "resourceExhausted", "concurrentLimitExceeded"),
        *("limitExceeded", "servingLimitExceeded", "variableTermLimitExceeded", "sharingRateLimitExceeded"),
    ),
    codes=(
        "rate_limit_exceeded",
        "slow_down",
        "quota_exceeded",
        "auth/too-many-requests",
        "auth/quota-exceeded",
        "messaging/message-rate-exceeded",
    ),
    patterns=(
        *says(
            62,
            "quota exceeded for quota metric",
            "online prediction request quota",
            "exceeded the provisioned throughput",
            "permodelfreetier limit exceeded",
            # BigQuery's: https://cloud.google.com/bigquery/docs/troubleshoot-quotas
            "your project exceeded quota for",
            "your table exceeded quota for",
            "your usage exceeded quota for",
            "your usage exceeded the custom quota for",
            "exceeded quota for streaming insert",
            "exceeded quota for insert bytes",
            "too many concurrent queries with remote functions",
            "rate limit for object mutation operations",
            "rate limit for creating and deleting buckets",
            "aborted because there was no available instance",
            "scale.up.error.quota.exceeded",
            "application may not have more than * versions",
            "sent too many requests to us recently",
            "insufficient quota(s) to execute this workflow",
            "calendar usage limits exceeded",
            "request rate higher than configured",
            "quota exceeded for quota group",
            "quotaerror.exceeded_quota",
            "dataflow quota error for",
            "litellm.ratelimiterror: vertexaiexception",
            "litellm.ratelimiterror: geminiexception",
            "rateexceedederror.rate_exceeded",
            "quota exceeded for metric",
            "quota exceeded for aiplatform",
            "quota metrics exceed quota limits",
            "insufficient tokens for quota",
            "ratelimitexceeded",
            "gone over the requests limit",
            "quota ' * exceeded. limit:",
            "quota limit ' * has been exceeded. limit:",
            "_all_regions' exceeded",
            "_cpus' exceeded",
            "_gpus' exceeded",
            "quota 'cpus' exceeded",
            "_total_gb' exceeded",
            "_addresses' exceeded",
            "gce quota exceeded",
            "maximum number of keys on account reached",
            "maximum number of service accounts on project",
            "due to quota restrictions, * cannot run builds in this region",
            "do not have quota for using this many instances",
            "too_many_attempts_try_later",
            "insufficient ' * ' quota. requested",
            "insufficient regional quota",
            "insufficient project quota",
            "you cannot create more than * clusters in",
            "resource has been exhausted (e.g. check quota)",
            "places_api_usage_limit_exceeded",
            "places_api_rate_limit_exceeded",
            "places_api_quota_failed",
            "places_api_device_rate_limit_exceeded",
            "insufficient cpu quota",
            'got "quota exceeded" error while trying to',  # firebase-tools
            "insufficient * quota in region",
            "streamingpull connection",
            "exceeded your spend-based rate limit",
            "exhausted your capacity on this model",
            "generativelanguage.googleapis.com/generate_content",
            "error-code-429",
            # Apps Script's: https://developers.google.com/apps-script/guides/services/quotas
            "service invoked too many times in a short time",
            "service invoked too many times:",
            "exception: limit exceeded: ",
            "script invoked too many times per second",
            "there are too many lockservice operations",
            "there are too many scripts running simultaneously",
            "too many simultaneous invocations",
        ),
        *google_says(
            62,
            "rate limit exceeded",
            "exhausted concurrent requests quota",
            "user has exceeded quota",
            "reached your rate limit",
            "exceeded your current quota",
            "resource has been exhausted",
            "resource exhausted",
            "too many requests",
            "quota exceeded",
            "exceeded quota",
            "quotaexceeded",
            "quota_exceeded",
            "exceeded rate limits",
            "over_query_limit",
            "google api error: over query limit",
            "exceeded your rate-limit for this api",
            "too many concurrent requests for user",
            "user-rate limit exceeded",
            "quotas were exceeded when requesting",
            "following quotas were exceeded",
            "quota violated:",
            "requesting an increase in quota for this region",
            "usage limits exceeded",
            "rate_limit_exceeded",
            "project exceeded quota",
            "quota limit exceeded",
            "exceeded the rate limit for",
            "cannot add * nodes in region",
        ),
    ),
    passing=True,
    spreading=True,
    unanswered=True,
)

DAILY_QUOTA_EXCEEDED: Final = CauseEntry(
    Cause.DAILY_QUOTA_EXCEEDED,
    "The quota of the day is used up",
    "What the project may do in a day is done. Days end at midnight Pacific time (07:00 or 08:00 UTC); waiting a minute "
    "does not help, nor does another key of the same project.",
    (
        do("go on after midnight Pacific time, or with another model: each has a quota of its own at the Gemini API"),
        do(
            "Gemini, more a day: set up billing (a paid tier) on https://aistudio.google.com/projects; limits by model: "
            "https://aistudio.google.com/rate-limit"
        ),
        do("other APIs: ask for more on https://console.cloud.google.com/iam-admin/quotas?project=PROJECT"),
    ),
    f"{GEMINI_DOCS}/rate-limits",
    Turn.BILLING,
    variants={
        "code-assist": Variant(
            _CODE_ASSIST,
            "What this account may do in a day by signing in (Gemini CLI, Code Assist) is used up; no project's quota.",
        ),
        "script": Variant(
            (
                do("wait up to 24 hours: the quota is the account's, over all its scripts"),
                do("call less: keep answers (CacheService), longer intervals of triggers, one call for many things"),
                do(
                    "a Workspace account may do more in a day: https://developers.google.com/apps-script/guides/services/quotas"
                ),
            ),
            "What the account may do in Apps Script in a day is used up.",
        ),
        "other": Variant(
            (
                do("go on after midnight Pacific time (07:00 or 08:00 UTC)"),
                do(
                    "more a day: set the limit higher, or ask for more, on "
                    "https://console.cloud.google.com/iam-admin/quotas?project=PROJECT; some APIs need billing for more "
                    "than what is free"
                ),
                do("a tool that came with credentials of its maker: give it a key or an OAuth client of a project of yours"),
            ),
        ),
        # https://developers.google.com/youtube/v3/determine_quota_cost
        "youtube": Variant(
            (
                do("go on after midnight Pacific time; search.list costs 100 units, most other reads 1: keep what was read"),
                do(
                    "the key came with a program and all its users share it: put in a key of a project of your own, with "
                    "youtube.googleapis.com enabled"
                ),
                do(
                    "more than 10,000 units a day: whoever owns the project asks: "
                    "https://support.google.com/youtube/contact/yt_api_form"
                ),
            ),
            "The YouTube API gives each project a number of units per day (10,000 by default), and they are used up. "
            "Days end at midnight Pacific time; another key of the same project does not help.",
            turn=Turn.PERSON,
            source="https://developers.google.com/youtube/v3/determine_quota_cost",
        ),
    },
    legacy=("dailyLimitExceeded",),
    patterns=(
        *says(
            11,
            "exceeded your daily request quota",
            "reached the limit of requests today",
            "exhausted your daily quota on this model",
            "youtube.quota",
            "/youtube/v3/getting-started#quota",
            "perdayperproject",
            "per day per project",
            "dailylimitexceeded",
            "requests_per_model_per_day",
            "daily limit exceeded. the quota will be reset at midnight",
            "the quota will be reset at midnight pacific",
            "service invoked too many times for one day",
            "service using too much computer time for one day",
        ),
        *google_says(
            58,
            "daily limit exceeded",
            "daily quota",
            "quota tokens will return at midnight",
            "tokens for a project per day",
            "reached your daily * quota",
            "daily * quota limit",
            "quota exceeded * per day",
            "requests per day",
            "queries per day",
            "cannot be completed because you have exceeded your * quota",
        ),
    ),
)


ENTRIES: Final = (
    RATE_LIMITED,
    DAILY_QUOTA_EXCEEDED,
)
