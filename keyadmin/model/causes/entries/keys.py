"""Causes: what is wrong with an API key, or with where it is used."""

from __future__ import annotations

from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entry import (
    CLOUD,
    ERROR_REASONS,
    GEMINI_DOCS,
    CauseEntry,
    Variant,
    do,
    google_says,
    run,
    says,
)

API_KEY_INVALID: Final = CauseEntry(
    Cause.API_KEY_INVALID,
    "The API key is not valid",
    "No live key has this string: mistyped, cut off, quoted twice, a placeholder, deleted, or just created and not yet known "
    "everywhere.",
    (
        run("keyadmin keys lookup -", "paste the key: tells the project it belongs to, if any, and whether it was deleted"),
        run("keyadmin keys undelete KEY --project PROJECT", "deleted by mistake, less than 30 days ago: it works again"),
        run(
            "keyadmin env show",
            "compare what the program really reads: GOOGLE_API_KEY wins over GEMINI_API_KEY; one with a field of its own "
            "for the key takes it from there alone: paste it again, whole",
        ),
        do("created in the last five minutes: wait and try again; else make a new one: keyadmin keys create --name NAME"),
    ),
    f"{GEMINI_DOCS}/troubleshooting",
    variants={
        # https://firebase.google.com/docs/projects/learn-more#config-files-objects
        "firebase": Variant(
            (
                do(
                    "load the app's configuration (google-services.json, GoogleService-Info.plist, firebaseConfig) again "
                    "from your own Firebase project, project settings, your app; an example's has a placeholder as key"
                ),
                run(
                    "keyadmin keys lookup -",
                    "paste the key: tells the project it belongs to, if any, and whether it was deleted",
                ),
                run(
                    "keyadmin keys undelete KEY --project PROJECT", "deleted by mistake, less than 30 days ago: it works again"
                ),
            ),
        ),
        # https://developers.google.com/maps/documentation/places/android-sdk/config
        "places": Variant(
            (
                do(
                    "see that the build puts the key into the manifest (com.google.android.geo.API_KEY) or gives it to "
                    "Places.initialize, whole and not the example's"
                ),
                run(
                    "keyadmin projects enable places.googleapis.com --project PROJECT",
                    "in the key's project; billing has to be on there",
                ),
                run("keyadmin keys lookup -", "paste the key: tells its project, and whether it was deleted"),
            ),
        ),
    },
    reasons=("API_KEY_INVALID",),
    legacy=("keyInvalid",),
    codes=("auth/invalid-api-key", "auth/api-key-not-valid.-please-pass-a-valid-api-key."),
    patterns=(
        *says(
            27,
            "api key not valid",
            "api_key_invalid",
            "please pass a valid api key",
            "api key not found. please pass a valid",
            "is not a valid google api key",
            "auth/invalid-api-key",
            "auth/api-key-not-valid",
            "invalidkeymaperror",
            "#invalid-key-map-error",
            "apiprojectmaperror",
            "#api-project-map-error",
            "invalidkeyornotauthorizedmaperror",
            "malformedcredentialsmaperror",
            "#malformed-credentials-map-error",
            '"keyinvalid"',
            "the provided api key is invalid",
            "invalid (malformed or missing) api key",
            "places_api_key_invalid",
            "places_api_invalid_app",
        ),
        *google_says(27, "invalid api key", "api key is invalid"),
    ),
    spreading=True,
    key_dead=True,
    of_standard_keys=True,
)

API_KEY_EXPIRED: Final = CauseEntry(
    Cause.API_KEY_EXPIRED,
    "The API key has expired",
    "The key is known but no longer accepted. It cannot be renewed: a new one takes its place.",
    (
        run("keyadmin keys rotate KEY --project PROJECT --to SINK", "a new key, handed over to where the old one was read"),
        run("keyadmin keys create --name NAME --project PROJECT", "or a new one altogether"),
    ),
    f"{GEMINI_DOCS}/troubleshooting",
    reasons=("API_KEY_EXPIRED",),
    legacy=("keyExpired",),
    patterns=(
        *says(
            18,
            "api key expired. please renew",
            "auth/api-key-expired",
            "provided api key is expired",
            "places_api_key_expired",
            "expiredkeymaperror",
            "#expired-key-map-error",
            '"keyexpired"',
        ),
        *google_says(18, "api key expired", "api key has expired", "api key is expired"),
    ),
    key_dead=True,
)

API_KEY_LEAKED: Final = CauseEntry(
    Cause.API_KEY_LEAKED,
    "The key was reported as leaked and is blocked",
    "Google found this key in public and blocked it. It will not be unblocked.",
    (
        run("keyadmin keys compromised KEY --project PROJECT --to SINK", "replaces it and retires it at once"),
        run("keyadmin scan PATH", "find where it stood; remove it from the history too"),
    ),
    f"{GEMINI_DOCS}/troubleshooting",
    patterns=says(17, "api key was reported as leaked", "key has been reported as leaked", "key was leaked"),
    key_dead=True,
)

MALFORMED_KEY: Final = CauseEntry(
    Cause.MALFORMED_KEY,
    "The key cannot be sent as it stands",
    "The program never got as far as asking Google: the value that it reads as the key holds a line break, a quote, a "
    "blank or another character that no HTTP header may hold.",
    (
        run("keyadmin env show", "which value is read, and from where"),
        do("store it again without quotes, blanks and a line break at the end (echo -n, printf %s; a secret made from a file)"),
        run("keyadmin keys verify --key-from-env GEMINI_API_KEY", "then see whether the key works"),
    ),
    f"{GEMINI_DOCS}/api-key",
    patterns=(
        *says(16, "x-goog-api-key * illegal header value", "illegal header value * x-goog-api-key"),
        *google_says(
            36,
            "illegal header value",
            "invalid header value",
            "is not a legal http header value",
            "invalid character in header content",
            "header content contains invalid characters",
            "cannot convert argument to a bytestring",
            "string contains non iso-8859-1 code point",
            "metadata had an illegal value",
            "illegal metadata",
            "metadata was invalid",
            "invalid leading whitespace, reserved character(s), or return character(s) in header value",
            "codec can't encode character * ordinal not in range",
            "invalid http header field value",
        ),
    ),
)

STANDARD_KEY_REJECTED: Final = CauseEntry(
    Cause.STANDARD_KEY_REJECTED,
    "The Gemini API did not take the key",
    "Standard keys (AIza...) only name a project; since 2026 the Gemini API wants auth keys (AQ....), bound to a service "
    "account. An auth key meets the same answer where it is sent as a token (Authorization: Bearer) in place of "
    "x-goog-api-key. The wording about OAuth tokens misleads: no OAuth is needed.",
    (
        run("keyadmin keys migrate KEY --project PROJECT", "a standard key (AIza...): an auth key for the same consumers"),
        do(
            "an auth key (AQ....): send it in the header x-goog-api-key, not as Authorization: Bearer (that is for the "
            "OpenAI-compatible paths alone); update the client library"
        ),
        run("keyadmin keys list --all --all-projects --filter keyType=standard", "find the other standard keys"),
    ),
    f"{GEMINI_DOCS}/api-key",
    variants={
        "auth-key": Variant(
            (
                do(
                    "send the key in the header x-goog-api-key, not as Authorization: Bearer (that is for /v1beta/openai "
                    "alone); in an SDK: as api_key, never as credentials or access token"
                ),
                do("update the client library: versions from before 2026 take AQ. keys for tokens"),
                run("keyadmin keys verify --key-from-env GEMINI_API_KEY", "shows that the key itself works"),
            ),
            "The key is an auth key, and it was sent as an OAuth token. Nothing has to be migrated.",
        )
    },
    patterns=(
        *says(31, "request had invalid authentication credentials"),
        *google_says(31, "access_token_type_unsupported"),
    ),
    of_standard_keys=True,
)


KEY_QUOTA_EXCEEDED: Final = CauseEntry(
    Cause.KEY_QUOTA_EXCEEDED,
    "The project has no room for another key",
    "A project holds at most 300 API keys; deleted ones may count until they are purged, after 30 days.",
    (
        run("keyadmin keys list --project PROJECT --all --sort createTime", "delete what nobody uses"),
        do("or create the key in another project"),
    ),
    f"{CLOUD}/api-keys/docs/quotas",
    patterns=google_says(
        31,
        "maximum number of api keys",
        "api keys per project",
        "too many api keys",
        "limit of 300 api keys",
        "keys limit reached",
    ),
)

MULTIPLE_CREDENTIALS: Final = CauseEntry(
    Cause.MULTIPLE_CREDENTIALS,
    "The call carried more than one credential",
    "A key and a token (or a key in two places) were sent together, and the API takes only one. OpenAI-compatible clients "
    "send the key as a bearer token: with x-goog-api-key or ?key= beside it there are two.",
    (
        do("send the key once: in the header x-goog-api-key alone, or as the bearer token alone on OpenAI-compatible routes"),
        do(
            "a program that is not yours: fill in only one of its settings for the key (and no Authorization header of "
            "your own beside it), update it, or tell its maker"
        ),
    ),
    ERROR_REASONS,
    variants={
        # https://googleapis.github.io/python-genai/#create-a-client
        "client": Variant(
            (
                do(
                    "create the client with one of them: an API key alone (Gemini API, or Vertex AI in express mode), or "
                    "project, location and credentials (Vertex AI)"
                ),
                do(
                    "see which variables are set beside: GOOGLE_API_KEY, GEMINI_API_KEY, GOOGLE_GENAI_USE_VERTEXAI, "
                    "GOOGLE_CLOUD_PROJECT"
                ),
            ),
            "The program's client was given an API key and other credentials; it takes one. Google was not asked yet.",
        ),
    },
    reasons=("OVERLOADED_CREDENTIALS",),
    patterns=says(
        15, "multiple authentication credentials", "api key and the authentication credential are from different projects"
    ),
)

API_KEYS_NOT_SUPPORTED_BY_API: Final = CauseEntry(
    Cause.API_KEYS_NOT_SUPPORTED_BY_API,
    "This API does not take such a key",
    "The call has to say who is calling, and a standard key only names a project. It needs an OAuth token, or, where the API "
    "takes them (Vertex AI does), a key that is bound to a service account.",
    (
        run("gcloud auth application-default login", "and let the client use those credentials instead of the key"),
        do(
            "for Gemini models: a key of AI Studio is for generativelanguage.googleapis.com (vertexai=False, no "
            "GOOGLE_GENAI_USE_VERTEXAI); for aiplatform.googleapis.com use a key bound to a service account that has "
            "roles/aiplatform.user"
        ),
    ),
    f"{CLOUD}/docs/authentication/api-keys",
    variants={
        # https://ai.google.dev/gemini-api/docs/api-key
        "gemini": Variant(
            (
                do("the words about OAuth mislead: make a new key (an auth key, AQ....) in AI Studio and use it"),
                run(
                    "keyadmin keys migrate KEY --project PROJECT",
                    "an auth key for the same consumers in place of a standard key (AIza...)",
                ),
                do("send it in the header x-goog-api-key, or as the bearer token on the OpenAI-compatible paths alone"),
                do("a few methods (tuned models, some files) take no key at all: there an OAuth token is needed"),
            ),
            "The Gemini API did not take this key, or this method of it takes none.",
        )
    },
    patterns=says(15, "api keys are not supported by this api"),
)

ENTRIES: Final = (
    API_KEY_INVALID,
    API_KEY_EXPIRED,
    API_KEY_LEAKED,
    MALFORMED_KEY,
    STANDARD_KEY_REJECTED,
    KEY_QUOTA_EXCEEDED,
    MULTIPLE_CREDENTIALS,
    API_KEYS_NOT_SUPPORTED_BY_API,
)
