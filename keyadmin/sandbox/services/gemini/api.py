"""The Gemini API (generativelanguage.googleapis.com), REST only, in the versions that clients call.

Shapes are hand-written: no protobuf of it is published for Python. Which fields a request may have is what google-genai
3.4 sends (package).
"""

from __future__ import annotations

import base64
import binascii
import functools
import secrets
from collections.abc import Callable
from typing import Any

from keyadmin.sandbox.api import Api, Call, Rule, Stream
from keyadmin.sandbox.messages import paging
from keyadmin.sandbox.messages.status import HTTP_STATUS, RpcError, invalid, not_found
from keyadmin.sandbox.messages.times import parse_rfc3339
from keyadmin.sandbox.services.apikeys.access import count, payer
from keyadmin.sandbox.services.gemini import answers, embeddings, interactions, models, quota
from keyadmin.sandbox.services.gemini.access import HOST, TITLE, admit
from keyadmin.sandbox.services.gemini.request import tokens

Json = dict[str, Any]

VERSIONS = ("v1", "v1beta", "v1alpha")
TWENTY_HOURS = 20 * 3600 * 1_000_000  # microseconds: how far ahead a token may reach (package)


def _over_quota(request: Json, limit: int, wait: float) -> RpcError | None:
    """Over a quota of calls of a model the Gemini API itself refuses; of other calls Google's front end."""
    name = request.get("model")
    return quota.exceeded(str(name).removeprefix("models/"), limit, wait) if name else None


def _apis(
    service: str,
    versions: tuple[str, ...] = VERSIONS,
    reworded: Callable[[RpcError], RpcError] | None = None,
) -> dict[str, Api]:
    return {
        version: Api(
            f"google.ai.generativelanguage.{version}.{service}",
            HOST,
            TITLE,
            credentials="key",
            payer=payer,
            over_quota=_over_quota,
            reworded=reworded,
        )
        for version in versions
    }


_model_service = _apis("ModelService")
_generative_service = _apis("GenerativeService")
# unsourced: the names of these two services and of their methods
_interaction_service = _apis("InteractionService", reworded=interactions.reworded)
_token_service = _apis("AuthTokenService", ("v1alpha",))
APIS = tuple(
    api for service in (_model_service, _generative_service, _interaction_service, _token_service) for api in service.values()
)

_CONTENT: Json = {"parts": ["any"], "role": "string"}
_GENERATE: Json = {
    "model": "string",
    "contents": [_CONTENT],
    "systemInstruction": _CONTENT,
    "tools": ["any"],
    "toolConfig": "any",
    "safetySettings": ["any"],
    "generationConfig": "any",
    "cachedContent": "string",
    "labels": {"*": "string"},
    "serviceTier": "string",
    "store": "bool",
}
_INTERACTION: Json = {
    "model": "string",
    "agent": "string",
    "agent_config": "any",
    "background": "bool",
    "cached_content": "string",
    "continuation_token": "string",
    "environment": "any",
    "generation_config": "any",
    "input": "any",
    "labels": {"*": "string"},
    "previous_interaction_id": "string",
    "response_format": "any",
    "response_mime_type": "string",
    "response_modalities": ["string"],
    "safety_settings": ["any"],
    "service_tier": "string",
    "store": "bool",
    "stream": "bool",
    "system_instruction": "string",
    "tools": ["any"],
    "webhook_config": "any",
}


def _method(
    service: dict[str, Api], route: str, request: Json, *, body: str = "", streams: bool = False, work: bool = True
) -> Callable[[Rule], Rule]:
    """Declare a method in every version of a service; `$v` in the route is the version. None of them changes anything.

    Callers are admitted before, and the call is counted for its key by the status of its answer. `work=False` for asking which
    models there are: it counts as a call, not as use that the key's deletion would disturb.
    """
    # unsourced: which calls Google's checkExistingUsage takes for use. Were it these too, a key could not be deleted for a
    # week after it was checked once.

    def declare(rule: Rule) -> Rule:
        @functools.wraps(rule)
        def admitted(call: Call, request: Json) -> Any:
            admit(call)
            try:
                answer = rule(call, request)
            except RpcError as error:
                count(call, HTTP_STATUS[error.code], work=False)
                raise
            count(call, 200, work=work)
            return answer

        for version, api in service.items():
            path = route.replace("$v", version)
            api.method(path, request=request, response=None, body=body, writes=False, streams=streams)(admitted)
        return rule

    return declare


def _version(call: Call) -> str:
    return call.method.api.name.split(".")[3]


@_method(_model_service, "GET /$v/models", {"pageSize": "int32", "pageToken": "string"}, work=False)
def list_models(call: Call, request: Json) -> Json:
    """ListModels: at most 50 a page unless told otherwise, never more than 1,000 (Gemini API documentation)."""
    size = paging.page_size(request, default=50, most=1000)
    every = models.every()
    start = _start(every, request.get("pageToken", ""))
    out: Json = {"models": every[start : start + size]}
    if start + size < len(every):
        out["nextPageToken"] = _token(every[start + size - 1]["name"])
    return out


def _token(last: str) -> str:
    """A page token as recorded: field 1 of a protobuf message, the last model's name, in base64."""
    return base64.b64encode(b"\n" + bytes([len(last)]) + last.encode()).decode().rstrip("=")


def _start(every: list[Json], token: str) -> int:
    """Where the page after a token begins. Raises INVALID_ARGUMENT."""
    if not token:
        return 0
    try:
        last = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[2:].decode()
    except (binascii.Error, UnicodeError, ValueError):
        last = ""
    for index, model in enumerate(every):
        if model["name"] == last:
            return index + 1
    raise invalid("The page token is invalid.", "page_token")  # unsourced: the wording


@_method(_model_service, "GET /$v/{name=models/*}", {"name": "string"}, work=False)
def get_model(call: Call, request: Json) -> Json:
    """GetModel."""
    found = models.by_name(request["name"])
    if found is None:
        raise not_found(f"Model is not found: {request['name']} for api version {_version(call)}")
    return found


def _require(call: Call, name: str, ability: str) -> None:
    """Refuse a model that there is not, or that cannot do this (recorded, July 2026)."""
    found = models.by_name(name)
    if found is None or ability not in found["supportedGenerationMethods"]:
        raise not_found(
            f"{name} is not found for API version {_version(call)}, or is not supported for {ability}. Call "
            "ModelService.ListModels to see the list of available models and their supported methods."
        )


def _generate(call: Call, request: Json, pieces: int) -> list[Json]:
    _require(call, request["model"], "generateContent")
    if not request.get("contents"):
        raise invalid("* GenerateContentRequest.contents: contents is not specified\n")
    return answers.generated(request["model"], request, pieces=pieces)


@_method(_generative_service, "POST /$v/{model=models/*}:generateContent", _GENERATE, body="*")
def generate_content(call: Call, request: Json) -> Json:
    """GenerateContent: fixed text."""
    return _generate(call, request, 1)[0]


@_method(_generative_service, "POST /$v/{model=models/*}:streamGenerateContent", _GENERATE, body="*", streams=True)
def stream_generate_content(call: Call, request: Json) -> Stream:
    """StreamGenerateContent: the same in three pieces."""
    return Stream(_generate(call, request, 3))


@_method(
    _generative_service,
    "POST /$v/{model=models/*}:countTokens",
    {"model": "string", "contents": [_CONTENT], "generateContentRequest": _GENERATE},
    body="*",
)
def count_tokens(call: Call, request: Json) -> Json:
    """CountTokens: a quarter of the text's bytes."""
    _require(call, request["model"], "countTokens")
    asked = request.get("generateContentRequest", request)
    if not asked.get("contents"):
        raise invalid("* CountTokensRequest.contents: contents is not specified\n")
    count = tokens([asked.get("systemInstruction", {}), asked["contents"]])
    return {"totalTokens": count, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": count}]}


_EMBED: Json = {
    "model": "string",
    "content": _CONTENT,
    "taskType": "string",
    "title": "string",
    "outputDimensionality": "int32",
    "embedContentConfig": "any",
}


@_method(_generative_service, "POST /$v/{model=models/*}:embedContent", _EMBED, body="*")
def embed_content(call: Call, request: Json) -> Json:
    """EmbedContent: numbers that depend on the text."""
    _require(call, request["model"], "embedContent")
    if not request.get("content"):
        raise invalid("* EmbedContentRequest.content: contents is not specified\n")
    return {"embedding": embeddings.embedding(request)} | embeddings.usage(request["model"], [request])


@_method(
    _generative_service,
    "POST /$v/{model=models/*}:batchEmbedContents",
    {"model": "string", "requests": [_EMBED]},
    body="*",
)
def batch_embed_contents(call: Call, request: Json) -> Json:
    """BatchEmbedContents: one embedding for each request."""
    _require(call, request["model"], "embedContent")
    asked = request.get("requests", [])
    if not asked:
        raise invalid("* BatchEmbedContentsRequest.requests: requests is not specified\n")  # unsourced: the wording
    return {"embeddings": [embeddings.embedding(one) for one in asked]} | embeddings.usage(request["model"], asked)


@_method(_interaction_service, "POST /$v/interactions", _INTERACTION, body="*")
def create_interaction(call: Call, request: Json) -> Json | Stream:
    """CreateInteraction with a model: answered at once, as one message or as events. Nothing is kept of it."""
    if not request.get("input"):
        raise invalid("The input of the interaction is missing.", "input")
    if "model" not in request:  # agents are not emulated
        raise invalid("The model of the interaction is missing.", "model")
    _require(call, f"models/{request['model'].removeprefix('models/')}", "generateContent")
    whole = interactions.interaction(request, call.now)
    return Stream(interactions.events(whole), event="event_type") if request.get("stream") else whole


@_method(
    _token_service,
    "POST /$v/auth_tokens",
    {
        "name": "string",
        "uses": "int32",
        "expireTime": "timestamp",
        "newSessionExpireTime": "timestamp",
        "bidiGenerateContentSetup": "any",
        "fieldMask": "mask",
    },
    body="*",
)
def create_token(call: Call, request: Json) -> Json:
    """CreateToken: an ephemeral token for the Live API, which the sandbox does not have; so none is remembered.

    Only the name comes back: the other fields are input only (package).
    """
    if request.get("uses", 0) < 0:
        raise invalid("uses must not be negative.", "uses")
    for field in ("expireTime", "newSessionExpireTime"):
        if field in request and not call.now < parse_rfc3339(request[field]) < call.now + TWENTY_HOURS:
            raise invalid(f"{field} must be in the future, and less than 20 hours from now.", field)
    return {"name": f"auth_tokens/{secrets.token_hex(32)}"}
