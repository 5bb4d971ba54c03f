"""Which Vault (or OpenBao), and as whom: the variables of their own command lines.

Sources: developer.hashicorp.com, "Vault commands: environment variables", "AppRole auth method", "Kubernetes auth method";
openbao.org for the BAO_ names.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from keyadmin.cloud.network import Roots, ssl_context
from keyadmin.handover.http import HttpSession, HttpTarget, refused
from keyadmin.handover.kubernetes.config import POD
from keyadmin.model.problem import Cause, Problem, usage

NAME: Final = "Vault"
_TOKEN_FILE: Final = "~/.vault-token"  # noqa: S105 - a path


async def target() -> HttpTarget:
    """Where Vault is, with a token. Raises Problem: no address, no credentials, a refused login."""
    address = _variable("ADDR")
    if not address:
        raise usage("the sink vault does not know where Vault is", "set VAULT_ADDR (or BAO_ADDR) to its https:// address")
    if not re.fullmatch(r"https?://[^\s/@]+(?:/[^\s@]*)?", address):
        raise usage("VAULT_ADDR is not an http(s):// address without a password in it", "set it to https://HOST:8200")
    namespace = _variable("NAMESPACE")
    headers = {"X-Vault-Request": "true", **({"X-Vault-Namespace": namespace} if namespace else {})}
    plain = HttpTarget(NAME, address, headers, _tls())
    token = _given_token() or await _login(plain)
    return replace(plain, headers={**headers, "X-Vault-Token": token})


def _variable(name: str) -> str:
    """`VAULT_NAME`, else OpenBao's `BAO_NAME`."""
    return os.environ.get(f"VAULT_{name}") or os.environ.get(f"BAO_{name}") or ""


def _tls() -> ssl.SSLContext | None:
    if _variable("SKIP_VERIFY").lower() in ("1", "true", "t"):
        raise usage(
            "VAULT_SKIP_VERIFY is set: anybody could answer in Vault's place and get the key",
            "unset it, and set VAULT_CACERT to the certificate authority",
        )
    file = _variable("CACERT")
    if not file:
        return None
    try:
        return ssl_context(Roots(Path(file).read_bytes(), file))
    except OSError as error:
        raise usage(f"VAULT_CACERT names {file}, which cannot be read: {error.strerror}") from None


def _given_token() -> str:
    if token := _variable("TOKEN"):
        return token
    if _approle() or _variable("KUBERNETES_ROLE"):
        return ""
    try:
        return Path(_TOKEN_FILE).expanduser().read_text("utf-8").strip()
    except OSError:
        return ""


def _approle() -> Mapping[str, str]:
    role, secret = _variable("ROLE_ID"), _variable("SECRET_ID")
    return {"role_id": role, "secret_id": secret} if role and secret else {}


async def _login(plain: HttpTarget) -> str:
    """By AppRole (VAULT_ROLE_ID and VAULT_SECRET_ID) or as the pod's service account (VAULT_KUBERNETES_ROLE)."""
    if body := _approle():
        mount, how = _variable("APPROLE_MOUNT") or "approle", "AppRole"
    elif role := _variable("KUBERNETES_ROLE"):
        mount, how, body = _variable("KUBERNETES_MOUNT") or "kubernetes", "the Kubernetes role", {"role": role, "jwt": _jwt()}
    else:
        raise Problem(
            Cause.CREDENTIALS_MISSING,
            "Vault gets no token: neither VAULT_TOKEN nor ~/.vault-token, VAULT_ROLE_ID with VAULT_SECRET_ID, or "
            "VAULT_KUBERNETES_ROLE is there",
            fix=("sign in: vault login", "or set one of them"),
        )
    async with HttpSession(plain) as session:
        answer = await session.call("POST", f"/v1/auth/{mount.strip('/')}/login", body)
    token = (answer.data or {}).get("auth", {}).get("client_token") if answer.ok and isinstance(answer.data, dict) else None
    if not token:
        raise refused(NAME, answer, f"the login by {how} was refused", said(answer.data), "check the role and its secret")
    return str(token)


def _jwt() -> str:
    try:
        return (POD / "token").read_text("utf-8").strip()
    except OSError as error:
        raise usage(f"VAULT_KUBERNETES_ROLE is set, but the pod's token cannot be read: {error.strerror}") from None


def said(data: object) -> str:
    """What Vault says of an error: its `errors`, joined."""
    errors = data.get("errors") if isinstance(data, dict) else None
    return "; ".join(str(each) for each in errors) if isinstance(errors, list) else ""
