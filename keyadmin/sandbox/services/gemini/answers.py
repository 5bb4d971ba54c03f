"""What the sandbox's Gemini API answers: fixed text that no model wrote, in the shapes of recorded answers.

The same request gets the same answer. Shapes: recordings of 2025 and 2026 (VCR cassettes of crmne/ruby_llm, simonw/llm-gemini
and pydantic/pydantic-ai): what a model of which generation answers to which kind of request.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from keyadmin.sandbox.services.gemini import models
from keyadmin.sandbox.services.gemini.request import Asked, cut, read, tokens
from keyadmin.sandbox.services.gemini.samples import sample

Json = dict[str, Any]

THOUGHTS = 24  # tokens that an answer is thought about
_TOOL_TOKENS = 73  # tokens that a tool's result counts for
_SILENCE = base64.b64encode(bytes(4800)).decode()  # a tenth of a second
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def answer_text(asked: Any) -> str:
    """The answer: plainly none of a model."""
    return f"This is the sandbox: no model was asked. Your prompt counts {tokens(asked)} tokens."


def fingerprint(value: Any, length: int) -> str:
    """Letters and digits that depend on the request alone, for ids."""
    digest = hashlib.sha512(json.dumps(value, sort_keys=True).encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().replace("-", "A").replace("_", "B")[:length]


def generated(model: str, request: Json, *, pieces: int = 1) -> list[Json]:
    """GenerateContentResponse, in one or more pieces; the last one ends the answer and has all its counts."""
    asked = read(model, request)
    mark = fingerprint([model, request], 60)
    parts, candidate = _content(asked, mark)
    told = "".join(part["text"] for part in parts if "text" in part and not part.get("thought"))
    counts = _Counts(asked, told or json.dumps(parts), candidate)
    if counts.legacy and pieces == 1:
        candidate["avgLogprobs"] = -0.1
    chunks = _chunks(parts, pieces)
    out: list[Json] = []
    said = ""
    for number, chunk in enumerate(chunks):
        said += "".join(part["text"] for part in chunk if "text" in part and not part.get("thought"))
        ends = number == len(chunks) - 1
        content: Json = {"parts": chunk, "role": "model"} if chunk else {"role": "model"}
        shown = {"content": content, **(candidate if ends else {})}
        if not counts.legacy:
            shown["index"] = 0
        usage = counts.whole() if ends else counts.so_far(said)
        out.append(
            {
                "candidates": [shown],
                "usageMetadata": usage,
                "modelVersion": models.version(model),
                "responseId": mark[:22],
            }
        )
    return out


def _content(asked: Asked, mark: str) -> tuple[list[Json], Json]:
    """The parts, and what the candidate says beside its content."""
    ends: Json = {"finishReason": "STOP"}
    thought: list[Json] = []
    if asked.shows_thoughts:
        thought = [{"text": "**Answering**\n\nThis is the sandbox: nothing was thought.\n", "thought": True}]
    if _calls(asked):
        if not models.generation(asked.model) < 2.5:
            ends["finishMessage"] = "Model generated function call(s)."
        return [*thought, *_tool_calls(asked, mark), _signed(asked, _function_call(asked, mark), mark)], ends
    if asked.modality == "AUDIO":
        return [{"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": _SILENCE}}], ends
    if asked.modality == "IMAGE":
        return [{"inlineData": {"mimeType": "image/png", "data": _PIXEL}}], ends
    text, whole = _limited(asked, _text(asked))
    if not whole:
        ends["finishReason"] = "MAX_TOKENS"
    before: list[Json] = []
    if "codeExecution" in asked.tools and whole:
        before = _code(asked, mark)
    part: Json = {"text": text}
    if whole and (models.generation(asked.model) >= 3 or (asked.functions and asked.thinks)):
        part = _signed(asked, part, mark)
    parts = [*thought, *_tool_calls(asked, mark), *before, *([part] if text else [])]
    return parts, ends | _grounding(asked, text)


_SHOWN_TOOLS = {"googleSearch": "GOOGLE_SEARCH_WEB", "fileSearch": "FILE_SEARCH", "urlContext": "URL_CONTEXT"}


def _tool_calls(asked: Asked, mark: str) -> list[Json]:
    """Calls of Google's own tools with their results, where they were asked to be shown."""
    if not asked.shows_tools or models.generation(asked.model) < 3:
        return []
    out: list[Json] = []
    for name, kind in _SHOWN_TOOLS.items():
        if name in asked.tools:
            call: Json = {"toolType": kind, "id": mark[:8].lower()}
            out.append(_signed(asked, {"toolCall": call}, mark))
            out.append(_signed(asked, {"toolResponse": dict(call)}, mark))
    return out


def _calls(asked: Asked) -> bool:
    """A function is called where a turn of text asks for something, or where one must be called (recorded)."""
    return bool(asked.functions) and (asked.must_call or asked.last == ("text",))


def _function_call(asked: Asked, mark: str) -> Json:
    """The function that the prompt names, else the first, with arguments that fit its parameters."""
    text = json.dumps(asked.prompt[-1][-1:], ensure_ascii=False)
    named = (one for one in asked.functions if str(one.get("name")) in text)
    chosen = next(named, asked.functions[0])
    schema: Json = next((chosen[name] for name in _PARAMETERS if name in chosen), {})
    call: Json = {"name": chosen.get("name", ""), "args": sample(schema) or {}}
    if models.generation(asked.model) >= 3:
        call["id"] = mark[-8:]
    return {"functionCall": call}


_PARAMETERS = ("parameters", "parametersJsonSchema", "parameters_json_schema")


def _signed(asked: Asked, part: Json, mark: str) -> Json:
    """With a signature of the thoughts, as models from 2.5 on give it."""
    if models.generation(asked.model) < 2.5 or (models.generation(asked.model) < 3 and not asked.thinks):
        return part
    return part | {"thoughtSignature": base64.b64encode(f"sandbox {mark}".encode()).decode()}


def _text(asked: Asked) -> str:
    if asked.schema is not None:
        return json.dumps(sample(asked.schema), ensure_ascii=False)
    return answer_text(asked.prompt)


def _limited(asked: Asked, text: str) -> tuple[str, bool]:
    """The text as far as maxOutputTokens reaches, thoughts counted first; whether that is all of it."""
    if asked.most is None:
        return text, True
    left = asked.most - (THOUGHTS if asked.thinks else 0)
    return (text, True) if tokens(text) <= left else (cut(text, max(left, 0)), False)


def _code(asked: Asked, mark: str) -> list[Json]:
    """Code that was run, as the tool codeExecution shows it."""
    call: Json = {"language": "PYTHON", "code": "print('sandbox')\n"}
    result: Json = {"outcome": "OUTCOME_OK", "output": "sandbox\n"}
    if models.generation(asked.model) >= 3:
        number = f"call_{int(hashlib.sha256(mark.encode()).hexdigest(), 16) % 100_000:05}"
        call, result = call | {"id": number}, result | {"id": number}
    return [_signed(asked, {"executableCode": call}, mark), {"codeExecutionResult": result}]


def _grounding(asked: Asked, text: str) -> Json:
    """Where the answer would be from: of the tools googleSearch, fileSearch and urlContext."""
    if "urlContext" in asked.tools:
        found = {"retrievedUrl": "https://example.com/", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS"}
        return {"urlContextMetadata": {"urlMetadata": [found]}}
    if not asked.tools & {"googleSearch", "fileSearch"}:
        return {}
    support = {"segment": {"endIndex": len(text.encode()), "text": text}, "groundingChunkIndices": [0]}
    if "fileSearch" in asked.tools:
        return {
            "groundingMetadata": {"groundingChunks": [{"retrievedContext": {"text": text}}], "groundingSupports": [support]}
        }
    return {
        "groundingMetadata": {
            "searchEntryPoint": {"renderedContent": "<div>sandbox</div>"},
            "groundingChunks": [{"web": {"uri": "https://example.com/", "title": "example.com"}}],
            "groundingSupports": [support],
            "webSearchQueries": ["sandbox"],
        }
    }


def _chunks(parts: list[Json], pieces: int) -> list[list[Json]]:
    """The parts as a stream brings them: thoughts first, texts in pieces, and a signature with an empty text at the end."""
    if pieces == 1:
        return [parts]
    out: list[list[Json]] = []
    for part in parts:
        if "text" not in part or part.get("thought"):
            out.append([part])
            continue
        text = part["text"]
        signature = {name: value for name, value in part.items() if name != "text"}
        count = pieces - 1 if signature else pieces
        size = max(1, -(-len(text) // count))
        out += [[{"text": text[start : start + size]}] for start in range(0, len(text), size)]
        if signature:
            out.append([{"text": "", **signature}])
    return out or [[]]


class _Counts:
    """`usageMetadata`, whole and on the way."""

    def __init__(self, asked: Asked, told: str, candidate: Json) -> None:
        self.legacy = models.generation(asked.model) < 2.5
        self._asked = asked
        self._prompt = tokens(asked.prompt)
        self._thoughts = THOUGHTS if asked.thinks else 0
        self._answer = tokens(told)
        cut_off = candidate["finishReason"] == "MAX_TOKENS"
        if cut_off and asked.most is not None:
            self._thoughts = min(self._thoughts, max(asked.most - 1, 0))
            self._answer = max(asked.most - self._thoughts, 0) if told != "[]" else 0
        if cut_off and self.legacy:
            self._answer = min(self._answer, asked.most or 0)
        self._tool = _TOOL_TOKENS if asked.tools & {"codeExecution", "googleSearch", "urlContext", "fileSearch"} else 0
        if models.generation(asked.model) >= 3 and "googleSearch" in asked.tools:
            self._tool = 0  # recorded: not counted there

    def whole(self) -> Json:
        """Of the whole answer."""
        return self._shown(self._answer, self._thoughts)

    def so_far(self, said: str) -> Json:
        """Of a stream's piece that is not the last; before anything is said, the prompt alone counts."""
        return self._shown(tokens(said), self._thoughts if said else 0)

    def _shown(self, answer: int, thoughts: int) -> Json:
        out: Json = {"promptTokenCount": self._prompt}
        if answer:
            out["candidatesTokenCount"] = answer
        out["totalTokenCount"] = self._prompt + answer + thoughts + self._tool
        out["promptTokensDetails"] = _details("TEXT", self._prompt)
        if answer and (self.legacy or self._asked.modality != "TEXT"):
            out["candidatesTokensDetails"] = _details(self._asked.modality, answer)
        if self._tool:
            out |= {"toolUsePromptTokenCount": self._tool, "toolUsePromptTokensDetails": _details("TEXT", self._tool)}
        if thoughts:
            out["thoughtsTokenCount"] = thoughts
        return out | {"serviceTier": self._asked.tier}


def _details(modality: str, count: int) -> list[Json]:
    return [{"modality": modality, "tokenCount": count}]
