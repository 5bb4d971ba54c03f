"""The forms of causes about who calls: credentials, tokens, sign-in, workload identity. As in forms.py."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes import consent

# What must all be in the text, as regular expressions in which case does not count, by the form's name. The first that fits
# decides.
Forms = Mapping[Cause, tuple[tuple[str, *tuple[str, ...]], ...]]

FORMS: Final[Forms] = {
    Cause.OAUTH_CLIENT_MISCONFIGURED: (
        (
            "delegation",
            (
                r"client is unauthorized to re|for the appropriate api or scopes|"
                r"unauthorized client or scope in request|"
                r"requested client not authorized|invalid email or user id|domain-wide delegation"
            ),
        ),
        ("audience", r"payload audience|wrong audience|aud mismatch|\(audience\) claim"),
        ("android", r"developer_error|apiexception: 1(?:0:|2500)"),
        (
            "cap",
            r"login count limit|error 403: rate_limit_exceeded|temporarily disabled for this app",
        ),
        ("consent", r"not yet configured to make oauth"),
        (
            "gcloud",
            r"gcloud crashed|\(gcloud\.",
            r"client was (?:not found|deleted)|_client",
        ),
        ("client", r"(?:disabled|deleted)_client|oauth client was|invalid_client"),
        ("scope", r"invalid_scope|requested scopes (?:were invalid|cannot be shown)"),
        (
            "redirect",
            r"mismatch|redirect uri|registered origin|origin is not allowed|valid origin|oauth 2\.0 policy",
        ),
        (
            "blocked",
            (
                r"admin_policy|org_internal|restricted_client|within its organization|app is blocked|"
                r"已被阻止|遭封鎖|ブロックされ|"
                r"차단되었|app ist blockiert|est bloquée|está bloquead|è bloccata|заблокировано|zablokowana|engellendi|"
                r"diblokir|bị chặn|geblokkeerd|"
                r"institution.s admin|policy_enforced|access_not_conf"
            ),
        ),
        (
            "request",
            r"invalid_request|required parameter|disallowed_useragent|unsupported_grant_type",
        ),
        (
            "testing",
            (r"access_denied|verification process|being tested|hasn.t verified|" + "|".join(map(re.escape, consent.TESTING))),
        ),
        ("redirect", r"redirect_uri|origin"),
        ("client", r"client"),
    ),
    Cause.WORKLOAD_IDENTITY_MISCONFIGURED: (
        ("stale", r"is stale to sign-in"),
        (
            "source",
            (
                r"subject.?token|credential_source|external.?account|\baws\b|executable|(?<!workload)identitypool|pluggable|workforce_?pool|"
                r"certificate configuration|target principal|refresherror: file|workloadidentityfederation config"
            ),
        ),
        ("unfilled", r"\$\{{1,2} ?(?:secrets|vars|env)\b|\$\{\{"),
        ("no-token", r"ACTIONS_ID_TOKEN_REQUEST"),
        (
            "no-pool",
            r"identity pool does not exist",
        ),
        (
            "mapping",
            r"mapped attribute|value for google\.subject|samlresponse|saml assertion|nameid|saml rp",
        ),
        (
            "gke",
            r"unable to generate (?:gcp )?access token(?:; IAM returned|: rpc)|identitybindingtoken",
        ),
        ("act-as", r"google cloud (?:access|id) token"),
    ),
    Cause.SERVICE_ACCOUNT_KEY_INVALID: (
        ("external", r"external_account['\"]? not recogni[sz]ed"),
        ("account", r"account not found|robot is disabled|service account \S* ?(?:is|was|has been) (?:disabled|deleted)"),
        (
            "form",
            (
                r"valid json|valid type|json key is missing|json is missing|missing (?:required )?fields?|missing 'type'|"
                r"type'? (?:field|value)|of type|type '|unexpected (?:format|end)|expected format|filetype|expecting\b|"
                r"pars(?:e|ing) (?:credentials|service account|the credentials)|read json file|credentials? type|must contain|"
                r"client_email field|private_key field|json credential|account (?:info|certificate|key json)"
            ),
        ),
    ),
    Cause.CREDENTIALS_MISSING: (
        ("iap", r"invalid iap credentials"),
        ("instance", r"not enabled on this instance"),
        ("ai-logic", r"firebase ai logic|genai-config-not-found"),
        ("anonymous", r"anonymous (?:caller|users) does not have"),
        ("invoke", r"either allow unauthenticated invocations"),
        ("rclone", r"empty token found"),
        ("firebase", r"firebase login"),
        (
            "gcloud",
            (
                r"active account selected|no credentialed accounts|does not have any valid credentials|"
                r"with no configured credentials|boto config"
            ),
        ),
        ("client-file", r"from_client_secrets_file"),
        (
            "file",
            r"credentials? file|keyfile|google_application_credentials|credentialserror: file",
            (
                r"no such file|does not exist|not find file|file \S+ was not found|is not a valid file|not found or invalid|"
                r"could not find or open|unable to read|failed to read"
            ),
        ),
        ("packages", r"[a-z0-9-]+\.pkg\.dev\b"),
        (
            "maps",
            (
                r"missing.?key.?map|maps platform|must use an api key|no.?api.?keys|=keyless|googlemaps|google maps|"
                r"com\.google\.android\.(?:geo|maps)|gms(?:services|placesclient)"
            ),
        ),
        (
            "no-key",
            r"api.?key|gemini models",
            r"gemini|generativelanguage|google_api_key|genai|generative.?ai|googleai|llm keys",
        ),
    ),
    Cause.SCOPES_INSUFFICIENT: (
        ("drive-file", r"has not granted the app|appnotauthorizedto"),
        ("none-asked", r"invalid oauth scope or id token audience"),
        ("apps-script", r"(?:sufficient|permission) to call|script\.external_request"),
        ("photos", r"google.?photos|photoslibrary|/auth/photos"),
        (
            "app",
            (
                r"(?:sheets|docs|slides|gmail|people|tasks|photospicker|calendar-json)\.googleapis|"
                r"sheets\.v4|spreadsheets|gargle|/auth/photos|/calendar/v3|/gmail/v1|/drive/v[23]|/youtube/v3"
            ),
        ),
    ),
    Cause.CREDENTIALS_EXPIRED: (
        ("rclone", r"rclone|failed to create file system for"),
        ("firebase", r"http error: 401, request had invalid authentication|firebase login"),
        ("user", r"auth/(?:user-token|invalid-user|id-token)|firebase id token"),
        ("connection", r"zapier|failed to verify connection|\bn8n|nodeapierror"),
        ("audience", r"invalid iap credentials"),
        ("account", r"account has been (?:deleted|disabled)"),
        ("clock", r"token used too early|computer's clock|reasonable timeframe"),
        (
            "code",
            (
                r"malformed (?:auth )?code|already redeemed|fetch_token\(|callback\S*[?&]code=|[?&]code=4|"
                r"exchang\w+ (?:the )?(?:auth|code)|fetchaccesstokenwithauthcode|authorization code"
            ),
        ),
        (
            "stored",
            (
                r"authorized user info|necessary fields need to refresh|no refresh token|no access, refresh token|"
                r"refresh token is not set"
            ),
        ),
    ),
}
