"""The examples of `snippet`: text, made of a template a language and API, with the lines that find the key put in.

A real key never stands in one: it comes from the environment, or the person puts it in the place of `YOUR_API_KEY`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeVar, get_args

from keyadmin.model.problem import usage

Language = Literal["python", "javascript", "rest", "go", "java"]
Api = Literal["interactions", "generate-content"]
Word = TypeVar("Word", bound=str)
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
APIS: Final[tuple[Api, ...]] = get_args(Api)

PLACEHOLDER: Final = "YOUR_API_KEY"
MODEL: Final = "gemini-3-flash-preview"  # the model of the page's examples (Using Gemini API keys)

_TEMPLATES: Final = Path(__file__).parent / "templates"
_ENDPOINTS: Final[dict[Api, str]] = {
    "interactions": "https://generativelanguage.googleapis.com/v1beta/interactions",
    "generate-content": "https://generativelanguage.googleapis.com/v1beta/models/{model}:generateContent",
}
_FROM_ENV: Final = "The client takes the key from GOOGLE_API_KEY or GEMINI_API_KEY."
_HARD_CODED: Final = "A key in the code is for a first trial only: never commit it, never ship it to a browser or an app."

# (from the environment, explicit): the lines that make a client, or find the key where the standard library is used.
_CLIENTS: Final[dict[tuple[Language, Api], tuple[str, str]]] = {
    ("python", "interactions"): (
        f"# {_FROM_ENV}\nclient = genai.Client()",
        f'# {_HARD_CODED}\nclient = genai.Client(api_key="{PLACEHOLDER}")',
    ),
    ("javascript", "interactions"): (
        f"// {_FROM_ENV}\nconst ai = new GoogleGenAI({{}});",
        f'// {_HARD_CODED}\nconst ai = new GoogleGenAI({{ apiKey: "{PLACEHOLDER}" }});',
    ),
    ("rest", "interactions"): (
        "# The key goes in on standard input: a program's arguments are seen by everybody on the machine.\n"
        'printf \'x-goog-api-key: %s\\n\' "$GEMINI_API_KEY" |\n  curl "{endpoint}" \\\n  -H @- \\',
        f'# {_HARD_CODED}\ncurl "{{endpoint}}" \\\n  -H "x-goog-api-key: {PLACEHOLDER}" \\',
    ),
    ("go", "generate-content"): (
        f"\t// {_FROM_ENV}\n\tclient, err := genai.NewClient(ctx, nil)",
        f'\t// {_HARD_CODED}\n\tclient, err := genai.NewClient(ctx, &genai.ClientConfig{{APIKey: "{PLACEHOLDER}"}})',
    ),
    ("go", "interactions"): (
        '\tkey := os.Getenv("GEMINI_API_KEY")',
        f'\t// {_HARD_CODED}\n\tkey := "{PLACEHOLDER}"',
    ),
    ("java", "generate-content"): (
        f"    // {_FROM_ENV}\n    Client client = new Client();",
        f'    // {_HARD_CODED}\n    Client client = Client.builder().apiKey("{PLACEHOLDER}").build();',
    ),
    ("java", "interactions"): (
        '    String key = System.getenv("GEMINI_API_KEY");',
        f'    // {_HARD_CODED}\n    String key = "{PLACEHOLDER}";',
    ),
}


@dataclass(frozen=True, slots=True)
class Snippet:
    """An example, ready to be saved and run."""

    language: Language
    api: Api
    model: str
    explicit: bool
    code: str


def make(language: str, api: str, model: str, *, explicit: bool) -> Snippet:
    """The example of one language and API. Raises usage() for what there is no example of."""
    language_ = _one_of(language, LANGUAGES, "language")
    api_ = _one_of(api, APIS, "API")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", model):
        raise usage(f"{model!r} is not a name of a model", f"give one such as {MODEL}")
    clients = _CLIENTS.get((language_, api_)) or _CLIENTS[language_, "interactions"]
    code = (_TEMPLATES / f"{language_}-{api_}.txt").read_text("utf-8")
    parts = {
        "client": clients[explicit].replace("{endpoint}", _ENDPOINTS[api_]),
        "imports": "" if explicit else '\t"os"\n',
        "model": model,
    }
    for name, text in parts.items():
        code = code.replace(f"{{{name}}}", text)
    return Snippet(language_, api_, model, explicit, code)


# What people call the languages.
_CALLED: Final = {
    "py": "python",
    "js": "javascript",
    "node": "javascript",
    "nodejs": "javascript",
    "curl": "rest",
    "golang": "go",
}


def _one_of(word: str, words: tuple[Word, ...], what: str) -> Word:
    for known in words:
        if _CALLED.get(word.casefold(), word) == known:
            return known
    raise usage(f"there is no example for the {what} {word!r}", f"there is one for: {', '.join(words)}")
