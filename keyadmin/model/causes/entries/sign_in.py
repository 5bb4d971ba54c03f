"""Causes: an app is not let in by Google's sign-in."""

from __future__ import annotations

from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entry import CLOUD, CauseEntry, Turn, Variant, do, google_says, run, says

OAUTH_CLIENT_MISCONFIGURED: Final = CauseEntry(
    Cause.OAUTH_CLIENT_MISCONFIGURED,
    "Google's sign-in refuses the app",
    "The OAuth client (the app's registration in a Google Cloud project) does not fit what it asked for: an address that is "
    "not "
    "registered, a client that was deleted, an app in testing that lists other people, or one that an admin has not allowed.",
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
            "org_internal, "
            "admin_policy_enforced: sign in with an account of that organisation, or its admin allows the app"
        ),
    ),
    "https://developers.google.com/identity/protocols/oauth2/web-server#authorization-errors",
    Turn.PERSON,
    variants={
        "redirect": Variant(
            (
                do(
                    "whoever owns the OAuth client registers exactly the address that the page names (scheme, host, port, "
                    "path, "
                    "slash) under Authorised redirect URIs or JavaScript origins: "
                    "https://console.cloud.google.com/apis/credentials"
                ),
                do("a program on this machine: make a client of type Desktop app, which needs no registered address"),
            ),
            "The address that the app wants to be called back at is not registered with its OAuth client.",
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
                    "to the "
                    "app, delete the app's stored token and sign in again; if it is somebody else's app, tell its developer"
                ),
                do("invalid_client although it exists: the secret is another client's, or has a blank or line break in it"),
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
                    "register package name and SHA-1 of the certificate that signs this build (debug, upload and "
                    "Play's own each) with the app's OAuth client, or in Firebase: project "
                    "settings, your app; then load google-services.json again"
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
                    "no client_id: put the id and the secret of an OAuth client into the app's settings "
                    "(https://console.cloud.google.com/apis/credentials)"
                ),
                do(
                    "the app signs in by a way that Google has closed (a code to copy, urn:ietf:wg:oauth:2.0:oob; a browser "
                    "inside the app; an address with an IP): update the app"
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
        "blocked": Variant(
            (
                do(
                    "an admin of your Workspace allows the app: "
                    "https://support.google.com/a/answer/7281227 (API controls, app access control)"
                ),
                do("or sign in with an account of the organisation that the app is made for"),
            ),
            "An admin's policy, or the app's own setting (internal), keeps this account out.",
        ),
    },
    codes=(
        *("redirect_uri_mismatch", "deleted_client", "disabled_client", "org_internal", "admin_policy_enforced"),
        *("origin_mismatch", "restricted_client", "unauthorized_client"),
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
            "client is unauthorized to retrieve access tokens using this method",
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
        ),
        *google_says(13, "redirect_uri_mismatch"),
        *google_says(37, "invalid_client", "unauthorized_client", "idpiframe_initialization_failed"),
    ),
)

SCOPES_INSUFFICIENT: Final = CauseEntry(
    Cause.SCOPES_INSUFFICIENT,
    "The token's scopes do not cover this call",
    "The credentials are good, but were issued for narrower OAuth scopes: usual on virtual machines with default scopes, and "
    "with tokens that were stored before a program asked for more.",
    (
        run(
            "gcloud auth application-default login --scopes=openid,https://www.googleapis.com/auth/userinfo.email,"
            "https://www.googleapis.com/auth/cloud-platform"
        ),
        run(
            "gcloud compute instances set-service-account INSTANCE --scopes=cloud-platform",
            "on a virtual machine, while it is stopped",
        ),
        do(
            "an app's stored token (token.json, credentials): delete it and sign in again with the scopes that it asks "
            "for now; "
            "a service account's file: the program names the scopes (https://www.googleapis.com/auth/drive ...)"
        ),
    ),
    f"{CLOUD}/docs/authentication/troubleshoot-adc",
    variants={
        # https://developers.google.com/workspace/drive/api/guides/api-specific-auth
        "drive-file": Variant(
            (
                do(
                    "with the scope .../auth/drive.file an app sees only files that it made or that were opened with it: open "
                    "the file with Google's file picker"
                ),
                do(
                    "or ask for the scope https://www.googleapis.com/auth/drive (to read drive.readonly), delete the stored "
                    "token and sign in again"
                ),
            ),
            "The app may not touch this file: it was not opened with it.",
        ),
        # https://developers.google.com/identity/protocols/oauth2/web-server#incrementalAuth
        "app": Variant(
            (
                do(
                    "the app's stored token (token.json, .secrets, a cache): delete it, sign in again and leave every box "
                    "ticked; the scopes must be on the app's list too: https://console.cloud.google.com/auth/scopes"
                ),
                do(
                    "Google Photos: since April 2025 no app may read a whole library; its scopes photoslibrary and .readonly "
                    "are gone (https://developers.google.com/photos/support/updates): an app has to use the Picker, update it"
                ),
                do("a service account's file: the program names the scopes when it makes the credentials"),
            ),
            "The app signed in without the scope that this call needs, or no longer has it.",
        ),
        # https://developers.google.com/apps-script/concepts/scopes
        "apps-script": Variant(
            (
                do("run the function once in the script editor and grant what it asks for; a web app: deploy it again"),
                do(
                    "where appsscript.json lists oauthScopes: add the one that the message names (UrlFetchApp: "
                    "https://www.googleapis.com/auth/script.external_request)"
                ),
                do("onEdit, onOpen and functions in cells never get it: use an installable trigger, a menu or a button"),
            ),
            "The script was not granted the scope for this call, or it runs where such calls are not allowed.",
        ),
    },
    reasons=("ACCESS_TOKEN_SCOPE_INSUFFICIENT",),
    legacy=("insufficientPermissions", "insufficientScopes", "appNotAuthorizedToFile", "appNotAuthorizedToChild"),
    patterns=(
        *says(
            29,
            "insufficient authentication scopes",
            "permission denied while getting drive credentials",
            "no oauth token with google drive scope was found",
            "authsub token has wrong scope",
            "cloud sql access (scope) enabled",
            "specified permissions are not sufficient to call",
            "you do not have permission to call * required permissions:",
            "scope is required but not consented",
            "not all requested scopes were granted",
            "requires new authorization scopes not granted",
            "the user has not granted the app",
            "access_token_scope_insufficient",
            "403: insufficient permission",
            '"insufficient permission"',
            '"insufficientpermissions"',
            "clienterror (insufficient permission)",
        ),
        *google_says(29, "insufficientpermissions: insufficient permission", "request had insufficient scope"),
        *google_says(29, "you do not have permission to call"),
        *google_says(59, "insufficient permission"),
    ),
)

ENTRIES: Final = (OAUTH_CLIENT_MISCONFIGURED, SCOPES_INSUFFICIENT)
