"""Whose error a text is: Google's, another vendor's, or nobody can tell."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from keyadmin.model.causes.facts import Origin

_LONGEST: Final = 20_000  # marks are looked for in this many characters

# Hosts, clients and variables that only Google's APIs have, in lower case. (`googleapis.com` is looked for apart: other vendors
# use the types of google.rpc, whose names begin with a host of Google's.)
_GOOGLE: Final = (
    *("googleapi: ", "google.api_core", "google.genai", "google.auth", "google.cloud", "google.generativeai", "google.oauth2"),
    *("google.ai.", "googlegenerativeai", "googlegenai", "google genai", "ai.google.dev", "accounts.google.com", "ai.studio"),
    *("support.google.com", "console.cloud.google", "cloud.google.com", "developers.google.com", "console.developers.google"),
    *("aistudio.google", "policies.google.com", "ai.dev/", "gserviceaccount", "gcloud", "google-github-actions", "com.google."),
    *("google.apis.", "google::", "x-goog-", "googleapiclient", "generativelanguage", "@google/", "@google-cloud/"),
    *("google_project", "google_service_account", "google_cloud_", "google_compute", "google_storage", "google_container"),
    *(
        "google_apikeys",
        "googlejsonresponse",
        "googleapiexception",
        "gaxioserror",
        "node_modules/gtoken",
        "cloudcode",
        "gemini api",
        "google cloud",
    ),
    *("firebase", "vertexai", "vertex ai", "gemini_api_key", "google_api_key", "google_application_credentials"),
    *(
        "google_service_account",
        "cloud code assist",
        "youtube.quota",
        "/youtube/v3/",
        "code assist",
        "google api",
        "gsutil",
        "bucketnotfoundexception",
        "urlfetchapp",
        "spreadsheetapp",
        "driveapp.",
        "scriptapp.",
        "apps script",
        "detailedapirequesterror",
        "oauth2/google",
        "google\\auth",
        "application default credentials",
        "googlesheets",
        "google sheets",
        "google drive",
    ),
)
_RPC_TYPE: Final = "googleapis.com/google.rpc"
# The form of Google's error object: a number and a name of capitals.
_ENVELOPE: Final = (
    re.compile(r"""\bcode["']?\s*(?::|=>?)\s*\d{3}\b"""),
    re.compile(r"""\bstatus["']?\s*(?::|=>?)\s*["'][A-Z]{5,}(?:_[A-Z]+)*["']"""),
)
# An entry of the `errors` of its older APIs.
_OLDER: Final = re.compile(r"""\bdomain\W{1,8}(?:global|usageLimits)\b""")
_MENTIONED: Final = (
    "google",
    "gemini",
    "gcp",
    "firebase",
    "vertex",
    "antigravity",
    "youtube data api",
    "youtube api",
    "youtube error",
    "workloadidentitypools",
    "bigquery",
    "actions_id_token",
    "cloud sql",
    "artifact registry",
    "gcr.io/",
    "pkg.dev/",
    "over_query_limit",
    "gmail",
    "ai studio",
    "dialogflow",
    "earth engine",
    "pub/sub",
    "cloud run",
    "cloud spanner",
    ".run.app",
    ".cloudfunctions.net",
)

# Each vendor by what only its own errors say, in lower case.
_VENDORS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "Anthropic",
        (
            *("api.anthropic.com", "console.anthropic.com", "overloaded_error", "rate_limit_error", "authentication_error"),
            *("credit balance is too low", "claude.ai/", "invalid x-api-key", "docs.claude.com", "docs.anthropic.com"),
            *("platform.claude.com", "anthropicexception"),
        ),
    ),
    (
        "OpenAI",
        (
            *("platform.openai.com", "api.openai.com", "help.openai.com", "openai api responded", "insufficient_quota"),
            *("openai.error.", "invalid_request_error", "incorrect api key provided", "auth.openai.com"),
            *("you didn't provide an api key. you need to provide", "chatgpt.com/", "api.chatgpt"),
        ),
    ),
    (
        "Azure",
        (
            *(".azure.com", "azure.requestfailed", "invalid subscription key or wrong api endpoint", "deploymentnotfound"),
            *(
                "aadsts",
                "apim-request-id",
                "microsoftonline.com",
                "the api deployment for this resource",
                "graph.microsoft.com",
            ),
            *("does not have authorization to perform action",),
        ),
    ),
    (
        "AWS",
        (
            *("amazonaws.com", "botocore", "boto3", "arn:aws", "throttlingexception", "accessdeniedexception", "x-amzn-"),
            *("unrecognizedclientexception", "expiredtokenexception", "aws bedrock", "servicequotaexceededexception"),
            *("invalidclienttokenid", "signaturedoesnotmatch", "@aws-sdk", "aws-sdk", "api error: accessdenied"),
        ),
    ),
    (
        "OpenRouter",
        (
            "openrouter.ai",
            "openrouterexception",
            "free-models-per-day",
            "no endpoints found for",
            "provider: openrouter",
            "openrouter:",
        ),
    ),
    ("Groq", ("console.groq.com", "api.groq.com", "service tier `on_demand", "groqexception")),
    ("Mistral", ("api.mistral.ai", "console.mistral.ai", '"raw_status_code"')),
    ("DeepSeek", ("api.deepseek.com", "platform.deepseek")),
    ("Hugging Face", ("huggingface.co", "hf.co/", "huggingface_hub", "hf_hub")),
    ("Cohere", ("api.cohere.", "cohere.error")),
    ("Databricks", ("docs.databricks.com", "remote_function_http_failed_error", "databricks.com/api")),
    (
        "GitHub",
        (
            "api.github.com",
            "docs.github.com",
            "resource not accessible by integration",
            "githubcopilot",
            "copilot_",
            "github.com/login",
        ),
    ),
    ("GitLab", ("gitlab.com/api", "docs.gitlab.com")),
    ("Kubernetes", ("is forbidden: user ", "error from server (forbidden)")),
    ("Docker", ("docker.io", "docker.com", "toomanyrequests: you have reached your")),
    (
        "Cloudflare",
        ("api.cloudflare.com", "cloudflare ray id", "cf-ray", "error code: 1010", "error code: 1015", "error code: 1020"),
    ),
    ("xAI", ("api.x.ai", "console.x.ai")),
    ("Supabase", ("supabase.co", "row-level security policy", "pgrst")),
    ("Stripe", ("api.stripe.com", "stripe.error")),
    ("Slack", ("slack.com/api", "slack_sdk")),
    ("Twilio", ("api.twilio.com",)),
    ("SendGrid", ("sendgrid",)),
    ("Perplexity", ("api.perplexity.ai",)),
    ("Together AI", ("api.together.", "together.ai")),
    ("Alibaba Cloud", ("dashscope", "aliyuncs.com")),
    ("Baidu", ("baidubce.com",)),
    ("Spotify", ("api.spotify.com", "accounts.spotify.com")),
    ("Notion", ("api.notion.com",)),
    ("Atlassian", (".atlassian.net", "api.atlassian.com")),
    ("Meta", ("graph.facebook.com", "oauthexception")),
    ("Dropbox", ("api.dropboxapi.com",)),
    ("Mapbox", ("api.mapbox.com",)),
    ("Google Trends", ("pytrends",)),
    ("Sentry", ("sentry.io/api",)),
    ("ElevenLabs", ("elevenlabs",)),
    ("npm", ("npm err! code e40",)),
    ("an LLM proxy", ("no accounts available with quota", "virtual key expected. received=", "no available channel for model")),
)
# Firebase's rules decide in clients; IAM has no part in it, although the words are IAM's.
RULES: Final = "Firebase security rules"
_RULES_CLIENTS: Final = (
    *("w/firestore", "firebasefirestoreexception", "cloud_firestore/", "firebaseerror", "firestore]:", "firebase_storage"),
    *("storage/unauthorized", "databaseerror", "platformexception", "@firebase/", "firebase_database", "firebase/database"),
)
# Products of Google's that keep lists of users of their own: IAM's roles have no part there, although the words are IAM's.
# Each with where to look, the words of a refusal, and (where these are anybody's) the marks of the product.
OWN_USERS: Final[dict[str, str]] = {
    "Google Play Console": "in the Play Console, under Users and permissions, invite the service account and give it the app",
    "Google Search Console": "in its Settings, under Users and permissions, add the account that calls to the property",
    "Google Cloud Billing": "a billing account may pay for only so many projects: ask for more on "
    "https://support.google.com/code/contact/billing_quota_increase, or unlink a project that no longer needs it",
    "Google Device Access": "in the Device Access Console see that project id, OAuth client and the account that "
    "linked its devices "
    "belong together: https://console.nest.google.com/device-access",
    "Google Earth Engine": "register the project on https://code.earthengine.google.com/register and name it: "
    "ee.Initialize(project='...'); a service account needs an Earth Engine role in that project",
    "Google Analytics": "in Analytics, under Admin, Access management, add the account that calls to the property",
    "Google Drive": "share the file, folder or shared drive with the account that calls, as an editor if it writes",
    "Google Ads": "in Google Ads, under Access and security, add the account that calls; the developer token needs access too",
    "Apple's push service": "upload a valid APNs key in the Firebase console (project settings, Cloud Messaging), or for the "
    "web a VAPID key. The credentials of the caller are good",
    "Firebase Cloud Messaging": "the device's token is of another Firebase project than the credentials: use those of one",
}
_OWN_USERS: Final[tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]] = (
    (
        "Google Play Console",
        (
            "the caller does not have permission",
            "forbidden: forbidden",
            "insufficient permissions",
            "error: forbidden",
            "permission to execute this method",
        ),
        ("fastlane", "androidpublisher", "play_store", "play store", "gradle play publisher", "play.google.com"),
    ),
    ("Google Play Console", ("does not own the application",), ("google play", "androidpublisher")),
    ("Google Search Console", ("sufficient permission for site", "failed to verify the url ownership"), ()),
    ("Google Device Access", ("the caller does not have permission",), ("smartdevicemanagement",)),
    ("Google Cloud Billing", ("contact/billing_quota_increase",), ()),
    ("Google Earth Engine", ("not signed up for earth engine", "is not registered to use earth engine"), ()),
    (
        "Google Analytics",
        ("sufficient permissions for this property", "sufficient permissions for this account", "permissions for this profile"),
        (),
    ),
    ("Google Analytics", ("does not have any google analytics account",), ()),
    ("Google Drive", ("sufficient permissions for this file", "insufficient permissions for this file"), ()),
    ("Google Drive", ("insufficientfilepermissions", "insufficient permissions for the specified parent"), ()),
    ("Google Ads", ("user_permission_denied", "developer_token_not_approved", "developer_token_prohibited"), ()),
    ("Apple's push service", ("third_party_auth_error", "third-party-auth-error", "apns_auth_error"), ()),
    ("Firebase Cloud Messaging", ("senderid mismatch", "sender_id_mismatch"), ()),
)
_RULES_WORDS: Final = (
    *("permission-denied", "missing or insufficient permissions", "storage/unauthorized", "permission_denied at /"),
    *("client doesn't have permission to access the desired data",),
)


@lru_cache(maxsize=512)
def google(text: str) -> bool:
    """Whether the text shows that it is Google's: a host, a client, the form of its error object."""
    low = text[:_LONGEST].lower()
    if low.count("googleapis.com") > low.count(_RPC_TYPE) or any(mark in low for mark in _GOOGLE):
        return True
    if "domain" in low and _OLDER.search(text, 0, _LONGEST):
        return True
    return all(form.search(text, 0, _LONGEST) for form in _ENVELOPE) if "status" in low and "code" in low else False


@lru_cache(maxsize=512)
def vendor(text: str) -> str | None:
    """Whose error it is by its own marks, where these are not Google's APIs."""
    low = text[:_LONGEST].lower()
    if any(word in low for word in _RULES_WORDS) and any(client in low for client in _RULES_CLIENTS):
        return RULES
    for product, words, marks in _OWN_USERS:
        if any(word in low for word in words) and (not marks or any(mark in low for mark in marks)):
            return product
    if 'requires one of ["container.' in low:  # GKE's Kubernetes asks IAM too
        return None
    return next((name for name, marks in _VENDORS if any(mark in low for mark in marks)), None)


@lru_cache(maxsize=512)
def _mentioned(text: str) -> bool:
    low = text[:_LONGEST].lower()
    return any(name in low for name in _MENTIONED)


def origin(record: str, whole: str) -> tuple[Origin, str | None]:
    """Whose error `record` is, a part of the text `whole`; and the vendor's name."""
    named = vendor(record)
    if named == RULES or named in OWN_USERS or (named is not None and not google(record)):
        return Origin.OTHER, named
    if named is None and not _mentioned(record) and (elsewhere := vendor(whole)) is not None and not google(whole):
        return Origin.OTHER, elsewhere
    known = google(record) or _mentioned(record) or google(whole) or _mentioned(whole)
    return (Origin.GOOGLE if known else Origin.ANYBODY), None
