"""Who may call the Gemini API: with a key (see apikeys/access.py), or with a token and a project that pays."""

from __future__ import annotations

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.messages.status import Code, RpcError, error_info
from keyadmin.sandbox.services.apikeys import access

HOST = "generativelanguage.googleapis.com"
TITLE = "Generative Language API"
_GCLOUD = "764086051850"  # gcloud's own project: who pays for user credentials without a quota project (facts 3)


def admit(call: Call) -> None:
    """Let a call through. Raises the documented error else."""
    caller = call.caller
    if caller.api_key and caller.bearer:
        raise RpcError(Code.INVALID_ARGUMENT, "Multiple authentication credentials received. Please pass only one.")
    if caller.bearer:
        _check_quota_project(call)
    else:
        access.admit(call, standard=not _standard_rejected(call))


def _standard_rejected(call: Call) -> bool:
    """Standard keys are rejected unless the seed says otherwise (contract 2)."""
    return call.world.setting("reject-standard-keys") != "0"


def _check_quota_project(call: Call) -> None:
    """OAuth instead of a key: a quota project pays, whose rights and API were checked before; without one it is gcloud's."""
    if call.caller.quota_project is None:
        raise RpcError(
            Code.PERMISSION_DENIED,
            "Your application is authenticating by using local Application Default Credentials. The "
            f"{HOST} API requires a quota project, which is not set by default. To learn how to set your quota project, see "
            "https://cloud.google.com/docs/authentication/adc-troubleshooting/user-creds .",
            error_info("SERVICE_DISABLED", "googleapis.com", service=HOST, consumer=f"projects/{_GCLOUD}"),
        )
