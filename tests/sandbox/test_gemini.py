"""The Gemini API's answers, through google-genai as its users call it, and over plain HTTP where it does not go."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.genai import errors, types

from .conftest import Running, start
from .gemini_help import SEED, ask, client, string_of

VERSIONS = [None, "v1", "v1beta"]  # None = what the client uses by itself
FLASH = "gemini-2.5-flash"
PROMPT = "Explain how AI works in a few words"
SAFE = types.SafetySetting(category=types.HarmCategory.HARM_CATEGORY_HARASSMENT, threshold=types.HarmBlockThreshold.BLOCK_NONE)


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


@pytest.mark.parametrize("version", VERSIONS)
def test_models_are_listed_and_described(sandbox: Running, good: str, version: str | None) -> None:
    genai = client(sandbox, good, version)
    found = list(genai.models.list(config={"page_size": 2}))  # the pages are followed
    assert f"models/{FLASH}" in [model.name for model in found]
    assert len(found) > 2
    one = genai.models.get(model=FLASH)
    assert one.display_name == "Gemini 2.5 Flash"
    assert "generateContent" in (one.supported_actions or [])


@pytest.mark.parametrize("version", VERSIONS)
def test_content_is_generated(sandbox: Running, good: str, version: str | None) -> None:
    genai = client(sandbox, good, version)
    first = genai.models.generate_content(model=FLASH, contents=PROMPT)
    again = genai.models.generate_content(model=FLASH, contents=PROMPT)
    assert first.text is not None
    assert "sandbox" in first.text
    assert (first.text, first.response_id) == (again.text, again.response_id)
    assert first.candidates is not None
    assert first.candidates[0].finish_reason == types.FinishReason.STOP
    assert first.model_version == FLASH
    usage = first.usage_metadata
    assert usage is not None
    assert usage.prompt_token_count == -(-len(PROMPT) // 4)
    assert usage.thoughts_token_count
    told = (usage.candidates_token_count or 0) + usage.thoughts_token_count
    assert usage.total_token_count == usage.prompt_token_count + told


def test_a_full_configuration_is_taken(sandbox: Running, good: str) -> None:
    config = types.GenerateContentConfig(
        system_instruction="Be brief.",
        temperature=0.5,
        max_output_tokens=100,
        response_mime_type="text/plain",
        safety_settings=[SAFE],
        thinking_config=types.ThinkingConfig(thinking_budget=0),
    )
    answer = client(sandbox, good).models.generate_content(model=FLASH, contents=[PROMPT], config=config)
    assert answer.text


def test_content_is_streamed(sandbox: Running, good: str) -> None:
    genai = client(sandbox, good)
    pieces = list(genai.models.generate_content_stream(model=FLASH, contents=PROMPT))
    whole = genai.models.generate_content(model=FLASH, contents=PROMPT)
    assert len(pieces) == 3
    assert "".join(piece.text or "" for piece in pieces) == whole.text
    ended = [bool(piece.candidates and piece.candidates[0].finish_reason) for piece in pieces]
    assert ended == [False, False, True]
    assert pieces[-1].usage_metadata.total_token_count == whole.usage_metadata.total_token_count  # type: ignore[union-attr]


def test_without_sse_a_stream_is_an_array(sandbox: Running, good: str) -> None:
    path = f"/v1beta/models/{FLASH}:streamGenerateContent"
    body = {"contents": [{"parts": [{"text": PROMPT}]}]}
    status, pieces, _ = ask(sandbox, path, {"x-goog-api-key": good}, body)
    assert status == 200
    assert len(pieces) == 3
    status, refused, _ = ask(sandbox, path, {"x-goog-api-key": f"{good}x"}, body)
    assert status == 400
    assert refused[0]["error"]["details"][0]["reason"] == "API_KEY_INVALID"
    status, refused, _ = ask(sandbox, f"{path}?alt=sse", {"x-goog-api-key": f"{good}x"}, body)
    assert refused["error"]["code"] == 400


async def test_the_asyncio_client(sandbox: Running, good: str) -> None:
    genai = client(sandbox, good).aio
    answer = await genai.models.generate_content(model=FLASH, contents=PROMPT)
    assert answer.text
    assert "sandbox" in answer.text
    stream = await genai.models.generate_content_stream(model=FLASH, contents=PROMPT)
    assert len([piece async for piece in stream]) == 3
    await genai.aclose()


def test_tokens_are_counted(sandbox: Running, good: str) -> None:
    genai = client(sandbox, good)
    assert genai.models.count_tokens(model=FLASH, contents="12345678").total_tokens == 2
    assert genai.models.count_tokens(model=FLASH, contents="123456789").total_tokens == 3


def test_a_chat_goes_on(sandbox: Running, good: str) -> None:
    chat = client(sandbox, good).chats.create(model=FLASH)
    first, second = chat.send_message("Hello"), chat.send_message("And then?")
    assert first.text != second.text  # the second prompt holds the first turn


@pytest.mark.parametrize("version", VERSIONS)
def test_interactions(sandbox: Running, good: str, version: str | None) -> None:
    """As on Google's page on API keys, Python part."""
    interaction: Any = client(sandbox, good, version).interactions.create(model="gemini-3-flash-preview", input=PROMPT)
    assert interaction.status == "completed"
    assert interaction.id.startswith("v1_")
    assert "sandbox" in interaction.steps[-1].content[0].text
    assert interaction.output_text == interaction.steps[-1].content[0].text
    assert interaction.usage.total_tokens > 0


def test_the_page_s_curl_command(sandbox: Running, good: str) -> None:
    headers = {"x-goog-api-key": good, "Api-Revision": "2026-05-20"}
    status, body, _ = ask(sandbox, "/v1beta/interactions", headers, {"model": "gemini-3-flash-preview", "input": PROMPT})
    assert status == 200
    assert body["object"] == "interaction"
    assert "sandbox" in body["steps"][-1]["content"][0]["text"]


def test_interactions_are_streamed(sandbox: Running, good: str) -> None:
    genai = client(sandbox, good)
    events = list(genai.interactions.create(model=FLASH, input=PROMPT, stream=True))
    kinds = [event.event_type for event in events]
    assert kinds[0] == "interaction.created"
    assert kinds[-1] == "interaction.completed"
    deltas = [event.delta for event in events if event.event_type == "step.delta"]
    text = "".join(delta.text for delta in deltas if delta.type == "text")
    whole: Any = genai.interactions.create(model=FLASH, input=PROMPT)
    assert text == whole.output_text
    headers = {"x-goog-api-key": good}
    _, raw, sent = ask(sandbox, "/v1beta/interactions", headers, {"model": FLASH, "input": PROMPT, "stream": True})
    assert sent["Content-Type"] == "text/event-stream"
    assert raw.startswith("event: interaction.created\ndata: {")
    assert raw.endswith("event: done\ndata: [DONE]\n\n")


async def test_interactions_with_asyncio(sandbox: Running, good: str) -> None:
    genai = client(sandbox, good).aio
    interaction: Any = await genai.interactions.create(model=FLASH, input=PROMPT, previous_interaction_id="v1_before")
    assert interaction.previous_interaction_id == "v1_before"
    stream: Any = await genai.interactions.create(model=FLASH, input=PROMPT, stream=True)
    events = [event async for event in stream]
    assert events[-1].event_type == "interaction.completed"
    await genai.aclose()


@pytest.mark.filterwarnings("ignore")
def test_ephemeral_tokens(sandbox: Running, good: str) -> None:
    genai = client(sandbox, good, "v1alpha")
    now = datetime.now(UTC)
    plain = genai.auth_tokens.create()
    told = genai.auth_tokens.create(
        config={"uses": 2, "expire_time": now + timedelta(hours=1), "new_session_expire_time": now + timedelta(minutes=2)}
    )
    bound = genai.auth_tokens.create(
        config=types.CreateAuthTokenConfig(
            uses=1,
            live_connect_constraints=types.LiveConnectConstraints(
                model="gemini-live-2.5-flash-preview", config=types.LiveConnectConfig(temperature=0.5)
            ),
            lock_additional_fields=["top_k"],
        )
    )
    names = {token.name for token in (plain, told, bound)}
    assert len(names) == 3
    assert all(name is not None and name.startswith("auth_tokens/") for name in names)
    for wrong in (now - timedelta(minutes=1), now + timedelta(hours=21)):
        with pytest.raises(errors.ClientError, match="expireTime must be in the future"):
            genai.auth_tokens.create(config={"expire_time": wrong})
    token = plain.name or ""
    assert ask(sandbox, "/v1beta/models", {"x-goog-api-key": token})[0] == 400  # good for the Live API alone


def test_tokens_exist_in_v1alpha_only(sandbox: Running, good: str) -> None:
    status, body, _ = ask(sandbox, "/v1beta/auth_tokens", {"x-goog-api-key": good}, {})
    assert (status, body["error"]["status"]) == (501, "UNIMPLEMENTED")


def test_what_is_asked_wrongly(sandbox: Running, good: str) -> None:
    genai = client(sandbox, good, "v1beta")
    with pytest.raises(errors.ClientError) as caught:
        genai.models.generate_content(model="gemini-0", contents=PROMPT)
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")
    assert "models/gemini-0 is not found for API version v1beta, or is not supported for generateContent" in str(caught.value)
    with pytest.raises(errors.ClientError, match="Model is not found: models/gemini-0"):
        genai.models.get(model="gemini-0")
    headers = {"x-goog-api-key": good}
    for path, body, words in (
        (f"models/{FLASH}:generateContent", {}, "contents is not specified"),
        (f"models/{FLASH}:countTokens", {}, "contents is not specified"),
        (f"models/{FLASH}:generateContent", {"contents": [], "nonsense": 1}, 'Unknown name "nonsense"'),
        ("models/gemini-3.1-flash-live-preview:generateContent", {"contents": [{}]}, "is not supported for generateContent"),
        ("interactions", {"input": "x"}, "model of the interaction is missing"),
        ("interactions", {"model": FLASH}, "input of the interaction is missing"),
        ("models?pageSize=-1", None, "must not be negative"),
        ("models?pageToken=nonsense", None, "page token is invalid"),
    ):
        status, answer, _ = ask(sandbox, f"/v1beta/{path}", headers, body)
        assert status in (400, 404)
        assert words in answer["error"]["message"]


def test_the_key_in_the_url(sandbox: Running, good: str) -> None:
    """keyadmin never does it; other programs do."""
    assert ask(sandbox, f"/v1beta/models?key={good}")[0] == 200
    assert ask(sandbox, "/v1beta/models?key=wrong")[0] == 400


def test_calls_are_logged_by_their_rpc_names(sandbox: Running, good: str) -> None:
    client(sandbox, good, "v1").models.generate_content(model=FLASH, contents=PROMPT)
    client(sandbox, good, "v1beta").models.get(model=FLASH)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client(sandbox, good, "v1alpha").auth_tokens.create()
    log = sandbox.control("requests")
    assert [entry["method"] for entry in log][-3:] == [
        "google.ai.generativelanguage.v1.GenerativeService.GenerateContent",
        "google.ai.generativelanguage.v1beta.ModelService.GetModel",
        "google.ai.generativelanguage.v1alpha.AuthTokenService.CreateToken",
    ]
    assert good not in json.dumps(log)


def test_only_accepted_work_counts_as_use(sandbox: Running, good: str) -> None:
    maps = string_of(sandbox, "maps")

    def change(key_id: str) -> int:
        """What a change that checks for use first gets: 400 after recent use, 200 else."""
        path = f"/v2/projects/keyed-project/locations/global/keys/{key_id}?checkExistingUsage=CHECK&updateMask=displayName"
        headers = {"Authorization": "Bearer owner@example.com", "x-http-method-override": "PATCH"}
        return ask(sandbox, path, headers, {"displayName": f"again {time.monotonic_ns()}"})[0]

    def generate(api_key: str) -> int:
        path = f"/v1beta/models/{FLASH}:generateContent"
        return ask(sandbox, path, {"x-goog-api-key": api_key}, {"contents": [{"parts": [{"text": "hi"}]}]})[0]

    assert generate(maps) == 403
    assert change("maps") == 200
    assert ask(sandbox, "/v1beta/models", {"x-goog-api-key": good})[0] == 200  # asking for the models is no use
    assert change("good") == 200
    assert generate(good) == 200
    assert change("good") == 400
    sandbox.control("clock", {"advance": "8d"})
    assert change("good") == 200
