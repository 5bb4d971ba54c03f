"""Whatever stands in the parts of a request to the Gemini API that it does not describe to the letter, it is answered."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from keyadmin.sandbox.services.gemini import answers, interactions
from keyadmin.sandbox.services.gemini.samples import sample

NAMES = st.sampled_from(
    (
        *("type", "properties", "required", "items", "enum", "minItems", "minLength", "format", "anyOf", "$ref", "$defs"),
        *("const", "functionDeclarations", "function_declarations", "name", "parameters", "googleSearch", "codeExecution"),
        *("mode", "maxOutputTokens", "thinkingConfig", "thinkingBudget", "includeThoughts", "responseSchema", "object", "a"),
        *("responseModalities", "functionCallingConfig", "allowedFunctionNames"),
    )
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | NAMES
NOISE = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
MODELS = st.sampled_from(["gemini-2.0-flash", "gemini-2.5-flash", "gemini-3.6-flash", "gemini-2.5-flash-preview-tts"])


@settings(max_examples=300, deadline=None)
@given(model=MODELS, config=NOISE, tools=NOISE, choice=NOISE, pieces=st.sampled_from([1, 3]))
def test_generated_answers(model: str, config: Any, tools: Any, choice: Any, pieces: int) -> None:
    request = {"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": config, "tools": tools, "toolConfig": choice}
    found = answers.generated(f"models/{model}", request, pieces=pieces)
    json.dumps(found)
    assert [("finishReason" in one["candidates"][0]) for one in found] == [False] * (len(found) - 1) + [True]
    usage = found[-1]["usageMetadata"]
    counted = sum(usage.get(f"{name}TokenCount", 0) for name in ("prompt", "candidates", "thoughts", "toolUsePrompt"))
    assert usage["totalTokenCount"] == counted


@settings(max_examples=200, deadline=None)
@given(config=NOISE, tools=NOISE, form=NOISE, prompt=NOISE.filter(bool))
def test_interactions(config: Any, tools: Any, form: Any, prompt: Any) -> None:
    request = {
        "model": "gemini-3.6-flash",
        "input": prompt,
        "generation_config": config,
        "tools": tools,
        "response_format": form,
    }
    whole = interactions.interaction(request, 0)
    assert json.loads(json.dumps(interactions.events(whole)))[-1]["event_type"] == "interaction.completed"


KINDS = st.sampled_from(["string", "integer", "number", "boolean"])
SCHEMAS = st.recursive(
    st.fixed_dictionaries({"type": KINDS})
    | st.fixed_dictionaries({"enum": st.lists(st.text(max_size=4), min_size=1, max_size=3)}),
    lambda inner: (
        st.fixed_dictionaries({"type": st.just("array"), "items": inner, "minItems": st.integers(0, 5)})
        | st.dictionaries(st.text(min_size=1, max_size=4), inner, min_size=1, max_size=4).map(
            lambda properties: {"type": "object", "properties": properties, "required": sorted(properties)}
        )
        | st.lists(inner, min_size=1, max_size=3).map(lambda any_of: {"anyOf": any_of})
    ),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(SCHEMAS)
def test_samples_fit_their_schema(schema: dict[str, Any]) -> None:
    jsonschema.validate(sample(schema), schema)
