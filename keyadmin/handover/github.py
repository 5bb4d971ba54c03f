"""Which GitHub, and as whom; and what it says when it refuses.

Sources: docs.github.com, "GitHub Actions secrets" (REST), "Rate limits for the REST API", "Environment variables" of gh.
"""

from __future__ import annotations

import asyncio
import os
from typing import Final

from keyadmin.handover.http import HttpAnswer, HttpTarget, refused
from keyadmin.local.subprocesses import environment
from keyadmin.model.problem import Cause, Problem, usage

NAME: Final = "GitHub"
_VERSION: Final = "2022-11-28"
_GH_S: Final = 20.0
_CAN_WRITE: Final = (
    "use a fine-grained token or a GitHub App with the permission Secrets: read and write, in GH_TOKEN "
    "(for an environment's secrets Environments: read and write; for an organisation's the organisation permission Secrets)"
)


async def target() -> HttpTarget:
    """The REST API with a token: GITHUB_TOKEN, GH_TOKEN, or what `gh auth token` prints. Raises Problem."""
    base = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
    if host := os.environ.get("GH_HOST"):
        base = os.environ.get("GITHUB_API_URL") or f"https://{host}/api/v3"
    token = os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN") or await _of_gh()
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {token}",
        "X-GitHub-Api-Version": _VERSION,
    }
    return HttpTarget(NAME, base, headers)


async def _of_gh() -> str:
    try:
        process = await asyncio.create_subprocess_exec(
            *("gh", "auth", "token"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment(),
        )
    except OSError:
        raise _no_token("gh is not installed") from None
    try:
        out, _ = await asyncio.wait_for(process.communicate(), _GH_S)
    except TimeoutError:
        raise _no_token(f"gh auth token did not end within {_GH_S:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    token = out.decode(errors="replace").strip()
    if process.returncode != 0 or not token:
        raise _no_token("gh is not signed in")
    return token


def _no_token(why: str) -> Problem:
    return Problem(
        Cause.CREDENTIALS_MISSING,
        f"GitHub gets no token: GITHUB_TOKEN and GH_TOKEN are not set, and {why}",
        fix=("sign in: gh auth login", f"or {_CAN_WRITE}"),
    )


def refusal(answer: HttpAnswer, what: str) -> Problem:
    """The Problem of a refused call: a token without scope, single sign-on, a second factor, limits, a place not seen."""
    said = str(answer.data.get("message", "")) if isinstance(answer.data, dict) else ""
    fix: tuple[str, ...] = ()
    if sso := answer.headers.get("X-GitHub-SSO"):
        url = sso.partition("url=")[2]
        where = f": {url}" if url.startswith("https://") and " " not in url else " in its settings"
        fix = (f"the organisation demands single sign-on: authorise the token for it{where}",)
    elif answer.headers.get("X-GitHub-OTP"):
        fix = ("this account has a second factor, which a password does not pass: use a token",)
    elif "not accessible by integration" in said:
        fix = (f"a workflow's own GITHUB_TOKEN cannot write secrets: {_CAN_WRITE}",)
    elif answer.status == 401:
        fix = ("the token is wrong or has expired: make a new one", _CAN_WRITE)
    elif "rate limit" in said.lower() or answer.status == 429:
        return _limited(answer, what, said)
    elif answer.status == 403:
        fix = (_CAN_WRITE,)
    elif answer.status == 404:
        fix = ("check the name; GitHub answers the same for what the token may not see", _CAN_WRITE)
    return refused(NAME, answer, what, said, *fix)


def _limited(answer: HttpAnswer, what: str, said: str) -> Problem:
    wait = answer.headers.get("Retry-After")
    when = f" in {wait} s" if wait and wait.isdigit() else " later"
    fix = (f"run again{when}; hand fewer keys over at once",)
    return Problem(Cause.RATE_LIMITED, f"{what}: GitHub limits calls: {said}", fix=fix)


def sealed(public_key: str, value: str) -> str:
    """The value for GitHub's eyes alone: a libsodium sealed box, base64. Raises Problem: no PyNaCl, not a key."""
    try:
        from nacl.public import PublicKey, SealedBox
    except ImportError:
        from keyadmin.handover.extras import missing

        raise missing("github", "PyNaCl") from None
    import base64
    import binascii

    try:
        box = SealedBox(PublicKey(base64.b64decode(public_key, validate=True)))
    except (binascii.Error, ValueError, TypeError):
        raise usage("GitHub's public key for secrets is not one: something else answered in its place") from None
    return base64.b64encode(box.encrypt(value.encode())).decode()
