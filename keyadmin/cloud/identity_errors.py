"""Why no token could be had: google.auth's exceptions, by the kind of credentials, with advice that fits it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from keyadmin.cloud import errors
from keyadmin.cloud.credentials import LOGIN, NO_ACCOUNT
from keyadmin.cloud.details import facts_from_http
from keyadmin.cloud.endpoints import IAM_CREDENTIALS, ApiCall
from keyadmin.cloud.sources import Source
from keyadmin.model.adc import FILE_VARIABLE
from keyadmin.model.command_line import typed
from keyadmin.model.leaned_on import (
    ANSWER_FOLLOWS,
    EXECUTABLES_SAID,
    IMPERSONATION_SAID,
    REAUTHENTICATION,
    REAUTHENTICATION_SAID,
)
from keyadmin.model.problem import Cause, Exit, Problem
from keyadmin.model.secret import redact

CLOCK_OFF: Final = timedelta(seconds=60)
_MOST: Final = 300  # characters of a library's words that are shown


def read(error: Exception, source: Source, skew: timedelta | None = None) -> Problem:
    """What google.auth raised while it fetched a token. `skew` = how far the servers' clock is ahead of this machine's."""
    words = _words(error)
    refused = _impersonation_refused(error)
    if refused is not None:
        return _not_impersonated(refused, source)
    if type(error).__name__ == REAUTHENTICATION or any(mark in words for mark in REAUTHENTICATION_SAID):
        what = "your organisation asks you to sign in again: the session of this account is over"
        return _problem(Cause.REAUTHENTICATION_REQUIRED, what, "", *_login(source))
    if source.kind == "service-account":
        return _service_account(words, source, skew)
    if source.kind in ("workload-identity", "workforce-identity") and "refresh_token" not in words:
        return _federation(words, source)
    if source.kind == "metadata-server":
        return _machine(words, source)
    return _problem(Cause.CREDENTIALS_EXPIRED, "the credentials were refused", words, *_login(source))


def advised(problem: Problem, source: Source) -> Problem:
    """What an API said of the credentials themselves, with the advice for their kind in place of a login for everybody."""
    if problem.exit is not Exit.CREDENTIALS or problem.unsent:
        return problem
    if source.kind == "access-token":
        return _expired_token(source)
    return replace(problem, fix=(*_ways(source), _connection()))


def _expired_token(source: Source) -> Problem:
    """The token of a variable was refused: keyadmin cannot fetch another."""
    return Problem(
        Cause.CREDENTIALS_EXPIRED,
        f"the access token in {source.variable} is expired, revoked or not accepted; keyadmin cannot renew it",
        status="UNAUTHENTICATED",
        fix=(
            f"export {source.variable}=$(gcloud auth print-access-token)    # lasts an hour",
            f"unset {source.variable}    # other credentials are used then",
        ),
    )


def _connection() -> str:
    return f"{typed('doctor', connection=True)}    # which credentials are in force, and where from"


def _ways(source: Source) -> tuple[str, ...]:
    if source.kind == "service-account":
        return (f"check that the service account and the key in {source.file} still exist and are enabled",)
    if source.kind == "metadata-server":
        return ("check that the machine's service account still exists and is enabled",)
    if source.kind in ("workload-identity", "workforce-identity"):
        return (f"check the pool, its provider and the service account that {source.file} names",)
    return _login(source)


def _login(source: Source) -> tuple[str, ...]:
    """To sign in again; gcloud writes to its own file, which a variable overrides."""
    impersonating = source.details.get("impersonates") if source.details and "by" not in source.details else None
    again = f"{LOGIN} --impersonate-service-account={impersonating}" if impersonating else LOGIN
    if source.variable == FILE_VARIABLE:
        return (f"unset {FILE_VARIABLE}    # it names {source.file}, which a new login does not change", again)
    return (again,)


def _problem(cause: Cause, what: str, words: str, *fix: str) -> Problem:
    return Problem(cause, f"{what}: {words}" if words else what, status="UNAUTHENTICATED", unsent=True, fix=fix)


def _service_account(words: str, source: Source, skew: timedelta | None) -> Problem:
    key = f" (key {source.details['privateKeyId']})" if source.details and "privateKeyId" in source.details else ""
    what = f"the service account's key in {source.file}{key} is not accepted"
    fix = [
        "gcloud iam service-accounts keys list --iam-account ACCOUNT    # is the key's id still there, and enabled?",
        f"unset {FILE_VARIABLE}    # then gcloud's login counts: {LOGIN}",
        _connection(),
    ]
    if skew is not None and abs(skew) > CLOCK_OFF:
        seconds = abs(skew.total_seconds())
        side = "behind" if skew > timedelta() else "ahead"
        fix.insert(0, f"set this machine's clock: it is {seconds:.0f} s {side}, and service accounts sign with the time")
    elif "timeframe" in words or "iat" in words:
        fix.insert(0, "set this machine's clock: service accounts sign their requests with the time")
    return _problem(Cause.SERVICE_ACCOUNT_KEY_INVALID, what, words, *fix)


def _federation(words: str, source: Source) -> Problem:
    what = f"workload identity federation by {source.file} gave no token"
    if source.kind == "workforce-identity":
        what = f"the workforce login by {source.file} gave no token"
    if any(mark in words for mark in EXECUTABLES_SAID):
        fix: tuple[str, ...] = (f"export {EXECUTABLES_SAID[0]}=1    # if you trust the program that {source.file} names",)
    elif source.details and source.details.get("subjectTokenFrom") and "Error code" not in words:
        fix = (f"check where the subject token comes from ({source.details['subjectTokenFrom']}) in {source.file}",)
    else:
        fix = (
            "compare audience, issuer and attribute condition: gcloud iam workload-identity-pools providers describe PROVIDER "
            "--workload-identity-pool POOL --location global",
        )
        if source.kind == "workforce-identity" and not source.details.get("subjectTokenFrom"):
            fix = ("gcloud auth application-default login --login-config=FILE    # sign in again",)
    return _problem(Cause.WORKLOAD_IDENTITY_MISCONFIGURED, what, words, *fix, _connection())


def _machine(words: str, source: Source) -> Problem:
    """The metadata server has no account for this machine, or does not give a token."""
    missing = "404" in words or "not found" in words.lower() or "notfound" in words.lower().replace(" ", "")
    what = f"{source.place} has no service account for this machine" if missing else f"{source.place} gave no token"
    return Problem(
        Cause.CREDENTIALS_MISSING,
        what if missing else f"{what}: {words}",
        status="UNAUTHENTICATED",
        unsent=True,
        fix=(
            "gcloud compute instances set-service-account INSTANCE --service-account=ACCOUNT --scopes=cloud-platform"
            "    # a VM, stopped",
            "on GKE: bind the Kubernetes service account (Workload Identity Federation for GKE)",
            f"or name credentials in {FILE_VARIABLE}",
            NO_ACCOUNT,
        ),
    )


def _not_impersonated(refused: Any, source: Source) -> Problem:
    """The IAM Credentials API said no. Whoever impersonates by a file never typed the flag."""
    code = refused["error"].get("code")
    signing = ApiCall(IAM_CREDENTIALS, "GenerateAccessToken")
    problem = errors.failure(facts_from_http(code if isinstance(code, int) else 403, {}, refused, signing)).problem
    problem.unsent = True
    account = source.details.get("impersonates", "ACCOUNT") if source.details else "ACCOUNT"
    if source.details and "by" in source.details:
        return problem
    problem.notes.append(f"{source.file} impersonates {account}")
    if problem.cause is Cause.MISSING_IAM_PERMISSION:
        federated = source.kind in ("workload-identity", "workforce-identity")
        role = "roles/iam.workloadIdentityUser" if federated else "roles/iam.serviceAccountTokenCreator"
        member = "PRINCIPAL" if federated else "user:ADDRESS"
        problem.fix = (
            f"gcloud iam service-accounts add-iam-policy-binding {account} --role={role} --member={member}",
            f"or use other credentials than {source.file}",
        )
        if federated:
            problem.cause = Cause.WORKLOAD_IDENTITY_MISCONFIGURED
    return problem


def _words(error: Exception) -> str:
    """The library's words in one line, without bodies of answers, key strings or nested exceptions' tuples."""
    first: Any = error.args[0] if error.args else str(error)
    while isinstance(first, Exception) and first.args:
        first = first.args[0]
    text = " ".join(str(first).split())
    text = re.sub(r"<[^>]*>", " ", text)
    return redact(text.partition(ANSWER_FOLLOWS)[0].strip())[:_MOST]


def _impersonation_refused(error: Exception) -> Any:
    """The IAM Credentials API's error object, where impersonation was what failed (google.auth keeps it as second argument)."""
    if len(error.args) < 2 or IMPERSONATION_SAID not in str(error.args[0]):
        return None
    try:
        body = json.loads(error.args[1])
    except (TypeError, ValueError):
        return None
    return body if isinstance(body, Mapping) and isinstance(body.get("error"), Mapping) else None
