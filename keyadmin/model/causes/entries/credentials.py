"""Causes: who is calling cannot be told, or not well enough."""

from __future__ import annotations

from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entry import CLOUD, CauseEntry, Variant, do, google_says, run, says

CREDENTIALS_MISSING: Final = CauseEntry(
    Cause.CREDENTIALS_MISSING,
    "No credentials were sent",
    "The call carried neither a token nor a key, or no credentials were found on this machine.",
    (
        run("gcloud auth application-default login", "on a workstation; `gcloud auth login` for gcloud itself"),
        run("keyadmin env set KEY", "for the Gemini API: sets GEMINI_API_KEY to a key of yours; then start a new shell"),
        do("in a container, a job or a service: give it a service account, or set the variable where the program runs"),
    ),
    f"{CLOUD}/docs/authentication/provide-credentials-adc",
    variants={
        # https://cloud.google.com/iap/docs/authentication-howto
        "iap": Variant(
            (
                run(
                    "gcloud auth print-identity-token --audiences=AUDIENCE --impersonate-service-account=ACCOUNT "
                    "--include-email",
                    "a token to send as Authorization: Bearer (or Proxy-Authorization); AUDIENCE = the OAuth client id "
                    "on the page of IAP",
                ),
                do("ACCOUNT needs roles/iap.httpsResourceAccessor on what is called; people sign in with a browser"),
            ),
            "The app lies behind Identity-Aware Proxy, and the call showed it no ID token.",
        ),
        # https://cloud.google.com/compute/docs/access/create-enable-service-accounts-for-instances
        "instance": Variant(
            (
                run(
                    "gcloud compute instances set-service-account INSTANCE --service-account=ACCOUNT --scopes=cloud-platform",
                    "gives the virtual machine one, while it is stopped; its roles decide what it may do",
                ),
                do("or give the program a file: GOOGLE_APPLICATION_CREDENTIALS"),
            ),
            "The virtual machine has no service account, so its metadata server has no token to give.",
        ),
        # https://cloud.google.com/run/docs/authenticating/overview
        "invoke": Variant(
            (
                run(
                    'curl -H "Authorization: Bearer $(gcloud auth print-identity-token)" URL',
                    "as yourself; a program sends an ID token whose audience is the service's URL",
                ),
                run(
                    "gcloud run services add-iam-policy-binding CLOUD_RUN_SERVICE --region=REGION --member=allUsers "
                    "--role=roles/run.invoker",
                    "only if everybody may call it: who administers the service runs it",
                ),
            ),
            "The service on Cloud Run (or the function) lets in only callers who show an ID token, and none was sent.",
        ),
        # https://cloud.google.com/artifact-registry/docs/python/authentication
        "packages": Variant(
            (
                run("gcloud auth application-default login", "the credentials that the helpers below read"),
                do(
                    "pip, uv, Poetry: install keyring and keyrings.google-artifactregistry-auth where the tool looks for "
                    "them, and put the user name oauth2accesstoken@ into the index's address; npm: "
                    "google-artifactregistry-auth"
                ),
                do("in a build: `gcloud auth print-access-token` is the password of the user oauth2accesstoken, for an hour"),
            ),
            "Artifact Registry was asked for a package without credentials.",
        ),
        # https://cloud.google.com/storage/docs/access-control/signed-urls
        "anonymous": Variant(
            (
                run("gcloud auth list", "a command or program: is an account active? else gcloud auth login"),
                run(
                    "gcloud storage sign-url gs://BUCKET/OBJECT --duration=10m --impersonate-service-account=ACCOUNT",
                    "a link for people: an address that is signed and valid for a limited time",
                ),
                run(
                    "gcloud storage buckets add-iam-policy-binding gs://BUCKET --member=allUsers "
                    "--role=roles/storage.objectViewer",
                    "only if everybody may read all of it: who administers the bucket runs it",
                ),
            ),
            "Cloud Storage was asked without credentials, for something that is not public.",
        ),
        "no-key": Variant(
            (
                run("keyadmin env set KEY", "sets GEMINI_API_KEY to a key of yours; then start a new shell"),
                run("keyadmin keys create --name NAME --project PROJECT", "if there is none yet"),
                do("a program with settings of its own (an extension, a service, a container) takes the key only from there"),
            ),
            "The program found no API key to call Gemini with.",
        ),
        # https://firebase.google.com/docs/ai-logic/faq-and-troubleshooting
        "ai-logic": Variant(
            (
                do(
                    "an owner of the Firebase project runs AI Logic's setup for the Gemini Developer API: "
                    "https://console.firebase.google.com/project/PROJECT/ailogic; it makes a key in the project, the app "
                    "needs none"
                ),
                do("done already: wait some minutes; or let the app use the Vertex AI backend"),
            ),
            "Firebase AI Logic calls Gemini with a key that it keeps for the project, and the project has none yet.",
        ),
        # https://developers.google.com/maps/documentation/javascript/error-messages
        "maps": Variant(
            (
                run("keyadmin keys create --name NAME --project PROJECT --allowed-referrers SITE", "if there is none yet"),
                do("put it into the address that is called (key=...), or where the extension or plugin asks for it"),
            ),
            "Google Maps was called without an API key.",
        ),
        # https://cloud.google.com/sdk/docs/authorizing
        "gcloud": Variant(
            (
                run("gcloud auth login", "signs gcloud, gsutil and bq in; `gcloud auth list` shows who is signed in already"),
                run("gcloud auth login --cred-file=FILE", "in a job: with a service account's key, or a federation's file"),
            ),
            "No account is signed in to gcloud (gsutil and bq use its sign-in). Programs have one of their own: the "
            "Application Default Credentials.",
        ),
        # https://firebase.google.com/docs/cli
        "firebase": Variant(
            (
                run("firebase login", "on a workstation; `firebase login:list` shows the accounts"),
                do("in a job: set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account, or of a federation"),
            ),
            "No account is signed in to Firebase's tools.",
        ),
        "file": Variant(
            (
                do(
                    "see that the file is there for the program: by its whole path, in the container or job where it runs, "
                    "and readable for its user"
                ),
                do("the path is a leftover: unset GOOGLE_APPLICATION_CREDENTIALS; the other places are then searched"),
                run("gcloud auth application-default login", "on a workstation: needs no file of a service account"),
            ),
            "The program was told to read its credentials from a file, and did not find it.",
        ),
        "rclone": Variant(
            (run("rclone config reconnect REMOTE:", "signs in and stores a token for this remote"),),
            "rclone has no token for this remote.",
        ),
        # https://developers.google.com/workspace/guides/create-credentials
        "client-file": Variant(
            (
                do(
                    "download the JSON file of an OAuth client (type Desktop app) from "
                    "https://console.cloud.google.com/auth/clients and give it the name that the program asks for"
                ),
                do("put it where the program is started, or name it by its whole path (in Python r'C:\\...')"),
            ),
            "The program looks for the file of its OAuth client and does not find it.",
        ),
    },
    reasons=("CREDENTIALS_MISSING",),
    legacy=("required", "dailyLimitExceededUnreg", "rateLimitExceededUnreg", "userRateLimitExceededUnreg"),
    patterns=(
        *says(
            32,
            "daily limit for unauthenticated use",
            "the request was not authenticated. either allow unauthenticated invocations",
            "missing required authentication credential",
            "missing the required authentication credential. expected oauth",
            "service account not enabled on this instance",
            "invalid iap credentials: empty token",
            "could not automatically determine credentials",
            "default credentials were not found",
            "could not find default credentials",
            "no key or keyfile set",
            "could not load the default credentials",
            "application default credentials are not available",
            "could not create google default credentials",
            "could not construct applicationdefaultcredentials",
            "application default credentials since neither",
            "failed to load file * application_default_credentials.json",
            "application_default_credentials.json * no such file",
            "can't get google credentials",
            "no google credentials found",
            "failed to create oauth client: empty token found",
            "from_client_secrets_file * no such file or directory",
            "metadata: gce metadata * not defined",
            "have you run firebase login",
            "unauthenticated requests do not have permission",
            "do not currently have an active account selected",
            "there are no credentialed accounts",
            "application default credentials have not been set up",
            "does not have any valid credentials",
            "cannot find the metadata server. this is likely because",
            "cannot fetch id token in this environment",
            "could not fetch uri /computemetadata",
            "error reading credential file from",
            "activate-service-account) unable to read file",
            "firebase ai logic is missing a configured gemini developer api key",
            "genai-config-not-found",
            "neither metadata server or valid service account credentials",
            "error getting credentials using google_application_credentials",
            "reading credential file from environment variable google_application_credentials",
            "credential file specified by the google_application_credentials",
            "authenticate using metadata server application default credentials",
            "please run the gemini cli in an interactive terminal to log in",
            "method doesn't allow unregistered callers",
            "anonymous caller does not have",
            "anonymous users does not have",
            "missing key inputs argument",
            "no api_key or adc found",
            "must use an api key to authenticate",
            "missingkeymaperror",
            "#missing-key-map-error",
            "google maps api warning: no",
            "#no-api-keys",
            "utm_source=maps_js&utm_medium=degraded&utm_campaign=keyless",
            "did not find google_api_key",
            "gemini_api_key * not set",
            "google_api_key * not set",
            "as a gemini_api_key environment variable",
            "specify the gemini_api_key environment variable",
            "set the gemini_api_key environment variable",
            "set gemini_api_key environment variable",
            "setting the gemini_api_key environment variable",
            "gemini_api_key environment variable is",
            "gemini_api_key environment variable not",
            "no gemini_api_key environment variable",
            "missing gemini_api_key environment variable",
            "set the google_api_key environment variable",
            "set google_api_key environment variable",
            "setting the google_api_key environment variable",
            "google_api_key environment variable (if using express mode)",
            "google_api_key environment variable is",
            "google_api_key environment variable not",
            "gemini_api_key is missing",
            "gemini_api_key is required",
            "gemini api key is required",
            "gemini api key is missing",
            "gemini api key not found",
            "gemini api key not configured",
            "gemini api key is not configured",
            "an api key must be set when running in a browser",
            "set an auth method in your * gemini_api_key",
            "auth/missing-api-key",
            "google_generative_ai_api_key",
            "api key must be set when",
        ),
        *google_says(
            32,
            "no api key was provided",
            "request is missing a valid api key",
            "login required",
            "application default credentials not found",
            "no credentials found in",
            "failed to authenticate, have you run",
        ),
        *says(10, "dailylimitexceededunreg"),
        *says(88, "metadata.google.internal", "compute engine metadata server unavailable"),
        *says(90, "defaultcredentialserror"),
    ),
    credentials=True,
)


SERVICE_ACCOUNT_KEY_INVALID: Final = CauseEntry(
    Cause.SERVICE_ACCOUNT_KEY_INVALID,
    "The service account's key file does not work",
    "The JSON key of the service account was deleted or disabled at Google, belongs to another account, or its "
    "private_key was damaged on the way (line breaks turned into \\\\n, quotes, base64, a cut-off secret).",
    (
        run(
            "gcloud iam service-accounts keys list --iam-account=ACCOUNT",
            "is the file's private_key_id there, and not disabled? ACCOUNT = the file's client_email",
        ),
        do(
            "damaged: store the whole JSON file unchanged (in a variable the private_key needs real line breaks, not the two "
            "characters backslash and n)"
        ),
        run(
            "gcloud iam service-accounts keys create FILE --iam-account=ACCOUNT",
            "gone: make a new one, or better do without (workload identity federation, an attached service account)",
        ),
        do("the key is there and whole: set the machine's clock"),
    ),
    f"{CLOUD}/iam/docs/keys-create-delete",
    variants={
        # https://cloud.google.com/iam/docs/service-accounts-disable-enable
        "account": Variant(
            (
                run(
                    "gcloud iam service-accounts describe ACCOUNT",
                    "is it there, and not disabled? ACCOUNT = the file's client_email",
                ),
                run("gcloud iam service-accounts enable ACCOUNT", "disabled: an admin of its project enables it"),
                do(
                    "deleted less than 30 days ago: gcloud iam service-accounts undelete NUMBER (its unique id: client_id "
                    "in the file); else make another account and a key of it"
                ),
                do("is its project there? an owner restores a deleted one within 30 days"),
            ),
            "The service account of this key is deleted or disabled, or its address is wrong.",
        ),
        # https://cloud.google.com/iam/docs/workload-identity-federation
        "external": Variant(
            (
                do(
                    "the file is of workload identity federation, which this program's Google library is too old for: "
                    "update the program, or tell its maker"
                ),
                do("until then: a service account's key file, or the account that is attached where it runs"),
            ),
            "The program does not know this kind of credentials file. Google was not asked yet.",
        ),
        # https://cloud.google.com/iam/docs/keys-create-delete
        "form": Variant(
            (
                do(
                    "give the program the whole JSON file as it was downloaded: its type is service_account, and it has "
                    "client_email and private_key. In a variable it has to be unbroken, with its quotes"
                ),
                do(
                    "an OAuth client's file (installed, web) and your own credentials (authorized_user) are something else: "
                    "programs want one kind"
                ),
                run(
                    "gcloud iam service-accounts keys create FILE --iam-account=ACCOUNT",
                    "no whole file at hand: a new one, or better do without (workload identity federation, an attached "
                    "service account)",
                ),
            ),
            "What was given as the service account's key is not such a file, or not all of it. Google was not asked yet.",
        ),
    },
    reasons=("JWT_TOKEN_INVALID",),
    patterns=(
        *says(
            28,
            "invalid jwt signature",
            "invalid_grant: account not found",
            "invalid_grant * invalid grant: account not found",
            "malformederror: service account",
            "private_key field was not found in the service account info",
            "is not a valid google service account key json",
            "must pass in a json object containing the service account auth settings",
            "private key should be a pem or plain",
            "reading service account credential from json",
            "google: could not parse json key",
            "error deserializing json credential data",
            "error creating credential from json",
            "google: could not parse key",
            "read jwt from json credentials",
            'service account must contain a "private_key"',
            "service account info was not in the expected format",
            "no key could be detected",
            'service account object must contain a string "private_key"',
            "failed to parse private key",
            "the incoming json object does not contain a client_email field",
            "the incoming json object does not contain a private_key field",
            "not a service account",  # invalid_grant (Invalid issuer: ...)
            "invalid_grant * not a valid email",
            "invalid_grant: not a valid email",
            "invalid_grant * robot is disabled",
            'must contain a string "project_id"',
            'must contain a string "client_email"',
            'must contain a string "private_key"',
            "secretorprivatekey must be an asymmetric key",
        ),
        *says(28, "failed to parse service account key json"),
        *google_says(28, "is not a valid json file"),
        *google_says(28, "json key is missing the private_key", "json key is missing the client_email", "failed to sign jwt"),
        *google_says(
            28, "pem routines", "could not deserialize key data", "unable to load pem file", "error:1e08010c:decoder routines"
        ),
    ),
    credentials=True,
)

ENTRIES: Final = (
    CREDENTIALS_MISSING,
    SERVICE_ACCOUNT_KEY_INVALID,
)
