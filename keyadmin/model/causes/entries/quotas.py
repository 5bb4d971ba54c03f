"""Causes: too much was asked for, or nobody pays for it."""

from __future__ import annotations

from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entry import CLOUD, GEMINI_DOCS, CauseEntry, Turn, Variant, do, google_says, run, says

RATE_LIMITED: Final = CauseEntry(
    Cause.RATE_LIMITED,
    "Too many calls in a short time",
    "A quota, most often one per minute, is used up: at the Gemini API that of the key's project (all its keys together), "
    "elsewhere that of the project charged.",
    (
        do("wait a minute and try again, then slower: with a pause that doubles each time"),
        do(
            "Gemini: what a project may do per minute and day, by model, stands on https://aistudio.google.com/rate-limit; a "
            "higher tier raises it, another key of the same project does not"
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
        "things": Variant(
            (
                do("delete what is not needed, or take another region or type; waiting does not help"),
                do("ask for more: https://console.cloud.google.com/iam-admin/quotas?project=PROJECT"),
            ),
            "A quota on how many of a thing may exist at once is used up, not one on calls.",
        ),
    },
    reasons=("RATE_LIMIT_EXCEEDED", "EMULATOR_QUOTA_EXCEEDED", "QUOTA_EXHAUSTED"),
    legacy=("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "resourceExhausted"),
    codes=("rate_limit_exceeded", "quota_exceeded", "auth/too-many-requests", "auth/quota-exceeded"),
    patterns=(
        *says(
            62,
            "quota exceeded for quota metric",
            "quota exceeded for quota group",
            "quota exceeded for metric",
            "quota exceeded for aiplatform",
            "insufficient tokens for quota",
            "ratelimitexceeded",
            "gone over the requests limit",
            "quota ' * exceeded. limit:",
            "_all_regions' exceeded",
            "_cpus' exceeded",
            "_gpus' exceeded",
            "quota 'cpus' exceeded",
            "_total_gb' exceeded",
            "_addresses' exceeded",
            "gce quota exceeded",
            "insufficient regional quota",
            "insufficient project quota",
            "you cannot create more than * clusters in",
            "resource has been exhausted (e.g. check quota)",
            "overquotamaperror",
            "exceeded your spend-based rate limit",
            "exhausted your capacity on this model",
            "generativelanguage.googleapis.com/generate_content",
            "error-code-429",
        ),
        *google_says(
            62,
            "rate limit exceeded",
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
            "rate_limit_exceeded",
            "project exceeded quota",
            "quota limit exceeded",
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
    "does not "
    "help, nor does another key of the same project.",
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
    legacy=("dailyLimitExceeded",),
    patterns=(
        *says(
            11,
            "exceeded your daily request quota",
            "youtube.quota",
            "/youtube/v3/getting-started#quota",
            "perdayperproject",
            "per day per project",
            "dailylimitexceeded",
            "requests_per_model_per_day",
            "daily limit exceeded. the quota will be reset at midnight",
            "the quota will be reset at midnight pacific",
        ),
        *google_says(
            58,
            "daily limit exceeded",
            "daily quota",
            "reached your daily * quota",
            "daily * quota limit",
            "quota exceeded * per day",
            "requests per day",
            "queries per day",
            "cannot be completed because you have exceeded your * quota",
        ),
    ),
)

NO_FREE_TIER: Final = CauseEntry(
    Cause.NO_FREE_TIER,
    "This model has no free tier",
    'The limit of the project\'s free tier is 0 for this model (in this country): waiting never helps, and "retry in ... s" '
    "misleads. The project is on the free tier.",
    (
        do("use a model that the free tier includes: https://ai.google.dev/gemini-api/docs/pricing"),
        do(
            "or set up billing for the key's project: https://aistudio.google.com/projects (a subscription to Gemini is not "
            "that)"
        ),
        run("keyadmin keys lookup -", "paste the key: which project it belongs to, where billing has to be"),
    ),
    f"{GEMINI_DOCS}/rate-limits",
    Turn.BILLING,
    patterns=says(
        9,
        "free_tier * limit: 0,",
        "free_tier * limit: 0 ",
        "only accessible to billed users",
        "doesn't have a free quota tier",
        "does not have a free quota tier",
    ),
)

CREDITS_DEPLETED: Final = CauseEntry(
    Cause.CREDITS_DEPLETED,
    "The prepaid credits are used up",
    "The billing account of the key's project is prepaid, and nothing is left of it. All projects of that account stop.",
    (
        do("whoever pays buys credits or switches on auto-reload: https://aistudio.google.com/projects, the project, Billing"),
        run("keyadmin keys lookup -", "paste the key: which project it belongs to; it may be another one than you think"),
    ),
    f"{GEMINI_DOCS}/billing",
    Turn.BILLING,
    codes=("payment_required",),
    patterns=(
        *says(
            8,
            "prepayment credits are depleted",
            "prepaid credits are depleted",
            "prepaid credits have been depleted",
            "your credits are depleted",
            "prepay credits",
        ),
        *google_says(56, "payment_required", "credits are depleted", "out of credits"),
    ),
)

SPENDING_CAP_REACHED: Final = CauseEntry(
    Cause.SPENDING_CAP_REACHED,
    "A spending cap is reached",
    "The project's own monthly cap, or that of its billing account (which stops all projects of the account), is used up. "
    "It starts again with the month.",
    (
        do("whoever pays raises the project's cap: https://aistudio.google.com/spend"),
        do(
            "the billing account's cap goes with the tier: $250, $2,000, $20,000 a month and more; ask for the next tier on "
            "https://aistudio.google.com/projects"
        ),
    ),
    f"{GEMINI_DOCS}/billing",
    Turn.BILLING,
    patterns=(
        *says(7, "monthly spending cap", "exceeded its spending cap", "exceeded its monthly spend", "ai.studio/spend"),
        *google_says(55, "spending cap", "spend cap", "spending limit"),
    ),
)

MODEL_OVERLOADED: Final = CauseEntry(
    Cause.MODEL_OVERLOADED,
    "The model is overloaded at Google",
    "Google has no capacity free for this model just now. Neither quota nor key nor project is at fault; preview models and "
    "busy "
    "hours meet it most.",
    (
        do("try again in a minute or some, with a pause that doubles; the answer may say how long"),
        do("or use another model (a flash or flash-lite model, a stable one instead of a preview)"),
        do("if it stays: https://aistudio.google.com/status"),
    ),
    f"{GEMINI_DOCS}/troubleshooting",
    Turn.GOOGLE,
    reasons=("MODEL_CAPACITY_EXHAUSTED",),
    codes=("overloaded",),
    patterns=(
        *says(
            50,
            "no capacity available for model",
            "model_capacity_exhausted",
            "model is currently experiencing high demand",
            "the model is overloaded",
            "model is overloaded. please try again",
        ),
        *google_says(50, "model is overloaded", "experiencing high demand", "model is currently overloaded"),
    ),
    passing=True,
    unanswered=True,
)

MODEL_NOT_FOUND: Final = CauseEntry(
    Cause.MODEL_NOT_FOUND,
    "There is no such model for this caller",
    "The model's name is wrong, it was switched off, it is not offered to projects that are new to it, or not by this "
    "version or "
    "method of the API. The key works.",
    (
        run(
            'curl -s -H "x-goog-api-key: $GEMINI_API_KEY" '
            '"https://generativelanguage.googleapis.com/v1beta/models?pageSize=200"',
            "the models that this key may use: take a name from there (without models/)",
        ),
        do(
            "names that follow the newest: gemini-flash-latest, gemini-flash-lite-latest, gemini-pro-latest; what is "
            "switched off "
            "when: https://ai.google.dev/gemini-api/docs/deprecations"
        ),
        do("Vertex AI: the model may be missing in this region only; try the location global, and its own model names"),
    ),
    f"{GEMINI_DOCS}/models",
    codes=("model_not_found",),
    patterns=(
        *says(
            47,
            "is no longer available to new users",
            "is not found for api version",
            "model * is not found, or is not supported",
            "publisher model * was not found",
            "publisher model * not found",
            "is not allowed to use publisher model",
            "not servable in region",
            "model is not supported for generatecontent",
            "404 model is not found",
            "not supported for generatecontent",
            "call listmodels to see the list of available models",
            "is not supported for predict",
        ),
        *google_says(
            47,
            "models/gemini * is not found",
            "models/gemini * not found",
            "model not found",
            "model_not_found",
            "unexpected model name format",
            "model * is no longer available",
            "model has been deprecated",
            "consider switching to different model",
            "model * has been shut down",
        ),
    ),
)

ACCOUNT_NOT_ELIGIBLE: Final = CauseEntry(
    Cause.ACCOUNT_NOT_ELIGIBLE,
    "This account may not use the product",
    "Google lets only some accounts use it (age, country, kind of account, a licence): no permission, project or key "
    "changes that "
    "for this account. The reason, where Google gives one, stands in the message.",
    (
        do(
            "check the account's age and country: https://myaccount.google.com; country of the account: https://policies.google.com/terms"
        ),
        do("an account of a company or school: its admin turns the service on, or use a Google Cloud project with a licence"),
        run(
            "keyadmin keys create --name NAME --project PROJECT",
            "or use a Gemini API key instead of signing in (GEMINI_API_KEY)",
        ),
    ),
    "https://developers.google.com/gemini-code-assist/resources/faqs",
    variants={
        "project": Variant(
            (
                run("export GOOGLE_CLOUD_PROJECT=PROJECT", "a project of yours or your organisation's; then start anew"),
                run(
                    "gcloud services enable cloudaicompanion.googleapis.com --project PROJECT",
                    "once, by an admin of the project",
                ),
                do("or use a Gemini API key instead of signing in (GEMINI_API_KEY)"),
            ),
            "An account of a company or school, or one with a licence, may use it only with a Google Cloud project.",
        )
    },
    reasons=(
        *("ACCOUNT_TYPE_UNSUPPORTED", "VALIDATION_REQUIRED", "INELIGIBLE_ACCOUNT", "UNSUPPORTED_LOCATION", "RESTRICTED_AGE"),
        "SUBSCRIPTION_REQUIRED",
    ),
    patterns=(
        *says(
            6,
            "not eligible for gemini code assist",
            "not eligible for gemini code",
            "account is not eligible for",
            "ineligible_account",
            "ineligibletiers",
            "validation_required",
            "ensure your google account is not a workspace account",
            "not eligible for the gemini",
            "not eligible for antigravity",
            "not licensed for gemini code assist",
            "no valid gemini code assist license",
            "lack a gemini code assist license",
            "to continue, verify your account at https://accounts.google",
            "does not have a valid license for gemini",
            "this account requires setting the google_cloud_project",
        ),
        *google_says(6, "verify your account to continue", "to continue, verify your account"),
        *google_says(57, "account is not eligible", "you must be 18", "account doesn't have access to ai studio"),
    ),
)

ENTRIES: Final = (
    *(RATE_LIMITED, DAILY_QUOTA_EXCEEDED, NO_FREE_TIER, CREDITS_DEPLETED, SPENDING_CAP_REACHED, MODEL_OVERLOADED),
    *(MODEL_NOT_FOUND, ACCOUNT_NOT_ELIGIBLE),
)
