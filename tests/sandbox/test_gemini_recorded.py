"""The Gemini API's answers have the shapes that recordings of 2026 show: which model answers what to which kind of request.

Recorded by crmne/ruby_llm (MIT), simonw/llm-gemini (Apache-2.0), pydantic/pydantic-ai (MIT) and vercel/ai (Apache-2.0); the
shapes are written down here, not the texts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.genai import errors, types

from .conftest import Running, start
from .gemini_help import SEED, ask, client, string_of

WEATHER = {
    "functionDeclarations": [
        {
            "name": "get_weather",
            "parameters": {
                "type": "OBJECT",
                "properties": {
                    "city": {"type": "STRING"},
                    "days": {"type": "INTEGER", "minimum": 2},
                    "unit": {"type": "STRING"},
                },
                "required": ["city", "days"],
            },
        }
    ]
}
TEXT = [{"role": "user", "parts": [{"text": "What is the weather in Bonn?"}]}]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    path: Path = tmp_path_factory.mktemp("gemini") / "seed.json"
    path.write_text(json.dumps(SEED))
    running = start(seed=str(path))
    yield running
    running.stop()


@pytest.fixture
def good(sandbox: Running) -> str:
    sandbox.control("reset", {})
    return string_of(sandbox, "good")


def generate(sandbox: Running, key: str, model: str, body: dict[str, Any], *, status: int = 200) -> Any:
    found, answer, _ = ask(sandbox, f"/v1beta/models/{model}:generateContent", {"x-goog-api-key": key}, body)
    assert found == status, answer
    return answer


def kinds(answer: Any) -> list[str]:
    return ["+".join(sorted(part)) for part in answer["candidates"][0]["content"].get("parts", [])]


def test_the_models_that_google_listed_in_august_2026(sandbox: Running, good: str) -> None:
    headers = {"x-goog-api-key": good}
    _, first, _ = ask(sandbox, "/v1beta/models", headers)
    assert len(first["models"]) == 50
    names = [model["name"] for model in first["models"]]
    for wanted in (
        "gemini-flash-latest",
        "gemini-flash-lite-latest",
        "gemini-pro-latest",
        "gemini-3.6-flash",
        "gemini-embedding-2",
    ):
        assert f"models/{wanted}" in names
    flash = first["models"][names.index("models/gemini-3.5-flash")]
    assert flash["version"] == "3.5-flash-05-2026"
    assert flash["supportedGenerationMethods"] == [
        "generateContent",
        "countTokens",
        "createCachedContent",
        "batchGenerateContent",
    ]
    assert (flash["maxTemperature"], flash["thinking"], flash["inputTokenLimit"]) == (2, True, 1048576)
    _, rest, _ = ask(sandbox, f"/v1beta/models?pageToken={first['nextPageToken']}", headers)
    assert "nextPageToken" not in rest
    assert not set(names) & {model["name"] for model in rest["models"]}
    _, whole, _ = ask(sandbox, "/v1beta/models?pageSize=1000", headers)
    assert [model["name"] for model in whole["models"]] == names + [model["name"] for model in rest["models"]]


@pytest.mark.parametrize(
    ("model", "version", "parts", "thinks"),
    [
        ("gemini-3.6-flash", "gemini-3.6-flash", ["text+thoughtSignature"], True),
        ("gemini-flash-latest", "gemini-3.6-flash", ["text+thoughtSignature"], True),
        ("gemini-3.1-flash-lite", "gemini-3.1-flash-lite", ["text+thoughtSignature"], False),
        ("gemini-2.5-pro", "gemini-2.5-pro", ["text"], True),
        ("gemini-2.5-flash-lite", "gemini-2.5-flash-lite", ["text"], False),
        ("gemini-2.0-flash", "gemini-2.0-flash", ["text"], False),
    ],
)
def test_a_text(sandbox: Running, good: str, model: str, version: str, parts: list[str], thinks: bool) -> None:
    answer = generate(sandbox, good, model, {"contents": TEXT})
    assert (answer["modelVersion"], kinds(answer)) == (version, parts)
    usage = answer["usageMetadata"]
    assert usage["serviceTier"] == "standard"
    assert ("thoughtsTokenCount" in usage) is thinks
    counted = usage["promptTokenCount"] + usage["candidatesTokenCount"] + usage.get("thoughtsTokenCount", 0)
    assert usage["totalTokenCount"] == counted


def test_a_function_is_called_with_arguments_that_fit(sandbox: Running, good: str) -> None:
    for model, parts in (("gemini-2.5-flash", "functionCall+thoughtSignature"), ("gemini-2.0-flash", "functionCall")):
        answer = generate(sandbox, good, model, {"contents": TEXT, "tools": [WEATHER]})
        assert kinds(answer) == [parts]
        call = answer["candidates"][0]["content"]["parts"][0]["functionCall"]
        assert call == {"name": "get_weather", "args": {"city": "sandbox", "days": 2}}
    answer = generate(sandbox, good, "gemini-3.6-flash", {"contents": TEXT, "tools": [WEATHER]})
    assert answer["candidates"][0]["finishMessage"] == "Model generated function call(s)."
    call = answer["candidates"][0]["content"]["parts"][0]["functionCall"]
    result = {"role": "user", "parts": [{"functionResponse": {"id": call["id"], "name": call["name"], "response": {"c": 9}}}]}
    turns = [*TEXT, answer["candidates"][0]["content"], result]
    answer = generate(sandbox, good, "gemini-3.6-flash", {"contents": turns, "tools": [WEATHER]})
    assert kinds(answer) == ["text+thoughtSignature"]
    never = {"functionCallingConfig": {"mode": "NONE"}}
    assert kinds(generate(sandbox, good, "gemini-2.5-pro", {"contents": TEXT, "tools": [WEATHER], "toolConfig": never})) == [
        "text"
    ]


def test_google_genai_runs_a_function_by_itself(sandbox: Running, good: str) -> None:
    asked: list[str] = []

    def get_weather(city: str) -> str:
        """The weather."""
        asked.append(city)
        return "fair"

    config = types.GenerateContentConfig(tools=[get_weather])
    answer = client(sandbox, good).models.generate_content(model="gemini-3.6-flash", contents="Weather?", config=config)
    assert asked == ["sandbox"]
    assert answer.text


def test_structured_answers_fit_their_schema(sandbox: Running, good: str) -> None:
    import jsonschema

    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "kind": {"enum": ["cat", "dog"]},
            "born": {"type": "string", "format": "date"},
            "owners": {"type": "array", "items": {"$ref": "#/$defs/owner"}, "minItems": 2},
            "age": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        },
        "required": ["name", "kind", "born", "owners", "age"],
        "$defs": {"owner": {"type": "object", "properties": {"mail": {"type": "string"}}, "required": ["mail"]}},
    }
    for name in ("responseJsonSchema", "response_schema"):
        body = {"contents": TEXT, "generationConfig": {"responseMimeType": "application/json", name: schema}}
        text = generate(sandbox, good, "gemini-3.5-flash", body)["candidates"][0]["content"]["parts"][0]["text"]
        jsonschema.validate(json.loads(text), schema)


def test_an_answer_ends_at_max_output_tokens(sandbox: Running, good: str) -> None:
    cut = generate(
        sandbox,
        good,
        "gemini-2.5-flash",
        {"contents": TEXT, "generationConfig": {"maxOutputTokens": 5, "thinkingConfig": {"thinking_budget": 0}}},
    )
    assert (cut["candidates"][0]["finishReason"], kinds(cut)) == ("MAX_TOKENS", ["text"])
    assert cut["usageMetadata"]["candidatesTokenCount"] == 5
    assert "thoughtsTokenCount" not in cut["usageMetadata"]
    # thinking uses the tokens up: there is no part, and no count of them
    none = generate(sandbox, good, "gemini-2.5-pro", {"contents": TEXT, "generationConfig": {"maxOutputTokens": 5}})
    assert none["candidates"][0] == {"content": {"role": "model"}, "finishReason": "MAX_TOKENS", "index": 0}
    assert "candidatesTokenCount" not in none["usageMetadata"]
    assert none["usageMetadata"]["thoughtsTokenCount"] < 5


def test_a_stream_brings_thoughts_first_and_the_signature_last(sandbox: Running, good: str) -> None:
    body = {"contents": TEXT, "generationConfig": {"thinkingConfig": {"includeThoughts": True}}}
    path = "/v1beta/models/gemini-flash-latest:streamGenerateContent"
    _, pieces, _ = ask(sandbox, path, {"x-goog-api-key": good}, body)
    first, last = pieces[0], pieces[-1]
    assert first["candidates"][0]["content"]["parts"][0]["thought"] is True
    assert set(first["usageMetadata"]) == {"promptTokenCount", "totalTokenCount", "promptTokensDetails", "serviceTier"}
    assert kinds(last) == ["text+thoughtSignature"]
    assert last["candidates"][0]["content"]["parts"][0]["text"] == ""
    assert last["candidates"][0]["finishReason"] == "STOP"
    assert not any("finishReason" in piece["candidates"][0] for piece in pieces[:-1])
    _, raw, sent = ask(sandbox, f"{path}?alt=sse", {"x-goog-api-key": good}, body)
    assert sent["Content-Type"] == "text/event-stream"
    assert raw.count("\r\n\r\n") == len(pieces)


def test_google_s_own_tools(sandbox: Running, good: str) -> None:
    searched = generate(sandbox, good, "gemini-2.5-flash", {"contents": TEXT, "tools": [{"google_search": {}}]})
    assert "webSearchQueries" in searched["candidates"][0]["groundingMetadata"]
    assert searched["usageMetadata"]["toolUsePromptTokenCount"]
    ran = generate(sandbox, good, "gemini-3.5-flash", {"contents": TEXT, "tools": [{"codeExecution": {}}]})
    assert kinds(ran) == ["executableCode+thoughtSignature", "codeExecutionResult", "text+thoughtSignature"]
    spoken = generate(sandbox, good, "gemini-2.5-flash-preview-tts", {"contents": TEXT})
    assert spoken["candidates"][0]["content"]["parts"][0]["inlineData"]["mimeType"] == "audio/L16;codec=pcm;rate=24000"


def test_embeddings(sandbox: Running, good: str) -> None:
    genai = client(sandbox, good)
    one = genai.models.embed_content(model="gemini-embedding-001", contents=["Ruby"])
    two = genai.models.embed_content(
        model="gemini-embedding-001", contents=["Ruby", "Go"], config=types.EmbedContentConfig(output_dimensionality=768)
    )
    assert [len(each.values or []) for each in (*(one.embeddings or []), *(two.embeddings or []))] == [3072, 768, 768]
    values = (two.embeddings or [])[0].values or []
    assert sum(value * value for value in values) == pytest.approx(1, abs=1e-3)


def test_a_model_that_is_not_there(sandbox: Running, good: str) -> None:
    answer = generate(sandbox, good, "gemini-3.6-flahs", {"contents": TEXT}, status=404)
    assert answer == {
        "error": {
            "code": 404,
            "message": "models/gemini-3.6-flahs is not found for API version v1beta, or is not supported for generateContent. "
            "Call ModelService.ListModels to see the list of available models and their supported methods.",
            "status": "NOT_FOUND",
        }
    }


def test_over_a_quota_of_a_model(sandbox: Running, good: str) -> None:
    sandbox.control("quota", {"method": "GenerateContent", "per_minute": 1})
    generate(sandbox, good, "gemini-2.5-flash", {"contents": TEXT})
    error = generate(sandbox, good, "gemini-2.5-flash", {"contents": TEXT}, status=429)["error"]
    assert error["message"].startswith("You exceeded your current quota, please check your plan and billing details.")
    assert ", limit: 1, model: gemini-2.5-flash\nPlease retry in " in error["message"]
    assert [detail["@type"].rpartition(".")[2] for detail in error["details"]] == ["Help", "QuotaFailure", "RetryInfo"]
    violation = error["details"][1]["violations"][0]
    assert violation["quotaId"] == "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
    assert violation["quotaDimensions"] == {"model": "gemini-2.5-flash", "location": "global"}
    assert violation["quotaValue"] == "1"
    with pytest.raises(errors.ClientError) as caught:
        client(sandbox, good, "v1beta").models.generate_content(model="gemini-2.5-flash", contents="hi")
    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")


def test_interactions_refuse_in_their_own_form(sandbox: Running, good: str) -> None:
    headers = {"x-goog-api-key": good}
    for body, status, code in (
        ({"input": "x", "model": "gemini-0"}, 404, "model_not_found"),
        ({"input": "x"}, 400, "invalid_request"),
        ({"input": "x", "model": "gemini-3.6-flash", "nonsense": 1}, 400, "parameter_unknown"),
    ):
        found, answer, _ = ask(sandbox, "/v1beta/interactions", headers, body)
        assert (found, answer["error"]["code"], list(answer["error"])) == (status, code, ["message", "code"])
    sandbox.control("quota", {"method": "CreateInteraction", "per_minute": 0})
    found, answer, _ = ask(sandbox, "/v1beta/interactions", headers, {"input": "x", "model": "gemini-3.6-flash"})
    assert (found, answer["error"]["code"]) == (429, "rate_limit_exceeded")


def test_an_interaction_that_calls_a_function(sandbox: Running, good: str) -> None:
    tool = {"type": "function", "name": "get_weather", "parameters": WEATHER["functionDeclarations"][0]["parameters"]}
    body = {"model": "gemini-2.5-flash", "input": "Weather?", "tools": [tool]}
    _, answer, _ = ask(sandbox, "/v1beta/interactions", {"x-goog-api-key": good}, body)
    assert answer["status"] == "requires_action"
    assert [step["type"] for step in answer["steps"]] == ["thought", "function_call"]
    assert answer["service_tier"] == "standard"
    assert answer["usage"]["total_thought_tokens"] > 0
    result = [{"type": "function_result", "call_id": answer["steps"][1]["id"], "name": "get_weather", "result": {"c": 9}}]
    body |= {"input": result, "previous_interaction_id": answer["id"]}
    _, answer, _ = ask(sandbox, "/v1beta/interactions", {"x-goog-api-key": good}, body)
    assert (answer["status"], answer["steps"][-1]["type"]) == ("completed", "model_output")
