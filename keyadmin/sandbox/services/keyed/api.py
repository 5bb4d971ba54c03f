"""Calls with a key to APIs of which the sandbox knows little: admitted, refused and counted as Google's, answered with nothing.

Each API of `methods.py` has its own paths. Any other one, and these too, can be called by its host name:
`/_hosts/vision.googleapis.com/v1/images:annotate?key=...`.
"""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

from keyadmin.data import services
from keyadmin.sandbox.api import Api, Call, Json, Method, Raw, Rule
from keyadmin.sandbox.messages.status import Code, RpcError, not_found
from keyadmin.sandbox.services.apikeys import access
from keyadmin.sandbox.services.keyed import methods
from keyadmin.sandbox.services.keyed.methods import KeyedApi, KeyedMethod

# Hosts that are not named as the service behind them (documentation of the APIs).
_SERVED_BY = {
    "maps.googleapis.com": "maps-backend.googleapis.com",
    "translation.googleapis.com": "translate.googleapis.com",
}


def _rule(known: KeyedApi, method: KeyedMethod) -> Rule:
    def rule(call: Call, request: Json) -> Any:
        try:
            access.admit(call)
        except RpcError as error:
            if known.maps:
                return _denied(error)
            raise
        access.count(call, 200)
        return _answer(method.answer)

    rule.__name__ = method.name
    return rule


def _answer(answer: Any) -> Any:
    """JSON, a text, or `base64:TYPE:DATA`."""
    if not isinstance(answer, str):
        return answer
    if answer.startswith("base64:"):
        _, kind, data = answer.split(":", 2)
        return Raw(base64.b64decode(data), kind)
    return Raw(answer.encode(), "text/javascript; charset=UTF-8")


def _denied(error: RpcError) -> Json:
    """How the older Maps services refuse (https://developers.google.com/maps/documentation/geocoding/requests-geocoding#StatusCodes,
    and texts pasted in public threads): HTTP 200, `REQUEST_DENIED`."""
    reason = next((str(detail.get("reason")) for detail in error.details if "reason" in detail), "")
    text = {
        "API_KEY_INVALID": "The provided API key is invalid. ",
        "SERVICE_DISABLED": "This API is not activated on your API project. You may need to enable this API in the Google "
        "Cloud Console: https://console.cloud.google.com/apis/library?filter=category:maps",
        "API_KEY_SERVICE_BLOCKED": "This API key is not authorized to use this service or API.",
        "API_KEY_HTTP_REFERRER_BLOCKED": "API keys with referer restrictions cannot be used with this API.",
        "API_KEY_IP_ADDRESS_BLOCKED": "This IP, site or mobile application is not authorized to use this API key.",
    }.get(reason, error.message)
    if reason == "" and error.code == Code.PERMISSION_DENIED:
        text = (
            "You must use an API key to authenticate each request to Google Maps Platform APIs. For additional information, "
            "please refer to http://g.co/dev/maps-no-account"
        )
    return {"error_message": text, "results": [], "status": "REQUEST_DENIED"}


def _api(known: KeyedApi) -> Api:
    api = Api(known.interface, known.service, known.title, credentials="key")
    for method in known.methods:
        api.method(*method.routes, request={"place": "string", "path": "string"}, response=None, writes=False, free=True)(
            _rule(known, method)
        )
    return api


APIS: tuple[Api, ...] = tuple(_api(known) for known in methods.APIS)
any_api = Api("keyadmin.sandbox.AnyApi", "", "", credentials="key")


@any_api.method(
    *(f"{verb} /_hosts/{{host}}/{{path=**}}" for verb in ("GET", "POST", "PUT", "PATCH", "DELETE")),
    request={"host": "string", "path": "string"},
    response=None,
    writes=False,
    free=True,
)
def call_any(call: Call, request: Json) -> Any:
    """A call to an API by its host: of the service of that name, with its path as the method's name. Answers `{}`."""
    host = str(request["host"])
    service = _SERVED_BY.get(host, host)
    if service not in services():
        raise not_found(f"There is no service {host[:120]} in the sandbox's catalogue.")
    title = services()[service][0]
    api = Api(service, service, title, credentials="key")
    path = str(request.get("path", ""))
    method = Method(api, path[:120], call.method.rule, (), "", call.method.request, None, writes=False, extra=None)
    inner = dataclasses.replace(call, method=method)
    access.admit(inner)
    access.count(inner, 200)
    return {}
