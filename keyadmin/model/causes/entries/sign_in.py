"""Causes: an app is not let in by Google's sign-in."""

from __future__ import annotations

from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes import consent
from keyadmin.model.causes.entry import CauseEntry, Turn, Variant, do, google_says, run, says

OAUTH_CLIENT_MISCONFIGURED: Final = CauseEntry(
    Cause.OAUTH_CLIENT_MISCONFIGURED,
    "Google's sign-in refuses the app",
    "The OAuth client (the app's registration in a Google Cloud project) does not fit what it asked for: an address that "
    "is not registered, a client that was deleted, an app in testing that lists other people, or one that an admin has "
    "not allowed.",
    (
        do(
            "redirect_uri_mismatch, origin: register exactly the address that the page names, on "
            "https://console.cloud.google.com/apis/credentials (scheme, port and slash count)"
        ),
        do(
            "access_denied, app in testing: the developer adds your account as a test user, or publishes the app, on "
            "https://console.cloud.google.com/auth/audience"
        ),
        do(
            "deleted_client, invalid_client: make a new OAuth client there and give its id and secret to the app; "
            "org_internal, admin_policy_enforced: sign in with an account of that organisation, or its admin allows the "
            "app"
        ),
    ),
    "https://developers.google.com/identity/protocols/oauth2/web-server#authorization-errors",
    Turn.PERSON,
    variants={
        "redirect": Variant(
            (
                do(
                    "whoever owns the OAuth client registers exactly the address that the page names (scheme, host, port, "
                    "path, slash) under Authorised redirect URIs or JavaScript origins: "
                    "https://console.cloud.google.com/apis/credentials"
                ),
                do("a program on this machine: make a client of type Desktop app, which needs no registered address"),
            ),
            "The address that the app wants to be called back at is not registered with its OAuth client.",
        ),
        "gcloud": Variant(
            (
                run(
                    "gcloud components update",
                    "its old versions sign in as a client that is gone (or update the package that it came with)",
                ),
                run("gcloud auth revoke --all", "forgets the stored sign-in"),
                run("gcloud auth login", "and sign in again (programs: gcloud auth application-default login)"),
            ),
            "gcloud's stored sign-in is of an OAuth client that Google no longer knows.",
        ),
        "testing": Variant(
            (
                do(
                    "the app's developer adds your account as a test user, or publishes the app: "
                    "https://console.cloud.google.com/auth/audience"
                ),
                do("if the app is your own: that page, of the project whose client id it uses, is where you do it"),
            ),
            "The app is in testing: only accounts that its developer listed may sign in.",
        ),
        "client": Variant(
            (
                do(
                    "make a new OAuth client on https://console.cloud.google.com/apis/credentials, give its id and secret "
                    "to the app, delete the app's stored token and sign in again; if it is somebody else's app, tell its "
                    "developer"
                ),
                do("invalid_client although it exists: the secret is another client's, or has a blank or line break in it"),
                do(
                    "a service account's key file, not a client's: the account was deleted; use one that exists, with a new key"
                ),
            ),
            "The OAuth client (its id or its secret) is not, or no longer, known to Google.",
        ),
        # https://developers.google.com/identity/protocols/oauth2/service-account#delegatingauthority
        "delegation": Variant(
            (
                do(
                    "a super administrator of the Workspace allows the service account's client ID (the number in its key "
                    "file) with exactly the scopes that the program asks for: "
                    "https://admin.google.com/ac/owl/domainwidedelegation; that may take a day to act"
                ),
                do("the user to act for (subject) has to be of that Workspace: for a gmail.com account use an OAuth client"),
                do("nobody to act for? leave the subject out, and share the file or calendar with the service account"),
            ),
            "The service account may not act for this user: domain-wide delegation is missing, or not for all these scopes.",
            "The service account may not act for the user",
        ),
        # https://developers.google.com/android/guides/client-auth
        "android": Variant(
            (
                do(
                    "register package name and SHA-1 of the certificate that signs this build (debug, upload and Play's "
                    "own each) with the app's OAuth client, or in Firebase: project settings, your app; then load "
                    "google-services.json again"
                ),
                run("./gradlew signingReport", "shows the SHA-1 (or keytool -list -v -keystore FILE)"),
                do(
                    "the consent screen needs a support e-mail address; requestIdToken and serverClientId take the id of the "
                    "*web* client: https://console.cloud.google.com/apis/credentials"
                ),
            ),
            "Google's sign-in on Android does not know this app: no OAuth client has its package name and signature.",
        ),
        "cap": Variant(
            (
                do("the tool lets you: make an OAuth client of your own (type Desktop app) and give it its id and secret"),
                do(
                    "else wait, or ask the app's developer to have it verified: https://support.google.com/cloud/answer/7454865"
                ),
            ),
            "The app of somebody else has as many new users as Google allows it for now. It says nothing about your account.",
        ),
        # https://developers.google.com/identity/protocols/oauth2/policies
        "request": Variant(
            (
                do(
                    "an app or program that is not yours: update it, or tell its maker; only its developer can set the id "
                    "and the address"
                ),
                do(
                    "no client_id: put the id and the secret of an OAuth client into the app's settings "
                    "(https://console.cloud.google.com/apis/credentials)"
                ),
                do(
                    "the app signs in by a way that Google has closed (a code to copy, urn:ietf:wg:oauth:2.0:oob; a browser "
                    "inside the app; an address with an IP): update the app"
                ),
                do(
                    "your own app: sign in through the system's browser (Custom Tabs, ASWebAuthenticationSession), not a "
                    "web view; a page opened from a file (origin=file://) cannot sign in: serve it from http://localhost"
                ),
                do("signed in with another account than you think? try in a private window, with the account that is meant"),
            ),
            "The app's request to the sign-in page is not complete, or not one that Google takes (any more).",
        ),
        # https://developers.google.com/workspace/guides/configure-oauth-consent
        "consent": Variant(
            (
                do(
                    "whoever owns the client's project fills in its consent screen once (name, support address, audience): "
                    "https://console.cloud.google.com/auth/branding; in testing, add your account as a test user"
                ),
                do("is the client of another project than the one that was set up? its id begins with its project's number"),
            ),
            "The project of the OAuth client has no consent screen yet.",
        ),
        # https://developers.google.com/identity/sign-in/web/backend-auth
        "audience": Variant(
            (
                do(
                    "your program: give the check (verifyIdToken, verify_oauth2_token) the id of the OAuth client that "
                    "signed the user in; apps for Android, iOS and the web have one each, so list all of them"
                ),
                do("Firebase: initialise the Admin SDK with the project that the user signed in to"),
            ),
            "The ID token was issued to another OAuth client (or Firebase project) than the program expects.",
            "The sign-in's token is for another client",
        ),
        # https://developers.google.com/identity/protocols/oauth2/scopes
        "scope": Variant(
            (
                do(
                    "correct the scopes that the message lists as invalid: https://developers.google.com/identity/protocols/"
                    "oauth2/scopes; each whole, with https://www.googleapis.com/auth/, blanks between them"
                ),
                do("some are for accounts of a Workspace alone (Keep, Chat, Admin SDK), or are gone (photoslibrary.readonly)"),
                do("list them for the app too: https://console.cloud.google.com/auth/scopes"),
            ),
            "The app asked for scopes that do not exist, or that this account cannot give.",
        ),
        "blocked": Variant(
            (
                do(
                    "an admin of your Workspace allows the app: https://support.google.com/a/answer/7281227 (API "
                    "controls, app access control)"
                ),
                do("or sign in with an account of the organisation that the app is made for"),
                do(
                    "the app is yours (org_internal): set its audience to External: "
                    "https://console.cloud.google.com/auth/audience"
                ),
            ),
            "An admin's policy, or the app's own setting (internal), keeps this account out.",
        ),
    },
    codes=(
        *("redirect_uri_mismatch", "deleted_client", "disabled_client", "org_internal", "admin_policy_enforced"),
        *("origin_mismatch", "restricted_client", "unauthorized_client", "auth/invalid-oauth-client-id"),
        *("page-redirect_uri_mismatch", "page-deleted_client", "page-disabled_client", "page-org_internal"),
        *("page-admin_policy_enforced", "page-origin_mismatch", "page-restricted_client", "page-unauthorized_client"),
        *("page-access_denied", "page-invalid_request", "page-invalid_client", "page-invalid_scope"),
        *("page-disallowed_useragent", "page-policy_enforced", "page-access_not_configured"),
    ),
    patterns=(
        *says(
            13,
            "error 400: redirect_uri_mismatch",
            "deleted_client",
            "disabled_client",
            "sign in with google temporarily disabled for this app",
            "the oauth client was deleted",
            "the oauth client was not found",
            "the oauth client was disabled",
            "has not completed the google verification process",
            "comply with google's oauth 2.0 policy",
            "comply with google's policy for validation of oauth",
            "access blocked: this app's request is invalid",
            "access blocked: authorization error",
            "is not a registered origin for client",
            "the given origin is not allowed for the given client id",
            "not a valid origin for the client",
            "admin_policy_enforced",
            "error 403: org_internal",
            "error 403: restricted_client",
            "error 400: origin_mismatch",
            "error: origin_mismatch",
            "origin_mismatch error",
            "error 400: invalid_request * google",
            "error 400: invalid_scope",
            "unregistered origin",
            "is restricted to users within its organization",
            "this app is blocked",
            "error 403: disallowed_useragent",
            "error 403: access_denied",
            "error 401: invalid_client",
            "client is unauthorized to re",  # retrieve access tokens using this method
            "google hasn't verified this app",
            "this app hasn't been verified by google",
            "that's an error. * error: redirect_uri_mismatch",
            "statuscode=developer_error",
            "common.api.apiexception: 10:",
            "common.api.apiexception: 12500",
            "has reached its login count limit",
            "error 403: rate_limit_exceeded",
            "unauthorized client or scope in request",
            "(oob) flow has been blocked",
            "wrong recipient, payload audience",
            "doesn't include the latest security features to keep you protected",
        ),
        *google_says(13, "redirect_uri_mismatch", "token has wrong audience", 'has incorrect "aud" (audience) claim'),
        *says(
            13,
            "access blocked: * request is invalid",
            "access blocked: your institution's admin needs to review",
            "keeps this app from accessing * advanced protection",
            "parameter not allowed for this message type",
            "invalid parameter value for redirect_uri",
            "invalid parameter value for scope",
            "device_id and device_name are required for private ip",
            "some requested scopes cannot be shown",
            "without domain-wide delegation of authority",
            *consent.REQUEST,
            *consent.TESTING,
            *consent.BLOCKED,
        ),
        *google_says(13, "requested client not authorized", "invalid email or user id"),
        *google_says(13, "error 400: invalid_request", "error 400: access_not_configured"),
        *google_says(36, "client_secret is missing", "could not determine client id from request", "unsupported_grant_type"),
        *google_says(37, "invalid_client", "unauthorized_client", "idpiframe_initialization_failed"),
    ),
)


ENTRIES: Final = (OAUTH_CLIENT_MISCONFIGURED,)
