"""Causes: a Gemini model, or the product around it, is not to be had for this caller."""

from __future__ import annotations

from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entries.of_reasons import forms_of, reasons_of
from keyadmin.model.causes.entry import GEMINI_DOCS, CauseEntry, Turn, Variant, do, google_says, run, says

MODEL_OVERLOADED: Final = CauseEntry(
    Cause.MODEL_OVERLOADED,
    "The model is overloaded at Google",
    "Google has no capacity free for this model just now. Neither quota nor key nor project is at fault; preview models "
    "and busy hours meet it most.",
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
            "the service is temporarily out of capacity",
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
    "version or method of the API. The key works.",
    (
        run(
            'curl -s -H "x-goog-api-key: $GEMINI_API_KEY" '
            '"https://generativelanguage.googleapis.com/v1beta/models?pageSize=200"',
            "the models that this key may use: take a name from there (without models/)",
        ),
        do(
            "names that follow the newest: gemini-flash-latest, gemini-flash-lite-latest, gemini-pro-latest; what is "
            "switched off when: https://ai.google.dev/gemini-api/docs/deprecations"
        ),
        do("a program or plugin that names the model itself: choose another in its settings, update it, or tell its maker"),
        do("Vertex AI: the model may be missing in this region only; try the location global, and its own model names"),
    ),
    f"{GEMINI_DOCS}/models",
    variants={
        # https://ai.google.dev/gemini-api/docs/api-versions
        "version": Variant(
            (
                do(
                    "set the client's API version to v1beta (many models, previews and tools are there alone), or update "
                    "the client library"
                ),
                run(
                    'curl -s -H "x-goog-api-key: $GEMINI_API_KEY" '
                    '"https://generativelanguage.googleapis.com/v1beta/models?pageSize=200"',
                    "the models that this key may use there: is the name one of them (without models/)?",
                ),
                do("a program that is not yours: choose another model in its settings, update it, or tell its maker"),
            ),
            "The call was for version v1 of the API, which does not have this model; or the model was switched off.",
        ),
        # https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/use-partner-models
        "garden": Variant(
            (
                do(
                    "an admin of the project (roles/consumerprocurement.entitlementManager) enables the model, and "
                    "accepts its terms, on its card: "
                    "https://console.cloud.google.com/vertex-ai/model-garden?project=PROJECT"
                ),
                do(
                    "and ask for it in a region (or global) where it is offered: the card lists them; the project needs billing"
                ),
            ),
            "A partner's model (Claude, Mistral, Llama) has to be enabled for the project in Vertex AI's Model Garden first.",
        ),
    },
    codes=("model_not_found",),
    patterns=(
        *says(
            47,
            "is no longer available to new users",
            "is not found for api version",
            "is not supported in the generatecontent api",
            "model * is not found, or is not supported",
            "publisher model * was not found",
            "received 1008 (policy violation) publisher model",
            "close 1008 (policy violation): publisher model",
            "publisher model * not found",
            "is not allowed to use publisher model",
            "do not support publisher model",
            "not servable in region",
            "model is not supported for generatecontent",
            "404 model is not found",
            "googlegenerativeaierror: [404",
            "model is not found: models/",
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
    "changes that for this account. The reason, where Google gives one, is in the message.",
    (
        do(
            "check the account's age and country: https://myaccount.google.com; country of the account: "
            "https://policies.google.com/terms"
        ),
        do("an account of a company or school: its admin turns the service on, or use a Google Cloud project with a licence"),
        run(
            "keyadmin keys create --name NAME --project PROJECT",
            "or use a Gemini API key instead of signing in (GEMINI_API_KEY)",
        ),
    ),
    "https://developers.google.com/gemini-code-assist/resources/faqs",
    variants={
        "client": Variant(
            (
                do("use what the message names in its place, or an account with a Code Assist licence"),
                run(
                    "keyadmin keys create --name NAME --project PROJECT",
                    "or a Gemini API key in place of the sign-in (GEMINI_API_KEY)",
                ),
            ),
            "Google no longer lets personal accounts sign in with this program.",
        ),
        # https://developers.google.com/gemini-code-assist/resources/available-locations
        "location": Variant(
            (
                do(
                    "see where the call leaves from: a VPN, a proxy (also one in the folder's .env), a server elsewhere; "
                    "is it on the list? https://developers.google.com/gemini-code-assist/resources/available-locations"
                ),
                do("the country of the account is another: https://policies.google.com/terms shows it"),
                run(
                    "keyadmin keys create --name NAME --project PROJECT",
                    "or use a Gemini API key in place of the sign-in (GEMINI_API_KEY)",
                ),
            ),
            "Google does not offer this where the call came from, or in the account's country.",
        ),
        "verify": Variant(
            (
                do(
                    "sign in to Google's own program (Gemini CLI, Antigravity, the page that the message links) with this "
                    "account and verify it there; then sign in again where it failed"
                ),
                do("an account that other programs share or automate may be refused for good: use a Gemini API key"),
            ),
            "Google wants this account verified before it goes on.",
        ),
        "project": Variant(
            (
                run("export GOOGLE_CLOUD_PROJECT=PROJECT", "a project of yours or your organisation's; then start again"),
                run(
                    "gcloud services enable cloudaicompanion.googleapis.com --project PROJECT",
                    "once, by an admin of the project",
                ),
                do("or use a Gemini API key instead of signing in (GEMINI_API_KEY)"),
            ),
            "An account of a company or school, or one with a licence, may use it only with a Google Cloud project.",
        ),
        **forms_of(Cause.ACCOUNT_NOT_ELIGIBLE),
    },
    reasons=(
        *("VALIDATION_REQUIRED", "INELIGIBLE_ACCOUNT", "UNSUPPORTED_LOCATION", "RESTRICTED_AGE", "SUBSCRIPTION_REQUIRED"),
        *reasons_of(Cause.ACCOUNT_NOT_ELIGIBLE),
    ),
    patterns=(
        *says(
            6,
            "not eligible for gemini code assist",
            "missing a valid license for gemini",
            "must be a named user on your organization's",
            "request an entitlement to gemini code assist",
            "not eligible for gemini code",
            "account is not eligible for",
            "ineligible_account",
            "ineligibletiers",
            "validation_required",
            "ensure your google account is not a workspace account",
            "not eligible for the gemini",
            "not eligible for antigravity",
            "ineligible to use antigravity",
            "not licensed for gemini code assist",
            "no valid gemini code assist license",
            "lack a gemini code assist license",
            "to continue, verify your account at https://accounts.google",
            "does not have a valid license for gemini",
            "do not have access to google ai studio",
            "don't have access to google ai studio",
            "this account requires setting the google_cloud_project",
            "client is no longer supported for gemini code assist",
            "could not discover a valid google cloud project id",  # what proxies of this sign-in print
        ),
        *says(6, "access to the default cloud shell gemini project was denied"),
        *google_says(6, "account validation required", "verify your account to continue", "to continue, verify your account"),
        *google_says(57, "account is not eligible", "you must be 18", "account doesn't have access to ai studio"),
    ),
)

ENTRIES: Final = (MODEL_OVERLOADED, MODEL_NOT_FOUND, ACCOUNT_NOT_ELIGIBLE)
