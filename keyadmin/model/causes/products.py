"""Products of Google's that decide by settings of their own: IAM's roles and API keys have no part there, although the words
are often IAM's.
"""

from __future__ import annotations

from typing import Final

from keyadmin.model.causes.product import Product
from keyadmin.model.causes.products_cloud import CLOUD

# Firebase's rules decide in clients; IAM has no part in it, although the words are IAM's.
RULES: Final = "Firebase security rules"
_RULES_CLIENTS: Final = (
    *("w/firestore", "firebasefirestoreexception", "cloud_firestore/", "firebaseerror", "firestore]:", "firebase_storage"),
    *("storage/unauthorized", "databaseerror", "platformexception", "@firebase/", "firebase_database", "firebase/database"),
)
_RULES_WORDS: Final = (
    *("permission-denied", "missing or insufficient permissions", "storage/unauthorized", "permission_denied at /"),
    *("client doesn't have permission to access the desired data",),
)


PRODUCTS: Final = (
    Product(
        "the Google Play Console",
        "there, under Users and permissions, invite the service account and give it the app",
        (
            *("the caller does not have permission", "forbidden: forbidden", "insufficient permissions", "error: forbidden"),
            "permission to execute this method",
        ),
        ("fastlane", "androidpublisher", "play_store", "play store", "gradle play publisher", "play.google.com"),
    ),
    Product(
        "the Google Play Console (the app)",
        "the package name must be that of an app of this account, uploaded there once manually",
        ("does not own the application",),
        ("google play", "androidpublisher"),
    ),
    Product(
        "the Google Search Console",
        "in its Settings, under Users and permissions, add the account that calls to the property",
        ("sufficient permission for site", "failed to verify the url ownership"),
    ),
    Product(
        "Google Device Access",
        "in the Device Access Console see that project id, OAuth client and the account that linked its devices belong "
        "together: https://console.nest.google.com/device-access",
        ("the caller does not have permission",),
        ("smartdevicemanagement",),
    ),
    # https://cloud.google.com/billing/docs/how-to/modify-project
    Product(
        "Google Cloud Billing",
        "a billing account may pay for only a limited number of projects: ask for more on "
        "https://support.google.com/code/contact/billing_quota_increase, or unlink a project that no longer needs it",
        ("contact/billing_quota_increase", "error setting billing account"),
        ("contact/billing_quota_increase", "failedprecondition", "precondition check failed", "quota exceeded"),
    ),
    Product(
        "Google Earth Engine",
        "register the project on https://code.earthengine.google.com/register and name it: ee.Initialize(project='...'); a "
        "service account needs an Earth Engine role in that project",
        ("not signed up for earth engine", "is not registered to use earth engine"),
    ),
    Product(
        "Google Analytics",
        "there, under Admin, Access management, add the account that calls to the property",
        (
            *("sufficient permissions for this property", "sufficient permissions for this account"),
            *("permissions for this profile", "does not have any google analytics account"),
        ),
    ),
    # https://developers.google.com/workspace/drive/api/guides/handle-errors
    Product(
        "Google Drive",
        "share the file, folder or shared drive with the account that calls, as an editor if it writes",
        (
            *("sufficient permissions for this file", "insufficient permissions for this file", "insufficientfilepermissions"),
            *("insufficient permissions for the specified parent", "teamdrivemembershiprequired"),
        ),
    ),
    Product(
        "Google Drive (the file)",
        "it was downloaded too often today (wait up to 24 hours, or copy it into a Drive of your own), its owner forbids "
        "downloads, it is too large to be exported, or it was found to be malware or spam",
        (
            *("downloadquotaexceeded", "download quota for this file", "cannotdownloadabusivefile", "cannotdownloadfile"),
            *("identified as malware or spam", "cannotcopyfile", "exportsizelimitexceeded", "too large to be exported"),
        ),
    ),
    Product(
        "Google Drive (its storage)",
        "the Drive of the account that owns the file is full; a service account has none of its own: let it write to a "
        "shared drive, or act for a user",
        (
            *("storagequotaexceeded", "drive storage quota has been exceeded", "exceeded their drive storage quota"),
            *("service accounts do not have storage quota", "service accounts do not have storage"),
        ),
    ),
    # https://developers.google.com/workspace/sheets/api/troubleshoot-api-errors
    Product(
        "the document (Google Sheets, Docs, Slides, Forms)",
        "share it with the account that calls (a service account by its client_email), as an editor if it writes; signed in "
        "as another account than you think? delete the stored token",
        (
            *("the caller does not have permission", "do not have permission to access the requested document"),
            "you do not have permission to perform that action",
        ),
        (
            *("sheets.googleapis.com", "docs.googleapis.com", "slides.googleapis.com", "forms.googleapis.com", "gspread"),
            *("/v4/spreadsheets", "pygsheets", "googlesheets", "google-spreadsheet", "google sheets", "sheets_v4", "sheetsv4"),
            *("sheets api", "execution failed: you do not have permission", "spreadsheetapp"),
        ),
    ),
    # https://developers.google.com/workspace/gmail/api/guides/handle-errors
    Product(
        "the mailbox (Gmail)",
        "call as the account that owns it (userId=me); a service account has no mailbox: it needs domain-wide delegation and "
        "the user's address as its subject: https://support.google.com/a/answer/162106",
        ("delegation denied for", "mail service not enabled"),
    ),
    Product(
        "the mailbox (Gmail, by a service account)",
        "a service account has no mailbox: give it domain-wide delegation and the user's address as its subject: "
        "https://support.google.com/a/answer/162106; other accounts: Gmail must be on for the user",
        ("failedprecondition", "failed_precondition", "precondition check failed"),
        ("gmail",),
    ),
    # https://developers.google.com/workspace/admin/directory/v1/guides/troubleshoot-error-codes
    Product(
        "the Google Workspace domain",
        "only an administrator of it with the right privilege may do this; a service account acts for one by domain-wide "
        "delegation (subject = that administrator): https://support.google.com/a/answer/162106",
        (
            *("not authorized to access this resource/api", "not authorized to read activity records", "domain cannot use api"),
            *("the domain administrators have disabled drive apps", "domain policy has disabled", "domaincannotuseapis"),
        ),
    ),
    # https://developers.google.com/youtube/v3/docs/errors
    Product(
        "YouTube",
        "sign in as the account (the channel, where it has several) that owns the playlist or channel; a service account "
        "has no channel; comments may be off; uploads have a limit a day, which grows with a verified channel",
        (
            *("youtubesignuprequired", "playlistitemsnotaccessible", "commentsdisabled", "has disabled comments"),
            *("uploadlimitexceeded", "exceeded the number of videos they may upload", "channelclosed", "channelsuspended"),
            *("playlistforbidden", "channelforbidden", "playlistoperationunsupported", "ineligibleaccount"),
            *(
                "livestreamingnotenabled",
                "authenticateduseraccount",
                "accountdelegationforbidden",
                "authenticatedusernotchannel",
            ),
        ),
    ),
    # https://firebase.google.com/docs/auth/admin/errors
    Product(
        "Firebase Authentication",
        "in the Firebase console, Authentication, press Get started once, switch the sign-in method on (anonymous, e-mail, "
        "Google ...) and see that users may sign up: https://console.firebase.google.com/project/_/authentication/providers",
        (
            *("auth/operation-not-allowed", "auth/admin-restricted-operation", "auth/configuration-not-found"),
            *("configuration_not_found", "admin_only_operation", "password_login_disabled"),
        ),
    ),
    # https://firebase.google.com/docs/auth/web/redirect-best-practices
    Product(
        "Firebase Authentication (its domains)",
        "in the Firebase console, Authentication, Settings, Authorized domains, add the page's host (without scheme and "
        "port); a key that is restricted to sites has to list the project's own firebaseapp.com host too",
        ("auth/unauthorized-domain", "not authorized for oauth operations"),
    ),
    Product(
        "Firebase Authentication (what its client hides)",
        "the client keeps Google's answer to itself: print all of the error (customData.serverResponse; details in "
        "Flutter) and explain that. Mostly it is the key's restrictions, the sign-in method, or the app's SHA-1",
        (
            *(
                "internal-error] an internal error has occurred, print",
                "error (auth/internal-error)",
                "authorised to use firebase authentication",
            ),
            "authorized to use firebase authentication",
        ),
    ),
    # https://developers.google.com/ad-manager/api/start
    Product(
        "Google Ad Manager",
        "an administrator of the network switches API access on and adds the account that calls as a user",
        (
            "not_whitelisted_for_api_access",
            "authenticationerror.network_not_found",
            "authenticationerror.no_networks_to_access",
        ),
    ),
    Product(
        "Google Ads",
        "there, under Access and security, add the account that calls, and name its manager as login-customer-id; the "
        "developer token (API Center) needs access for other than test accounts, and belongs to one Google Cloud project",
        (
            *("user_permission_denied", "developer_token_not_approved", "developer_token_prohibited", "quotacheckerror."),
            *("developer token is not allowed with project", "developer token is only approved", "customer_not_enabled"),
            *("not_ads_user", "authorizationerror.service_access_denied"),
        ),
    ),
    # https://firebase.google.com/docs/app-check
    Product(
        "Firebase App Check",
        "in the Firebase console, App Check, see the app's provider and its keys (reCAPTCHA secret, SHA-256, team id), and "
        "register debug tokens for machines that cannot attest",
        ("app attestation failed", "appcheck/recaptcha-error", "appcheck/fetch-status-error", "app check token is invalid"),
    ),
    Product(
        "Apple's push service",
        "upload a valid APNs key in the Firebase console (project settings, Cloud Messaging), or for the web a VAPID "
        "key. The credentials of the caller are good",
        ("third_party_auth_error", "third-party-auth-error", "apns_auth_error"),
    ),
    Product(
        "Firebase Cloud Messaging",
        "the device's token is of another Firebase project than the credentials: use those of one",
        ("senderid mismatch", "sender_id_mismatch", "mismatchsenderid"),
    ),
    # https://ai.google.dev/gemini-api/docs/safety-settings
    # https://firebase.google.com/docs/firestore/query-data/indexing
    Product(
        "Firestore (its indexes)",
        "the query needs an index: the whole message has a link that makes it; or add it to firestore.indexes.json "
        "(index.yaml) and deploy that",
        ("the query requires an index", "no matching index found", "query requires a collection_group"),
    ),
    Product(
        "Apps Script (its time limit)",
        "a function may run six minutes (one in a cell thirty seconds): do less at once, or go on in a trigger",
        ("exceeded maximum execution time",),
        ("sheet", "script", "google"),
    ),
    Product(
        "Gemini's safety filters",
        "the prompt or the answer was blocked for what it says; the key works. Change the prompt, or the safetySettings "
        "where the category can be adjusted",
        (
            *("image_safety", "prohibited_content", "image_recitation", "blocked due to safety", "response was blocked"),
            *("prompt was blocked", "promptblockedexception", "responsestoppedexception", "responsible ai practices"),
            *("finish_reason: safety", "finishreason: safety", 'finishreason": "safety', "blockedpromptexception"),
            *("message is being blocked for reason: safety", "blocked for reason: safety", "block_reason: safety"),
            *("stopcandidateexception", "blocked the prompt", "finish_reason is 3", "finish_reason is 4"),
        ),
        (
            *("gemini", "generativeai", "generative-ai", "generative_ai", "vertexai", "imagen", "veo-", "genai", "google"),
            "message is being blocked for reason: safety",
        ),
    ),
    Product(
        "Google's protection against robots",
        "a page for people was called, not an API: call the API with a key or a token, more slowly, or from another network",
        ("may be sending automated queries", "unusual traffic from your computer network"),
    ),
    Product(
        "the machine's limit on open files",
        "the program opens too many at once or does not close them: ulimit -n shows the limit and raises it; the network and "
        "the credentials are fine",
        ("emfile", "too many open files"),
    ),
    Product(
        "Gemini's answer (it is empty)",
        "the model sent no text: it was blocked for safety, cut at maxOutputTokens, or all of it was thought. Look at "
        "finishReason, ask for less at once, raise maxOutputTokens, or take another model",
        ("empty response from gemini", "gemini returned an empty", "no candidates returned", "gemini api returned empty"),
        ("gemini",),
    ),
    Product(
        "the Gemini app",
        "it has limits of its own for each account, besides those of projects: wait for its reset, or use the API with a key",
        ("se restablezca tu límite", "until your limit resets", "reached your pro model limit", "limit resets on"),
        ("gemini", "imágenes", "images", "modelo"),
    ),
    # what a program does before it calls anybody, or with the answer
    Product(
        "the program itself",
        "it failed in its own code, so no key and no permission is at fault: update it or go back a version, look at "
        "what it was given (a file, a flag, a setting), tell its makers",
        (
            *("gcloud crashed (attributeerror)", "gcloud crashed (typeerror)", "gcloud crashed (keyerror)"),
            *("gcloud crashed (indexerror)", "gcloud crashed (unicodedecodeerror)", "gcloud crashed (unicodeencodeerror)"),
            *("to single-input tool", "[err_invalid_arg_type]", "header value must be str or bytes, not <class"),
            *("invalid arguments for ", "missing required argument: the argument", "error: invalid state format"),
        ),
        (
            *(
                "gcloud crashed",
                "single-input tool",
                "err_invalid_arg_type",
                "not <class",
                "invalid_type",
                "required argument:",
            ),
            "invalid state format",
        ),
    ),
    # https://cloud.google.com/storage/docs/access-control/signed-urls
    Product(
        "signing (it takes a service account)",
        "a person's credentials cannot sign: gcloud auth application-default login --impersonate-service-account=ACCOUNT "
        "(with roles/iam.serviceAccountTokenCreator on it), or a service account's key file",
        ("cannot sign data without `client_email`", "need a private key to sign credentials"),
    ),
    # https://cloud.google.com/bigquery/docs/managing-row-level-security
    Product(
        "BigQuery's row access policies",
        "the table's owner adds the account to a policy of the table (FILTER USING (TRUE) shows all rows), or the "
        "program leaves that table out",
        ("due to row access policies",),
    ),
    # https://developers.google.com/recaptcha/docs/faq
    Product(
        "reCAPTCHA",
        "its site and secret keys are not API keys: see key, type and domains on https://www.google.com/recaptcha/admin",
        ("invalid-input-secret", "invalid site key or not loaded in api.js", "invalid domain for site key", "invalid key type"),
        ("recaptcha", "grecaptcha", "site key", "invalid-input-secret"),
    ),
    *CLOUD,
)
BY_NAME: Final = {product.name: product for product in PRODUCTS}


def of(low: str) -> str | None:
    """The product whose refusal this is; `low` is in lower case."""
    if any(word in low for word in _RULES_WORDS) and any(client in low for client in _RULES_CLIENTS):
        return RULES
    for product in PRODUCTS:
        if any(word in low for word in product.words) and (not product.marks or any(mark in low for mark in product.marks)):
            return product.name
    return None


def decides(name: str | None) -> bool:
    """Whether the name is that of such a product."""
    return name == RULES or name in BY_NAME
