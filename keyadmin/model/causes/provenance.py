"""Whose error a text is: Google's, another vendor's, or nobody can tell."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from keyadmin.model.causes import products
from keyadmin.model.causes.facts import Origin
from keyadmin.model.causes.vendors import VENDORS

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
        # as gsutil names its answers; AWS has the first without a code
        "accessdeniedexception: 40",
        "badrequestexception: 40",
        "preconditionexception: 41",
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
        "google_auth_oauthlib",
        "scaffolding on httpserver2",
        "google_auth_exception",
        "google_service_exception",
        "bidigeneratecontent",
        "utm_source=maps_js",
        "google maps",
        # BigQuery says so
        "access denied: table ",
        "access denied: dataset ",
        "access denied: project ",
        "access denied: view ",
        "access denied: bigquery",
        "signet::",
        "oauth2client",
        "gspread",
        "gargle",
        "pydrive",
        "gcsfs",
        "pandas_gbq",
        "cloudsqlconn",
        '(connection name = "',  # the connectors of Cloud SQL and AlloyDB
        "docker-credential-gcr",
        "firauth",
        "genai.clientconfig",
        "generaloauthflow",
        "ending with a model turn",
        "/computemetadata/",
    ),
)
_RPC_TYPE: Final = "googleapis.com/google.rpc"
# The form of Google's error object: a number and a name of capitals.
_ENVELOPE: Final = (
    re.compile(r"""\bcode["']?\s*(?::|=>?)\s*\d{3}\b"""),
    re.compile(r"""\bstatus["']?\s*(?::|=>?)\s*["'][A-Z]{5,}(?:_[A-Z]+)*["']"""),
)
# NOT_FOUND is anybody's too, with a code beside it; within `error`, the code first, it is Google's.
_MISSING: Final = re.compile(
    r"""\berror["']?\s*(?::|=>?)\s*\{\s*["']?code["']?\s*(?::|=>?)\s*404\b.{0,2000}?\bstatus["']?\s*(?::|=>?)\s*["']NOT_FOUND\b""",
    re.DOTALL,
)
# google-genai for Go prints an error so: https://pkg.go.dev/google.golang.org/genai#APIError
_OF_GO: Final = re.compile(r"\bError \d{3}, Message: .{1,2000}?, Status: [A-Z]", re.DOTALL)
# Its sign-in page, in any language: `400 오류: redirect_uri_mismatch`
PAGE: Final = re.compile(
    r"\b40[013]\)?[^\d\n:：{}\"'=]{0,12}[:：]\s?(redirect_uri_mismatch|(?:deleted|disabled|restricted)_client|org_internal|"
    r"admin_policy_enforced|policy_enforced|origin_mismatch|disallowed_useragent|access_not_configured)\b"
)
# Other codes of that page are anybody's: its headline has to stand there too.
_SIGN_IN_BLOCKED: Final = (
    *("access blocked:", "zugriff blockiert:", "accès bloqué", "acceso bloqueado:", "acesso bloqueado:", "accesso bloccato:"),
    *("アクセスをブロック:", "액세스 차단됨:", "禁止访问：", "已封鎖存取權：", "доступ заблокирован:", "dostęp zablokowany:"),
    *("erişim engellendi:", "akses diblokir:", "đã chặn quyền truy cập:", "toegang geblokkeerd:"),
)
_SIGN_IN_CODE: Final = re.compile(r"\b40[0134]\)?[^\d\n:：{}\"'=]{0,12}[:：]\s?[a-z]{3,20}_[a-z_]{3,30}\b")
# What the web services of Maps Platform answer.
_OF_MAPS: Final = re.compile(
    r"""["']?error_message["']?\s*:.{1,2000}?["']?status["']?\s*:\s*["'](?:REQUEST_DENIED|OVER_(?:QUERY|DAILY)_LIMIT|INVALID_REQUEST)\b""",
    re.DOTALL,
)
# An entry of the `errors` of its older APIs.
_OLDER: Final = re.compile(r"""\bdomain\W{1,8}(?:global|usageLimits|calendar\b|youtube\.\w+)\b""")
_MENTIONED: Final = (
    "google",
    "gemini",
    "gcp",
    "gdrive",
    "clasp",
    "firebase",
    "vertex",
    "antigravity",
    "youtube data api",
    "youtube api",
    "youtube error",
    "workloadidentitypools",
    "workforcepools",
    "aiplatform",
    "auth.cloud.google",
    "iap credentials",
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
    "pagespeed",
    "pub/sub",
    "cloud run",
    "cloud spanner",
    "firestore",
    "dataflow",
    "dataproc",
    "app engine",
    "compute engine",
    "kubernetes engine",
    "secret manager",
    ".run.app",
    ".cloudfunctions.net",
    "cloudrun.",
    "plugin.video.youtube",
)


@lru_cache(maxsize=512)
def google(text: str) -> bool:
    """Whether the text shows that it is Google's: a host, a client, the form of its error object."""
    low = text[:_LONGEST].lower()
    if low.count("googleapis.com") > low.count(_RPC_TYPE) or any(mark in low for mark in _GOOGLE):
        return True
    if ", message: " in low and _OF_GO.search(text, 0, _LONGEST):
        return True
    if "domain" in low and _OLDER.search(text, 0, _LONGEST):
        return True
    if "404" in low and "not_found" in low and _MISSING.search(text, 0, _LONGEST):
        return True
    if "40" in low and _sign_in(text, low):
        return True
    if "error_message" in low and _OF_MAPS.search(text, 0, _LONGEST):
        return True
    return all(form.search(text, 0, _LONGEST) for form in _ENVELOPE) if "status" in low and "code" in low else False


def _sign_in(text: str, low: str) -> bool:
    """Whether it is the page of Google's sign-in."""
    blocked = any(words in low for words in _SIGN_IN_BLOCKED) and _SIGN_IN_CODE.search(text, 0, _LONGEST)
    return bool(blocked or PAGE.search(text, 0, _LONGEST))


@lru_cache(maxsize=512)
def vendor(text: str) -> str | None:
    """Whose error it is by its own marks, where not Google's APIs': a product that decides for itself, or a vendor."""
    low = text[:_LONGEST].lower()
    product = products.of(low)
    if product is not None:
        return product
    if 'requires one of ["container.' in low:  # GKE's Kubernetes asks IAM too
        return None
    return next((name for name, marks in VENDORS if any(mark in low for mark in marks)), None)


@lru_cache(maxsize=512)
def _mentioned(text: str) -> bool:
    low = text[:_LONGEST].lower()
    return any(name in low for name in _MENTIONED)


def origin(record: str, whole: str) -> tuple[Origin, str | None]:
    """Whose error `record` is, a part of the text `whole`; and the vendor's name."""
    named = vendor(record)
    if products.decides(named) or (named is not None and not google(record)):
        return Origin.OTHER, named
    if named is None and not _mentioned(record) and (elsewhere := vendor(whole)) is not None and not google(whole):
        return Origin.OTHER, elsewhere
    known = google(record) or _mentioned(record) or google(whole) or _mentioned(whole)
    return (Origin.GOOGLE if known else Origin.ANYBODY), None
