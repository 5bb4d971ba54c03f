"""The identity services: token endpoint, STS, impersonation, userinfo; the metadata server; a subject token's URL."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ROBOT: Final = "robot@home-project.iam.gserviceaccount.com"
TARGET_ROBOT: Final = "actor@home-project.iam.gserviceaccount.com"
PERSON: Final = "person@example.com"
FEDERATED: Final = "federated@example.com"
HOME: Final = "home-project"


@dataclass(frozen=True)
class Holder:
    """Whose token it is. `own_project` = what calls are charged to where nothing else is named; None = gcloud's own client."""

    principal: str
    kind: str
    own_project: str | None = None


class Identity:
    """Gives tokens and knows them again."""

    def __init__(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.private_key = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        self._public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.reset()

    def reset(self) -> None:
        """Forget all tokens; the standing ones of the access-token variables stay."""
        self.tokens: dict[str, Holder] = {}
        self.issued: list[str] = []
        self.life = 3600
        self.metadata: dict[str, Any] = {"account": ROBOT, "project": HOME, "flavor": "vm"}

    def issue(self, holder: Holder) -> str:
        """A new token."""
        token = f"ya29.test-{len(self.issued) + 1}"
        self.issued.append(token)
        self.tokens[token] = holder
        return token

    def revoke_all(self) -> None:
        """Every token given so far is refused from now on."""
        self.tokens.clear()

    def holder(self, header: str | None) -> Holder | None:
        """Whose bearer token this is; None = nobody's."""
        token = (header or "").removeprefix("Bearer ")
        if token in self.tokens:
            return self.tokens[token]
        return self._self_signed(token) if token.count(".") == 2 and token.startswith("ey") else None

    def _self_signed(self, token: str) -> Holder | None:
        from google.auth import jwt

        try:
            claims = jwt.decode(token, certs=self._public, verify=True)
        except ValueError:
            return None
        return Holder(claims["iss"], "service-account", HOME) if claims.get("scope") or claims.get("aud") else None

    # --- the services: (status, body), a mapping is JSON -----------------------------------------------------------------

    def token(self, body: bytes) -> tuple[int, Any]:
        """oauth2.googleapis.com/token."""
        asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if asked.get("grant_type") == "refresh_token":
            if not asked.get("refresh_token", "").startswith("refresh:"):
                return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
            return self._given(Holder(asked["refresh_token"].removeprefix("refresh:"), "user"))
        if asked.get("grant_type", "").endswith("jwt-bearer"):
            holder = self._self_signed_assertion(asked.get("assertion", ""))
            if holder is None:
                return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
            return self._given(holder)
        return 400, {"error": "invalid_request", "error_description": "grant_type is missing"}

    def _self_signed_assertion(self, assertion: str) -> Holder | None:
        return self._self_signed(assertion) if assertion.count(".") == 2 else None

    def sts(self, path: str, body: bytes) -> tuple[int, Any]:
        """sts.googleapis.com: /v1/token (exchange) and /v1/oauthtoken (refresh of a workforce login)."""
        asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if path.endswith("oauthtoken"):
            status, given = self._given(Holder(FEDERATED, "federated", HOME))
            return status, given | {"refresh_token": asked.get("refresh_token", "")}
        if not asked.get("subject_token") or not asked.get("audience"):
            return 400, {"error": "invalid_request", "error_description": "subject_token or audience is missing"}
        if "wrong-pool" in asked["audience"]:
            return 400, {
                "error": "invalid_target",
                "error_description": 'The target service indicated by the "audience" parameters is invalid.',
            }
        status, given = self._given(Holder(FEDERATED, "federated", HOME))
        return status, given | {"issued_token_type": "urn:ietf:params:oauth:token-type:access_token"}

    def impersonated(self, path: str, header: str | None) -> tuple[int, Any]:
        """iamcredentials.googleapis.com: generateAccessToken."""
        if self.holder(header) is None:
            return 401, {
                "error": {
                    "code": 401,
                    "message": "Request had invalid authentication credentials.",
                    "status": "UNAUTHENTICATED",
                }
            }
        account = path.rpartition("/")[2].partition(":")[0]
        token = self.issue(Holder(account, "service-account", account.partition("@")[2].partition(".")[0]))
        return 200, {"accessToken": token, "expireTime": "2999-01-01T00:00:00Z"}

    def userinfo(self, header: str | None) -> tuple[int, Any]:
        """openidconnect.googleapis.com/v1/userinfo: people only."""
        holder = self.holder(header)
        if holder is None or holder.kind != "user":
            return 401, {"error": "invalid_request", "error_description": "Invalid Credentials"}
        return 200, {"sub": "1", "email": holder.principal, "email_verified": True}

    def _given(self, holder: Holder) -> tuple[int, dict[str, Any]]:
        return 200, {"access_token": self.issue(holder), "expires_in": self.life, "token_type": "Bearer"}

    def metadata_answer(self, path: str) -> tuple[int, Any]:
        """The metadata server's answer to a path without query."""
        account, project = self.metadata["account"], self.metadata["project"]
        root = "/computeMetadata/v1/"
        if path == "/":
            return 200, "computeMetadata/\n"
        if path == f"{root}project/project-id":
            return 200, project
        if path == f"{root}universe/universe-domain":
            return (200, self.metadata.get("universe", "googleapis.com")) if self.metadata["flavor"] == "vm" else (404, "")
        if path.startswith(f"{root}instance/service-accounts/") and account:
            if path.endswith("/token"):
                return self._given(Holder(ROBOT, "service-account", HOME))
            shown = f"{HOME}.svc.id.goog" if self.metadata["flavor"] == "gke" else account
            return 200, {"aliases": ["default"], "email": shown, "scopes": ["https://www.googleapis.com/auth/cloud-platform"]}
        return 404, "<!DOCTYPE html><html><title>Error 404 (Not Found)!!1</title></html>"


def unpadded(data: bytes) -> str:
    """base64url without padding, as JWTs have it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def dumped(body: Any) -> tuple[bytes, str]:
    """The body as bytes and its content type."""
    if isinstance(body, str):
        return body.encode(), "text/html" if body.startswith("<") else "text/plain"
    return json.dumps(body).encode(), "application/json"
