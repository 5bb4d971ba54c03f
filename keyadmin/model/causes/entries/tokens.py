"""Causes: a token that is over, wants a new sign-in, or was issued for less."""

from __future__ import annotations

from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entries.of_reasons import forms_of, reasons_of
from keyadmin.model.causes.entry import CLOUD, CauseEntry, Variant, do, google_says, run, says

CREDENTIALS_EXPIRED: Final = CauseEntry(
    Cause.CREDENTIALS_EXPIRED,
    "The credentials are expired, revoked or not accepted",
    "The token sent is too old, was revoked, or is not an OAuth access token of an account in good standing.",
    (
        run("gcloud auth application-default login", "or `gcloud auth login` for gcloud itself"),
        do("an app's own refresh token: sign in to the app again; of an OAuth app in testing it ends after 7 days: publish it"),
        do("for a service account: check that it is not deleted or disabled and that the machine's clock is right"),
    ),
    f"{CLOUD}/docs/authentication/troubleshoot-adc",
    variants={
        "stored": Variant(
            (
                do("delete the token that the program stored (token.json, authorized_user.json) and sign in again"),
                do(
                    "your own program: ask for access_type=offline and prompt=consent at sign-in, or there is no refresh "
                    "token; store the whole answer"
                ),
                run("gcloud auth application-default login", "where it reads the Application Default Credentials"),
            ),
            "The token is over, and what was stored with it does not suffice to get a new one (no refresh token, or no "
            "client).",
        ),
        # https://rclone.org/commands/rclone_config_reconnect/
        "rclone": Variant(
            (
                run("rclone config reconnect REMOTE:", "signs in again and stores the new token"),
                do(
                    "it happens each week: your own OAuth client is in testing; publish it: "
                    "https://console.cloud.google.com/auth/audience"
                ),
            ),
            "The token that rclone stored for this remote is over.",
        ),
        # https://firebase.google.com/docs/auth/admin/verify-id-tokens
        "user": Variant(
            (
                do("the user signs in again; the app: getIdToken(true) fetches a new token before the call"),
                do("web, app and server have to be of one Firebase project: compare their configurations"),
            ),
            "The token of a user of the app is over, or was issued by another Firebase project.",
        ),
        "connection": Variant(
            (
                do("open the connection (credential) in the tool, and sign in to Google again"),
                do(
                    "it happens each week: your own OAuth client is in testing; publish it: "
                    "https://console.cloud.google.com/auth/audience"
                ),
            ),
            "The sign-in that the tool stored for its connection to Google is over.",
        ),
        # https://firebase.google.com/docs/cli
        "firebase": Variant(
            (
                run("firebase login --reauth", "where firebase's own sign-in is used"),
                run(
                    "gcloud auth application-default login",
                    "where it uses the Application Default Credentials (in CI: a new key)",
                ),
            ),
            "The sign-in of Firebase's tools is over.",
        ),
        # https://developers.google.com/identity/protocols/oauth2/web-server#exchange-authorization-code
        "code": Variant(
            (
                do(
                    "send each code once, within minutes, and as it came: in an address %2F stands for a slash (4%2F0A... is "
                    "4/0A...); an access token is something else"
                ),
                do("exchange it with the client id, secret and redirect_uri that the sign-in began with, letter by letter"),
                do("a refresh token in its place: sign in again; of an OAuth app in testing it ends after 7 days"),
            ),
            "Google did not exchange the authorization code for a token.",
        ),
        # https://cloud.google.com/iap/docs/authentication-howto
        "audience": Variant(
            (
                do(
                    "make the ID token for the audience that the service expects: behind IAP the client id of *its* OAuth "
                    "client (the page of IAP or the message names it), on Cloud Run the service's URL"
                ),
                run(
                    "gcloud auth print-identity-token --audiences=AUDIENCE --impersonate-service-account=ACCOUNT "
                    "--include-email",
                    "such a token; a program: fetch_id_token(request, AUDIENCE)",
                ),
            ),
            "The ID token was made for another audience than the one that was called.",
        ),
        "account": Variant(
            (
                do("the account is gone or switched off: sign in with one that exists, and delete the stored token"),
                do("it should be there: an admin of its Workspace restores or enables it (https://admin.google.com/ac/users)"),
            ),
            "The Google account that the token belongs to was deleted or disabled.",
        ),
        "clock": Variant(
            (do("set the machine's clock (timedatectl set-ntp true; in WSL: sudo hwclock -s; Docker: that of the host)"),),
            "The token says that it was made at another time than this machine's clock shows.",
        ),
        **forms_of(Cause.CREDENTIALS_EXPIRED),
    },
    reasons=("ACCESS_TOKEN_EXPIRED", *reasons_of(Cause.CREDENTIALS_EXPIRED)),
    legacy=("authError", "expired"),
    codes=("invalid_grant", "auth/user-token-expired", "auth/invalid-user-token"),
    patterns=(
        *google_says(
            33,
            "invalid_grant",
            "access to the spreadsheet expired or was revoked",
            "refresh token is invalid",
            "refresh token has expired",
            "token expired",
            "token has expired",
            "credential expired",
            "invalid authentication credentials",
            "invalid credentials",
            "a reasonable timeframe",
        ),
        *says(
            33,
            "token has been expired or revoked",
            "invalid jwt: token must be a short-lived token",
            "problem refreshing your current auth tokens",
            "problem refreshing auth tokens",
            "authorized user info was not in the expected format",
            "the credentials do not contain the necessary fields need to refresh",
            "no refresh token or refresh handler callback is set",
            "no access, refresh token, api key or refresh handler",
            "cannot refresh because there is no refresh token",
            "check that your computer's clock is set correctly",
            "oauth2: token expired and refresh token is not set",
            "the api returned an error: error: invalid_grant",  # as Google's own examples print it
            # descriptions that Google's token endpoint alone gives
            'invalid_grant" * "error_description": "bad request"',
            "invalid_grant', * 'error_description': 'bad request'",
            "invalid_grant * malformed auth code",
            "invalid_grant * account has been deleted",
            "invalid_grant * account has been disabled",
            "invalid iap credentials",
            "invalid_grantmalformed auth code",
            "invalid_grant * malformed code",
            "invalid_grant * code was already redeemed",
        ),
        *google_says(33, "token used too early", "token used too late", "expired_token"),
        *says(
            91,
            "google.auth.exceptions.refresherror",
            "tokenresponseexception",
            "google::apis::authorizationerror",
        ),
    ),
    credentials=True,
)

REAUTHENTICATION_REQUIRED: Final = CauseEntry(
    Cause.REAUTHENTICATION_REQUIRED,
    "The organisation wants you to sign in again",
    "A session length is set for Google Cloud in this organisation: after that many hours each user has to sign in "
    "again. The refresh token is good, but is not accepted until then. gcloud's own sign-in and the Application Default "
    "Credentials end separately.",
    (
        run("gcloud auth application-default login", "programs and client libraries use these"),
        run("gcloud auth login", "gcloud, gsutil and bq use these"),
        do(
            "for a job that must not stop: a service account, which has no session; or an admin of the Workspace exempts "
            "the app as trusted: https://support.google.com/a/answer/9368756"
        ),
    ),
    "https://support.google.com/a/answer/9368756",
    codes=("invalid_rapt", "rapt_required"),
    patterns=says(
        24,
        "invalid_rapt",
        "rapt_required",
        "reauthentication is needed",
        "reauthentication required",
        "reauthentication failed",
        "reauth related error",
        "failed to obtain rapt token",
        "failed to obtain reauth rapt token",
        "to complete reauthentication",
        "reauthfailerror",
        "reauthsamlchallengefailerror",
        "reauthentication challenge",
        "support.google.com/a/answer/9368756",
    ),
    credentials=True,
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
            "for now; a service account's file: the program names the scopes (https://www.googleapis.com/auth/drive ...)"
        ),
    ),
    f"{CLOUD}/docs/authentication/troubleshoot-adc",
    variants={
        # https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests
        "none-asked": Variant(
            (
                do(
                    "the program names the scopes when it makes the credentials: credentials.with_scopes("
                    "['https://www.googleapis.com/auth/cloud-platform']), from_service_account_file(FILE, scopes=[...])"
                ),
                do("an ID token in place of an access token: its audience is the address of the service that is called"),
                do("in your own request: each scope whole (https://www.googleapis.com/auth/...), with blanks between"),
            ),
            "The program asked for a token without a scope (or for one that does not exist).",
            "The program asked for no scope",
        ),
        # https://developers.google.com/workspace/drive/api/guides/api-specific-auth
        "drive-file": Variant(
            (
                do(
                    "with the scope .../auth/drive.file an app sees only files that it made or that were opened with it: "
                    "open the file with Google's file picker"
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
                    "the program has to ask for the scope of this API (https://www.googleapis.com/auth/ and then "
                    "spreadsheets, drive, documents, calendar, gmail.modify, youtube, contacts ...); then delete its "
                    "stored token (token.json, .secrets, a cache), sign in again and leave every box ticked"
                ),
                do("the app is yours: the scopes must be on its list too: https://console.cloud.google.com/auth/scopes"),
                do("a service account's file: the program names the scopes when it makes the credentials"),
            ),
            "The app signed in without the scope that this call needs, or no longer has it.",
        ),
        # https://developers.google.com/photos/support/updates
        "photos": Variant(
            (
                do(
                    "Google Photos: since April 2025 no app may read a whole library; its scopes photoslibrary and .readonly "
                    "are gone (https://developers.google.com/photos/support/updates): an app has to use the Picker, update it"
                ),
                do("other scopes: delete the app's stored token, sign in again and leave every box ticked"),
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
    codes=("insufficient_scope",),
    legacy=("insufficientPermissions", "insufficientScopes", "appNotAuthorizedToFile", "appNotAuthorizedToChild"),
    patterns=(
        *says(
            29,
            "insufficient authentication scopes",
            "invalid oauth scope or id token audience provided",
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

ENTRIES: Final = (
    CREDENTIALS_EXPIRED,
    REAUTHENTICATION_REQUIRED,
    SCOPES_INSUFFICIENT,
)
