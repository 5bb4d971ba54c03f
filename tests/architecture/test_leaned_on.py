"""What keyadmin leans on in packages of others is in model/leaned_on.py alone, and still is as it was in each package."""

from __future__ import annotations

import ast
import importlib
import inspect
import io
import pkgutil
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import pytest
import typer

import keyadmin
from keyadmin.cli.errors import in_plain_words
from keyadmin.model import leaned_on
from tests.architecture.imports import modules, own, trees
from tests.architecture.private import bound, private, used

HOME = "keyadmin.model.leaned_on"
REPEATS = "_retry_connection"
TESTS = Path(__file__).parents[1]
# What the tests themselves use of others: checked below, as what keyadmin uses.
OF_TESTS = {
    "_request": ("aiohttp", "aiohttp", "ClientSession._request"),
    "_metadata": ("google-auth", "google.auth.compute_engine._metadata", "_GCE_METADATA_HOST"),
    "_GCE_METADATA_HOST": ("google-auth", "google.auth.compute_engine._metadata", "_GCE_METADATA_HOST"),
}


def changed(package: str, what: str) -> str:
    return f"{package} {version(package)} has changed: {what}. Put keyadmin/model/leaned_on.py right."


# ---- nothing of others that is private is used anywhere else --------------------------------------------------------------


@cache
def defined(module: str) -> frozenset[str]:
    """The private names that a module defines."""
    return frozenset(name for name in bound(trees()[module]) if private(name))


@pytest.mark.parametrize("module", sorted(modules()))
def test_no_module_uses_what_is_private_to_others(module: str) -> None:
    ours = {name for each in (module, *own(module)) for name in defined(each)}
    found = [f"line {line}: {name}" for line, name in used(trees()[module]) if name not in ours]
    assert not found or module == HOME, found


def test_the_tests_use_nothing_private_but_what_is_listed() -> None:
    parsed = {path: ast.parse(path.read_text("utf-8")) for path in sorted(TESTS.rglob("*.py"))}
    known = {name for module in modules() for name in defined(module)}
    known |= {name for tree in parsed.values() for name in bound(tree)} | set(OF_TESTS)
    found = [f"{path.relative_to(TESTS)}:{line}: {name}" for path, tree in parsed.items() for line, name in used(tree)]
    assert [each for each in found if each.rpartition(" ")[2] not in known] == []


def test_no_class_redefines_what_is_private_to_a_class_of_others() -> None:
    found = []
    for each in pkgutil.walk_packages(keyadmin.__path__, "keyadmin."):
        if each.name.endswith(("__main__", "windows")):
            continue
        for made in vars(importlib.import_module(each.name)).values():
            if inspect.isclass(made) and made.__module__ == each.name:
                found += [f"{each.name}.{made.__name__}.{name}" for name in redefined(made)]
    assert found == []


def redefined(made: type) -> set[str]:
    """The private names of a class of ours that a class of others above it has too."""
    known = {"_abc_impl", "_is_protocol", "_is_runtime_protocol"}  # Python's own, in every abstract class
    above = (base for base in made.__mro__[1:] if base.__module__.partition(".")[0] != "keyadmin")
    theirs = {name for base in above if base.__module__ not in ("builtins", "enum") for name in vars(base) if private(name)}
    return (theirs & set(vars(made))) - known


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import typer._types", ["_types"]),
        ("from typer import _click as x", ["_click"]),
        ("def f(s):\n    from a._b import c", ["_b"]),
        ("session._retry = 1", ["_retry"]),
        ("getattr(x, '_y', None)", ["_y"]),
        ("vars(m)['_z'] = 1; f.__globals__['_w']", ["_z", "_w"]),
        ("os._exit(0); x.__class__; self.y; rows['_z']; getattr(x, 'y')", []),
    ],
)
def test_private_names_are_seen(code: str, names: list[str]) -> None:
    assert [name for _, name in used(ast.parse(code))] == names


def test_what_is_defined_here_is_known() -> None:
    assert set(bound(ast.parse("class _A:\n    _x: int\n    def _f(self): self._y = 1\n"))) == {"_A", "_x", "_f", "_y"}
    assert "_theirs" not in set(bound(ast.parse("session._theirs = 1")))


# ---- names ---------------------------------------------------------------------------------------------------------------


def parameters() -> list[Any]:
    app = typer.Typer(add_completion=False)

    @app.command()
    def run(number: Annotated[int, typer.Option(min=2, max=9)] = 3, word: str = "") -> None:
        """A command."""

    return typer.main.get_command(app).params


def test_typer_makes_what_turns_texts_into_values_late() -> None:
    for parameter in parameters():
        assert leaned_on.coercion_is_open(parameter), changed("typer", "_runtime_param of a parameter is not None at first")
        assert parameter.get_runtime_param() is not None
        assert not leaned_on.coercion_is_open(parameter), changed("typer", "_runtime_param does not hold what was made")
        leaned_on.set_coercion(parameter, "ours")
        assert parameter.get_runtime_param() == "ours", changed("typer", "_runtime_param is not what is used")


@pytest.mark.parametrize(("words", "there"), [(["a", "word"], True), ([], False)])
def test_typer_keeps_the_subcommand_until_the_group_is_invoked(words: list[str], there: bool) -> None:
    app = typer.Typer(add_completion=False, invoke_without_command=True)
    app.command("a")(lambda word: None)
    app.command("b")(lambda: None)
    context = typer.main.get_command(app).make_context("x", list(words))
    assert leaned_on.subcommand_typed(context) is there, changed("typer", "_protected_args of a context")


def test_typer_completes_without_rich() -> None:
    code = (
        "import sys; from typer.completion import completion_init; from keyadmin.model.leaned_on import keep_rich_out\n"
        "assert callable(completion_init.__globals__['_sanitize_help_text']), 'no _sanitize_help_text'\n"
        "keep_rich_out(completion_init); completion_init()\n"
        "assert completion_init.__globals__['_sanitize_help_text'] is str and 'rich' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, changed("typer", f"_sanitize_help_text of its completions: {done.stderr}")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("typer.core", "CompletionItem"),
        ("typer.completion", "completion_init"),
        ("typer.completion", "get_completion_script"),
        ("shellingham", "detect_shell"),
    ],
)
def test_names_that_are_not_exported_are_there(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(module), name), changed(module.partition(".")[0], f"{module}.{name} is gone")


@pytest.mark.parametrize(("package", "module", "name"), sorted(set(OF_TESTS.values())))
def test_what_the_tests_lean_on_is_there(package: str, module: str, name: str) -> None:
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    assert found is not None, changed(package, f"{module}.{name} is gone")


async def test_aiohttp_asks_whether_a_call_is_repeated() -> None:
    import aiohttp

    async with aiohttp.ClientSession() as session:
        assert vars(session)[REPEATS] is True, changed("aiohttp", f"{REPEATS} of a session is not True at first")
        leaned_on.repeat_nothing(session)
        assert vars(session)[REPEATS] is False
    assert f"self.{REPEATS} and" in inspect.getsource(aiohttp.ClientSession), changed("aiohttp", f"{REPEATS} is not asked")


def test_google_auth_keeps_the_scopes_of_impersonation() -> None:
    from google.auth import credentials, impersonated_credentials

    made = impersonated_credentials.Credentials(credentials.AnonymousCredentials(), "robot@example.com", ["one"])
    assert leaned_on.target_scopes(made) == ["one"], changed("google-auth", "_target_scopes of impersonated credentials")
    assert leaned_on.target_scopes(credentials.AnonymousCredentials()) is None


def test_python_dotenv_cuts_a_file_into_bindings() -> None:
    first, second = leaned_on.env_bindings(io.StringIO("A=1 # x\n\nB='2\n3'\n"))
    assert (first.key, first.value, first.error) == ("A", "1", False), changed("python-dotenv", "parser.parse_stream")
    assert (second.original.string, second.original.line) == ("\nB='2\n3'\n", 2), changed("python-dotenv", "original")


# ---- sentences -----------------------------------------------------------------------------------------------------------


def said(*words: str) -> str:
    """What Typer says of a wrong command line."""
    app = typer.Typer(add_completion=False)

    @app.command()
    def run(number: Annotated[int, typer.Option(min=2, max=9)] = 3, *, word: Annotated[str, typer.Option()]) -> None:
        """A command."""

    with pytest.raises(typer.TyperException) as caught:
        typer.main.get_command(app).main(list(words), standalone_mode=False)
    return str(caught.value.format_message()).rstrip(".")


@pytest.mark.parametrize(
    ("value", "plain"),
    [("x", "--number takes a whole number"), ("10", "--number is at most 9"), ("1", "--number is at least 2")],
)
def test_pydantic_says_of_numbers_what_is_put_into_our_words(value: str, plain: str) -> None:
    theirs = said("--number", value, "--word", "w")
    assert in_plain_words(theirs) == plain, changed("pydantic", f"it says {theirs!r} now")


def test_pydantic_says_of_other_values_what_is_put_into_our_words() -> None:
    from pydantic import TypeAdapter, ValidationError

    def refuse(value: object) -> object:
        raise ValueError("a reason")

    from pydantic import AfterValidator

    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Annotated[str, AfterValidator(refuse)]).validate_python("x")
    theirs = f"Invalid value for '--x': {caught.value.errors()[0]['msg']}"
    assert in_plain_words(theirs) == "--x: a reason", changed("pydantic", f"it says {theirs!r} now")


def test_typer_says_what_is_missing() -> None:
    assert said().startswith(leaned_on.SOMETHING_MISSING), changed("typer", f"it says {said()!r} now")


def test_typer_s_exception_for_a_group_alone_has_its_name() -> None:
    app = typer.Typer(add_completion=False, no_args_is_help=True)
    app.command("a")(lambda: None)
    app.command("b")(lambda: None)
    with pytest.raises(typer.TyperException) as caught:
        typer.main.get_command(app).main([], standalone_mode=False)
    assert type(caught.value).__name__ == leaned_on.NO_COMMAND_GIVEN, changed("typer", f"it raises {caught.value!r} now")


@pytest.mark.parametrize(
    ("module", "sentences"),
    [
        ("google.oauth2.reauth", leaned_on.REAUTHENTICATION_SAID),
        ("google.auth.exceptions", (f"class {leaned_on.REAUTHENTICATION}(",)),
        ("google.auth.pluggable", leaned_on.EXECUTABLES_SAID),
        ("google.auth.impersonated_credentials", (f'_REFRESH_ERROR = "Unable to acquire {leaned_on.IMPERSONATION_SAID}',)),
        ("google.auth.impersonated_credentials", ("RefreshError(_REFRESH_ERROR, response_body)",)),
        ("google.auth.compute_engine._metadata", (f"Status: {{}}{leaned_on.ANSWER_FOLLOWS}",)),
    ],
)
def test_google_auth_still_says_so(module: str, sentences: tuple[str, ...]) -> None:
    text = inspect.getsource(importlib.import_module(module))
    for sentence in sentences:
        assert sentence in text, changed("google-auth", f"{module} no longer says {sentence!r}")


def test_grpc_s_core_still_says_so() -> None:
    core: ModuleType = importlib.import_module("grpc._cython.cygrpc")
    binary = Path(str(core.__file__)).read_bytes()
    known = {"HTTP proxy returned response code", "Received http2 header with status: ", "Deadline Exceeded", "Socket closed"}
    known |= {"GOAWAY received", "Stream removed", "keepalive", *leaned_on.NEVER_CONNECTED, leaned_on.LAST_ERROR, "handshake"}
    gone = sorted(words for words in known if words.encode() not in binary)
    assert not gone, changed("grpcio", f"its core no longer says {gone}")
    patterns = (leaned_on.HTTP_WITHOUT_GRPC, leaned_on.UNHEARD, leaned_on.PROXY_SAID, "|".join(leaned_on.NEVER_CONNECTED))
    fit = "|".join((*patterns, leaned_on.LAST_ERROR, *leaned_on.TLS_SAID))
    assert [words for words in known if not re.search(fit, f"{words}407" if words[-1] in "e " else words)] == []


def test_tomllib_says_the_line() -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads("a = 1\nb = = 2\n")
    found = re.search(leaned_on.TOML_LINE, str(caught.value))
    assert found is not None, f"Python {sys.version} says {caught.value} now"
    assert found[1] == "2"
