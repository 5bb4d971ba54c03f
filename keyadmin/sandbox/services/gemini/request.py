"""What a GenerateContentRequest asks for. Clients write its inner fields in camelCase or in snake_case: both are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keyadmin.sandbox.messages.shape import snake
from keyadmin.sandbox.services.gemini import models

Json = dict[str, Any]

_BYTES_PER_TOKEN = 4  # about what Google's documentation says of English text
_MOST_TOKENS = 10**9
_MEDIA_TOKENS = 258  # of an image or a piece of media (Gemini API documentation, tokens)
_MEDIA = ("inlineData", "inline_data", "fileData", "file_data")


def pick(data: Any, name: str, default: Any = None) -> Any:
    """A member by its camelCase name, in whichever spelling it was sent."""
    if not isinstance(data, dict):
        return default
    return data[name] if name in data else data.get(snake(name), default)


def listed(value: Any) -> list[Any]:
    """A list, whatever was sent: a lone value counts as a list of one (recorded of tools), none as an empty one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def tokens(content: Any) -> int:
    """How many tokens the text (and media) in a request count for: a quarter of its bytes, rounded up."""
    if isinstance(content, str):
        return -(-len(content.encode()) // _BYTES_PER_TOKEN)
    if isinstance(content, list):
        return sum(tokens(item) for item in content)
    if isinstance(content, dict):
        if any(name in content for name in _MEDIA):
            return _MEDIA_TOKENS + tokens(content.get("text", ""))
        return sum(tokens(content[name]) for name in ("text", "parts", "content") if name in content)
    return 0


def cut(text: str, most: int) -> str:
    """The beginning of a text that counts for so many tokens."""
    return text.encode()[: most * _BYTES_PER_TOKEN].decode(errors="ignore")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, read once."""

    model: str  # models/ID
    prompt: list[Any]  # system instruction and contents
    last: tuple[str, ...]  # the kinds of parts of the last turn: text, functionResponse, inlineData ...
    functions: tuple[Json, ...]  # declared, and allowed to be called
    must_call: bool
    tools: frozenset[str]  # codeExecution, googleSearch, urlContext ...
    schema: Json | None  # of the answer
    most: int | None  # tokens of the answer
    thinks: bool
    shows_thoughts: bool
    modality: str  # TEXT, AUDIO, IMAGE
    tier: str
    shows_tools: bool  # whether the calls of Google's own tools are shown


def read(model: str, request: Json) -> Asked:
    """What is asked for."""
    settings = request.get("generationConfig", {})
    thinking = pick(settings, "thinkingConfig", {})
    functions, must_call = _functions(request)
    last = _last_kinds(request)
    thinks = _thinks(model, thinking)
    again = functions and not must_call and {"functionResponse", "inlineData"} & set(last)
    if models.version(model) == "gemini-2.5-flash" and again:
        thinks = False  # recorded: it answers at once then
    return Asked(
        model=model,
        prompt=[request.get("systemInstruction", {}), request["contents"]],
        last=last,
        functions=functions,
        must_call=must_call,
        tools=frozenset(name for tool in _tools(request) for name in tool if name != "functionDeclarations"),
        schema=_schema(settings),
        most=_limit(settings),
        thinks=thinks,
        shows_thoughts=thinks and bool(pick(thinking, "includeThoughts")),
        modality=_modality(model, settings),
        tier=str(request.get("serviceTier", "") or "standard").lower().removeprefix("service_tier_"),
        shows_tools=bool(pick(request.get("toolConfig", {}), "includeServerSideToolInvocations")),
    )


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def _tools(request: Json) -> list[Json]:
    """The tools, names in camelCase; one that is sent without a list counts as a list of one (recorded)."""
    sent = listed(request.get("tools"))
    return [{_camel(name): value for name, value in tool.items()} for tool in sent if isinstance(tool, dict)]


def _functions(request: Json) -> tuple[tuple[Json, ...], bool]:
    declared = [one for tool in _tools(request) for one in listed(tool.get("functionDeclarations")) if isinstance(one, dict)]
    config = pick(request.get("toolConfig", {}), "functionCallingConfig", {})
    mode = str(pick(config, "mode", "AUTO")).upper()
    allowed = listed(pick(config, "allowedFunctionNames"))
    if mode == "NONE":
        return (), False
    return tuple(one for one in declared if not allowed or one.get("name") in allowed), mode == "ANY"


def _last_kinds(request: Json) -> tuple[str, ...]:
    contents = request["contents"]
    parts = contents[-1].get("parts", []) if contents else []
    return tuple(sorted({_camel(name) for part in parts if isinstance(part, dict) for name in part}))


def _thinks(model: str, thinking: Json) -> bool:
    budget = pick(thinking, "thinkingBudget")
    if budget == 0:
        return False
    if budget is not None or pick(thinking, "thinkingLevel") is not None:
        return models.may_think(model)
    return models.thinks(model)


def _schema(settings: Json) -> Json | None:
    for name in ("responseSchema", "responseJsonSchema", "_responseJsonSchema"):
        if isinstance(found := pick(settings, name), dict):
            return found
    return None


def _limit(settings: Json) -> int | None:
    most = pick(settings, "maxOutputTokens")
    return int(most) if isinstance(most, (int, float)) and 0 < most < _MOST_TOKENS else None


def _modality(model: str, settings: Json) -> str:
    wanted = [str(one).upper() for one in listed(pick(settings, "responseModalities"))]
    if "AUDIO" in wanted or "-tts" in model:
        return "AUDIO"
    pictures = "image" in model or "banana" in model
    return "IMAGE" if pictures and (not wanted or "IMAGE" in wanted) else "TEXT"
