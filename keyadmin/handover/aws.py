"""Reaching Amazon's services through boto3, in threads; credentials and region rules are Amazon's own."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from keyadmin.model.problem import Cause, Problem, usage
from keyadmin.model.secret import redact

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

REGION: Final = r"[a-z]{2,3}(?:-[a-z]+)+-[0-9]"
_LOGGERS: Final = ("boto3", "botocore", "urllib3", "s3transfer")
_DENIED: Final = ("AccessDenied", "AccessDeniedException", "NotAuthorized", "UnauthorizedOperation")
_SIGNED_OUT: Final = (
    *("ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId"),
    "InvalidSignatureException",
)
_SLOW: Final = ("ThrottlingException", "TooManyUpdates", "LimitExceededException", "RequestLimitExceeded")


def region_and_name(value: str, kind: str) -> tuple[str, str]:
    """`REGION/NAME`. Raises usage()."""
    region, slash, name = value.partition("/")
    if not slash or not name or not re.fullmatch(REGION, region):
        raise usage(f"invalid sink '{kind}:{value}': write {kind}:REGION/NAME, such as eu-central-1/gemini")
    return region, name


async def call(service: str, region: str, method: str, **arguments: Any) -> dict[str, Any]:
    """One call, tried again by boto3 as Amazon's standard mode does. Raises botocore's ClientError; Problem for the rest."""
    return await asyncio.to_thread(partial(_call, service, region, method, arguments))


def _call(service: str, region: str, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
    from botocore.exceptions import BotoCoreError, NoCredentialsError

    for name in _LOGGERS:  # their DEBUG records hold whole requests
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        found: Callable[..., dict[str, Any]] = getattr(_client(service, region, _profile()), method)
        return found(**arguments)
    except NoCredentialsError:
        raise Problem(
            Cause.CREDENTIALS_MISSING,
            "Amazon Web Services gets no credentials",
            fix=("sign in: aws sso login, or set AWS_PROFILE", "see who you are: aws sts get-caller-identity"),
        ) from None
    except BotoCoreError as error:
        raise Problem(
            Cause.NETWORK_UNREACHABLE,
            f"Amazon's {service} in {region} cannot be reached: {redact(str(error))}",
            fix=("check the region, the profile and the network: aws sts get-caller-identity",),
        ) from None


def _profile() -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_")))


@cache
def _client(service: str, region: str, profile: tuple[tuple[str, str], ...]) -> Any:
    """Made once, which takes longer than a call. `profile` = the variables that say as whom and where."""
    import boto3
    from botocore.config import Config

    retries: Any = {"mode": "standard", "max_attempts": 5}
    config = Config(retries=retries, connect_timeout=10, read_timeout=30, user_agent_appid="keyadmin")
    return boto3.session.Session(region_name=region).client(service, config=config)


def code_of(error: ClientError) -> str:
    """Amazon's name of the error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def refusal(error: ClientError, what: str, *actions: str) -> Problem:
    """The Problem of a refused call. `actions` = what an IAM policy has to allow for it."""
    code = code_of(error)
    said = redact(str(error.response.get("Error", {}).get("Message", "")))
    message = f"{what}: Amazon answered {code}: {said}"
    if code in _DENIED:
        return Problem(Cause.MISSING_IAM_PERMISSION, message, fix=(f"allow in the caller's IAM policy: {', '.join(actions)}",))
    if code in _SIGNED_OUT:
        return Problem(Cause.CREDENTIALS_EXPIRED, message, fix=("sign in again: aws sso login",))
    if code in _SLOW:
        return Problem(
            Cause.RATE_LIMITED, message, fix=("run again later: Amazon takes a new version every ten minutes at most",)
        )
    if code == "ParameterMaxVersionLimitExceeded":
        fix = ("the oldest of 100 versions bears a label: move it, aws ssm label-parameter-version",)
        return Problem(Cause.CONFLICT, message, fix=fix)
    if code.startswith("KMS") or "kms" in said.lower():
        fix = ("allow kms:Encrypt, kms:Decrypt and kms:GenerateDataKey on the secret's key",)
        return Problem(Cause.MISSING_IAM_PERMISSION, message, fix=fix)
    return Problem(Cause.INVALID_ARGUMENT, message, fix=("check the name and the region",))
