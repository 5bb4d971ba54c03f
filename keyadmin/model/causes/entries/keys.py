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
        run("keyadmin env show", "compare what the program really reads: GOOGLE_API_KEY wins over GEMINI_API_KEY"),
        do("created in the last five minutes: wait and try again; else make a new one: keyadmin keys create --name NAME"),
    ),
    f"{GEMINI_DOCS}/troubleshooting",
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
        run("keyadmin keys rotate KEY --project PROJECT", "a new key for the same consumers"),
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
    "The program never got as far as asking Google: the value that it reads as the key holds a line break, a quote, a blank or "
    "another character that no HTTP header may hold.",
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
    "account. "
    "An auth key meets the same answer where it is sent as a token (Authorization: Bearer) in place of x-goog-api-key. The "
    "wording about OAuth tokens misleads: no OAuth is needed.",
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
                    "alone); "
                    "in an SDK: as api_key, never as credentials or access token"
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

API_KEY_SERVICE_BLOCKED: Final = CauseEntry(
    Cause.API_KEY_SERVICE_BLOCKED,
    "The key's restrictions do not include this API",
    "The key is valid, but its API restrictions leave out the service or method that was called.",
    (
        run("keyadmin keys describe KEY --project PROJECT", "its targets"),
        run("keyadmin keys create --name NAME --project PROJECT --api-target SERVICE", "a key of its own for this API"),
        run(
            "keyadmin keys restrict KEY --project PROJECT --add-api-target SERVICE",
            "or add it to this key: whoever has the key can then call it, anybody if the key is public",
        ),
    ),
    f"{CLOUD}/docs/authentication/api-keys",
    reasons=("API_KEY_SERVICE_BLOCKED",),
    patterns=says(
        26,
        "requests to this api * are blocked",
        "requests-to-this-api",
        "api key is not authorized to use this service or api",
        "apitargetblockedmaperror",
        "#api-target-blocked-map-error",
    ),
    spreading=True,
    key_alive=True,
)

API_KEY_REFERRER_BLOCKED: Final = CauseEntry(
    Cause.API_KEY_REFERRER_BLOCKED,
    "The key allows only certain web sites",
    "The key is restricted to browser referrers, and this call came from another site or (from a server) with none.",
    (
        run("keyadmin keys describe KEY --project PROJECT", "the sites that it allows"),
        run("keyadmin keys restrict KEY --project PROJECT --add-referrers SITE", "from a browser: add the site"),
        run("keyadmin keys create --name NAME --project PROJECT", "from a server: a key of its own, without referrers"),
    ),
    f"{CLOUD}/docs/authentication/api-keys",
    variants={
        "empty": Variant(
            (
                run("keyadmin keys create --name NAME --project PROJECT", "from a server or an app: a key without referrers"),
                do(
                    "from a page: its Referrer-Policy (no-referrer), or an extension, holds the referrer back; at least the "
                    "origin has to be sent"
                ),
            ),
            "The key is restricted to web sites, and the call says of none that it comes from there: no list lets it pass.",
        )
    },
    reasons=("API_KEY_HTTP_REFERRER_BLOCKED", "MISSING_ORIGIN"),
    legacy=("ipRefererBlocked",),
    patterns=says(
        21,
        "requests from referer * blocked",
        "requests-from-referer",
        "not authorized to use firebase authentication with the provided api key",
        "api keys with referer restrictions cannot be used",
        "did not specify any referer",
        "does not match the referrer restrictions",
        "per-ip or per-referer restriction",
        "referernotallowedmaperror",
        "#referer-not-allowed-map-error",
        "unauthorizedurlforclientidmaperror",
        "iprefererblocked",
    ),
    key_alive=True,
)

API_KEY_IP_BLOCKED: Final = CauseEntry(
    Cause.API_KEY_IP_BLOCKED,
    "The key allows only certain callers, and this address is not one",
    "The call came from an address that the key's restriction does not list. Check IPv6 and the address that your "
    "network shows to the outside.",
    (
        run("keyadmin keys describe KEY --project PROJECT", "what it allows"),
        run("keyadmin keys restrict KEY --project PROJECT --add-ips ADDRESS", "add the address that the message names"),
    ),
    f"{CLOUD}/docs/authentication/api-keys",
    variants={
        "any-kind": Variant(
            (
                run(
                    "keyadmin keys describe KEY --project PROJECT",
                    "first see which kind: addresses, sites, Android or iOS apps",
                ),
                run(
                    "keyadmin keys restrict KEY --project PROJECT --add-ips ADDRESS",
                    "addresses: add the one that the message names",
                ),
                run(
                    "keyadmin keys create --name NAME --project PROJECT",
                    "sites or apps, and the call comes from a server: a key of its own; from a browser: "
                    "keys restrict KEY --add-referrers SITE",
                ),
            ),
            "The key is restricted to certain addresses, sites or apps; this old wording of Google does not say to which. The "
            "call fits none of them.",
        )
    },
    reasons=("API_KEY_IP_ADDRESS_BLOCKED",),
    patterns=says(
        25, "api key has an ip address restriction", "this ip, site or mobile application is not authorized to use this api key"
    ),
    key_alive=True,
)

API_KEY_ANDROID_BLOCKED: Final = CauseEntry(
    Cause.API_KEY_ANDROID_BLOCKED,
    "The key allows only certain Android apps",
    "The package name or the SHA-1 of the signing certificate is not on the key's list, or the call did not send them.",
    (
        run(
            "keyadmin keys restrict KEY --project PROJECT --add-android PACKAGE=SHA1",
            "debug, release and Play signing have SHA-1s of their own: add each",
        ),
        do("from a server or a web view: use another key, without Android restriction"),
    ),
    f"{CLOUD}/docs/authentication/api-keys",
    variants={
        "empty": Variant(
            (
                do("the client library does not send them: update it, or set the headers X-Android-Package and X-Android-Cert"),
                run(
                    "keyadmin keys create --name NAME --project PROJECT --api-target SERVICE",
                    "from a server or a web view, or until the library sends them: a key that is restricted by API alone",
                ),
            ),
            "The key is restricted to Android apps, and the call names none: no list lets it pass.",
        )
    },
    reasons=("API_KEY_ANDROID_APP_BLOCKED", "CREDENTIAL_ANDROID_APP_INVALID"),
    patterns=says(
        22,
        "requests from this android client application * blocked",
        "did not specify any android package name",
        "requests from android client application * blocked",
        "ensure that the following android key exists",
        "google maps android api * authorization failure",
        "google android maps sdk * authorization failure",
    ),
    key_alive=True,
)

API_KEY_IOS_BLOCKED: Final = CauseEntry(
    Cause.API_KEY_IOS_BLOCKED,
    "The key allows only certain iOS apps",
    "The bundle id is not on the key's list, or the call did not send it.",
    (
        run("keyadmin keys restrict KEY --project PROJECT --add-ios BUNDLE_ID", "add the app's bundle id"),
        do("from a server: use another key, without iOS restriction"),
    ),
    f"{CLOUD}/docs/authentication/api-keys",
    variants={
        "empty": Variant(
            (
                do("the client library does not send it: update it, or set the header X-Ios-Bundle-Identifier"),
                run(
                    "keyadmin keys create --name NAME --project PROJECT --api-target SERVICE",
                    "from a server, or until the library sends it: a key that is restricted by API alone",
                ),
            ),
            "The key is restricted to iOS apps, and the call names none: no list lets it pass.",
        )
    },
    reasons=("API_KEY_IOS_APP_BLOCKED",),
    patterns=says(
        23,
        "requests from this ios client application * blocked",
        "did not specify any ios bundle id",
        "requests from ios client application * blocked",
    ),
    key_alive=True,
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
    (do("send the key once: in the header x-goog-api-key alone, or as the bearer token alone on OpenAI-compatible routes"),),
    ERROR_REASONS,
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
    patterns=says(15, "api keys are not supported by this api"),
)

ENTRIES: Final = (
    *(API_KEY_INVALID, API_KEY_EXPIRED, API_KEY_LEAKED, MALFORMED_KEY, STANDARD_KEY_REJECTED, API_KEY_SERVICE_BLOCKED),
    *(API_KEY_REFERRER_BLOCKED, API_KEY_IP_BLOCKED, API_KEY_ANDROID_BLOCKED, API_KEY_IOS_BLOCKED, KEY_QUOTA_EXCEEDED),
    *(MULTIPLE_CREDENTIALS, API_KEYS_NOT_SUPPORTED_BY_API),
)
