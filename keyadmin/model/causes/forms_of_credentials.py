"""The forms of causes about who calls: credentials, tokens, sign-in, workload identity. As in forms.py."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes import consent

# What must all be in the text, by the form's name. The first that fits decides.
Forms = Mapping[Cause, tuple[tuple[str, *tuple[re.Pattern[str], ...]], ...]]

FORMS: Final[Forms] = {
    Cause.OAUTH_CLIENT_MISCONFIGURED: (
        (
            "delegation",
            re.compile(
                r"retrieve access tokens using this method|for the appropriate api or scopes|"
                r"unauthorized client or scope in request|"
                r"requested client not authorized|invalid email or user id|domain-wide delegation",
                re.IGNORECASE,
            ),
        ),
        ("audience", re.compile(r"payload audience|wrong audience|aud mismatch|\(audience\) claim", re.IGNORECASE)),
        ("android", re.compile(r"developer_error|apiexception: 1(?:0:|2500)", re.IGNORECASE)),
        (
            "cap",
            re.compile(r"login count limit|error 403: rate_limit_exceeded|temporarily disabled for this app", re.IGNORECASE),
        ),
        ("consent", re.compile(r"not yet configured to make oauth", re.IGNORECASE)),
        (
            "gcloud",
            re.compile(r"gcloud crashed|\(gcloud\.", re.IGNORECASE),
            re.compile(r"client was (?:not found|deleted)|_client", re.IGNORECASE),
        ),
        ("client", re.compile(r"(?:disabled|deleted)_client|oauth client was|invalid_client", re.IGNORECASE)),
        ("scope", re.compile(r"invalid_scope|requested scopes (?:were invalid|cannot be shown)", re.IGNORECASE)),
        (
            "redirect",
            re.compile(
                r"mismatch|redirect uri|registered origin|origin is not allowed|valid origin|oauth 2\.0 policy",
                re.IGNORECASE,
            ),
        ),
        (
            "blocked",
            re.compile(
                r"admin_policy|org_internal|restricted_client|within its organization|app is blocked|"
                r"已被阻止|遭封鎖|ブロックされ|"
                r"차단되었|app ist blockiert|est bloquée|está bloquead|è bloccata|заблокировано|zablokowana|engellendi|"
                r"diblokir|bị chặn|geblokkeerd|"
                r"institution.s admin|policy_enforced|access_not_conf",
                re.IGNORECASE,
            ),
        ),
        (
            "request",
            re.compile(r"invalid_request|required parameter|disallowed_useragent|unsupported_grant_type", re.IGNORECASE),
        ),
        (
            "testing",
            re.compile(
                r"access_denied|verification process|being tested|hasn.t verified|" + "|".join(map(re.escape, consent.TESTING)),
                re.IGNORECASE,
            ),
        ),
        ("redirect", re.compile(r"redirect_uri|origin", re.IGNORECASE)),
        ("client", re.compile(r"client", re.IGNORECASE)),
    ),
    Cause.WORKLOAD_IDENTITY_MISCONFIGURED: (
        ("stale", re.compile(r"is stale to sign-in", re.IGNORECASE)),
        (
            "source",
            re.compile(
                r"subject.?token|credential_source|external.?account|\baws\b|executable|(?<!workload)identitypool|pluggable|workforce_?pool|"
                r"certificate configuration|target principal|refresherror: file|workloadidentityfederation config",
                re.IGNORECASE,
            ),
        ),
        ("unfilled", re.compile(r"\$\{{1,2} ?(?:secrets|vars|env)\b|\$\{\{", re.IGNORECASE)),
        ("no-token", re.compile(r"ACTIONS_ID_TOKEN_REQUEST", re.IGNORECASE)),
        (
            "no-pool",
            re.compile(r"identity pool does not exist", re.IGNORECASE),
        ),
        (
            "mapping",
            re.compile(r"mapped attribute|value for google\.subject|samlresponse|saml assertion|nameid|saml rp", re.IGNORECASE),
        ),
        (
            "gke",
            re.compile(r"unable to generate (?:gcp )?access token(?:; IAM returned|: rpc)|identitybindingtoken", re.IGNORECASE),
        ),
        ("act-as", re.compile(r"google cloud (?:access|id) token", re.IGNORECASE)),
    ),
    Cause.SERVICE_ACCOUNT_KEY_INVALID: (
        (
            "form",
            re.compile(
                r"valid json|valid type|json key is missing|json is missing|missing (?:required )?fields?|missing 'type'|"
                r"type'? (?:field|value)|of type|type '|unexpected (?:format|end)|expected format|filetype|expecting\b|"
                r"pars(?:e|ing) (?:credentials|service account|the credentials)|read json file|credentials? type|must contain|"
                r"client_email field|private_key field|json credential|account (?:info|certificate|key json)",
                re.IGNORECASE,
            ),
        ),
    ),
    Cause.CREDENTIALS_MISSING: (
        ("iap", re.compile(r"invalid iap credentials", re.IGNORECASE)),
        ("instance", re.compile(r"not enabled on this instance", re.IGNORECASE)),
        ("ai-logic", re.compile(r"firebase ai logic|genai-config-not-found", re.IGNORECASE)),
        ("anonymous", re.compile(r"anonymous (?:caller|users) does not have", re.IGNORECASE)),
        ("invoke", re.compile(r"either allow unauthenticated invocations", re.IGNORECASE)),
        ("rclone", re.compile(r"empty token found", re.IGNORECASE)),
        ("firebase", re.compile(r"firebase login", re.IGNORECASE)),
        (
            "gcloud",
            re.compile(
                r"active account selected|no credentialed accounts|does not have any valid credentials|"
                r"with no configured credentials|boto config",
                re.IGNORECASE,
            ),
        ),
        ("client-file", re.compile(r"from_client_secrets_file", re.IGNORECASE)),
        (
            "file",
            re.compile(r"credentials? file|keyfile|google_application_credentials|credentialserror: file", re.IGNORECASE),
            re.compile(
                r"no such file|does not exist|not find file|file \S+ was not found|is not a valid file|not found or invalid|"
                r"could not find or open|unable to read|failed to read",
                re.IGNORECASE,
            ),
        ),
        ("packages", re.compile(r"[a-z0-9-]+\.pkg\.dev\b", re.IGNORECASE)),
        (
            "maps",
            re.compile(
                r"missing.?key.?map|maps platform|must use an api key|no.?api.?keys|=keyless|googlemaps|google maps|"
                r"com\.google\.android\.(?:geo|maps)|gms(?:services|placesclient)",
                re.IGNORECASE,
            ),
        ),
        (
            "no-key",
            re.compile(r"api.?key|gemini models", re.IGNORECASE),
            re.compile(r"gemini|generativelanguage|google_api_key|genai|generative.?ai|googleai|llm keys", re.IGNORECASE),
        ),
    ),
    Cause.SCOPES_INSUFFICIENT: (
        ("drive-file", re.compile(r"has not granted the app|appnotauthorizedto", re.IGNORECASE)),
        ("none-asked", re.compile(r"invalid oauth scope or id token audience", re.IGNORECASE)),
        ("apps-script", re.compile(r"(?:sufficient|permission) to call|script\.external_request", re.IGNORECASE)),
        ("photos", re.compile(r"google.?photos|photoslibrary|/auth/photos", re.IGNORECASE)),
        (
            "app",
            re.compile(
                r"(?:sheets|docs|slides|gmail|people|tasks|photospicker|calendar-json)\.googleapis|"
                r"sheets\.v4|spreadsheets|gargle|/auth/photos|/calendar/v3|/gmail/v1|/drive/v[23]|/youtube/v3",
                re.IGNORECASE,
            ),
        ),
    ),
    Cause.CREDENTIALS_EXPIRED: (
        ("rclone", re.compile(r"rclone|failed to create file system for", re.IGNORECASE)),
        ("firebase", re.compile(r"http error: 401, request had invalid authentication|firebase login", re.IGNORECASE)),
        ("user", re.compile(r"auth/(?:user-token|invalid-user|id-token)|firebase id token", re.IGNORECASE)),
        ("connection", re.compile(r"zapier|failed to verify connection|\bn8n|nodeapierror", re.IGNORECASE)),
        ("audience", re.compile(r"invalid iap credentials", re.IGNORECASE)),
        ("account", re.compile(r"account has been (?:deleted|disabled)", re.IGNORECASE)),
        ("clock", re.compile(r"token used too early|computer's clock|reasonable timeframe", re.IGNORECASE)),
        (
            "code",
            re.compile(
                r"malformed (?:auth )?code|already redeemed|fetch_token\(|callback\S*[?&]code=|[?&]code=4|"
                r"exchang\w+ (?:the )?(?:auth|code)|fetchaccesstokenwithauthcode|authorization code",
                re.IGNORECASE,
            ),
        ),
        (
            "stored",
            re.compile(
                r"authorized user info|necessary fields need to refresh|no refresh token|no access, refresh token|"
                r"refresh token is not set",
                re.IGNORECASE,
            ),
        ),
    ),
}
