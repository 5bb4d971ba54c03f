"""Causes: what a key is restricted to leaves this call out."""

from __future__ import annotations

from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entries.of_reasons import forms_of, reasons_of
from keyadmin.model.causes.entry import CLOUD, CauseEntry, Variant, do, run, says

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
        ),
        **forms_of(Cause.API_KEY_REFERRER_BLOCKED),
    },
    reasons=("API_KEY_HTTP_REFERRER_BLOCKED", *reasons_of(Cause.API_KEY_REFERRER_BLOCKED)),
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
        # https://firebase.google.com/docs/projects/api-keys
        "app": Variant(
            (
                run(
                    "keyadmin keys create --name NAME --project PROJECT --api-target SERVICE --allowed-android PACKAGE=SHA1",
                    "a key of the app's own, for its package and signing certificate (iOS: --allowed-ios BUNDLE_ID)",
                ),
                do(
                    "or, if nothing but the app uses this key: keys restrict KEY --allowed-android PACKAGE=SHA1 puts it in "
                    "place of the addresses; Firebase's own keys are meant to be public"
                ),
            ),
            "The key is restricted to certain addresses, and an app calls with it: the addresses of its users cannot be "
            "listed.",
        ),
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
            "The key is restricted to certain addresses, sites or apps; this old wording of Google does not say to "
            "which. The call fits none of them.",
        ),
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
        do("a map stays empty: the manifest's key is the example's, or Maps SDK for Android is not enabled in its project"),
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
        ),
        **forms_of(Cause.API_KEY_ANDROID_BLOCKED),
    },
    reasons=("API_KEY_ANDROID_APP_BLOCKED", *reasons_of(Cause.API_KEY_ANDROID_BLOCKED)),
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

ENTRIES: Final = (
    API_KEY_SERVICE_BLOCKED,
    API_KEY_REFERRER_BLOCKED,
    API_KEY_IP_BLOCKED,
    API_KEY_ANDROID_BLOCKED,
    API_KEY_IOS_BLOCKED,
)
