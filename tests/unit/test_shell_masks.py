"""What of a start-up file is code, what words are quoted for which shell, and PowerShell, which cannot be asked here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyadmin.local.environment import masks
from keyadmin.local.environment.checker import Checker
from keyadmin.local.environment.dialects import DIALECTS, fish_quoted, posix_quoted, powershell_quoted
from keyadmin.local.environment.editor import Editor
from keyadmin.local.environment.mentions import endings, find
from keyadmin.model.problem import Problem
from keyadmin.model.secret import KeyString
from tests.start_up_files import NAME

KEY = "AQ.SANDBOX-" + "k" * 42
OTHER = "AQ.SANDBOX-" + "o" * 42


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a # b\nc", "a\nc"),
        ("a#b ${#x} $# ${x#y} # z", "a#b ${#x} $# ${x#y}"),
        ("cat <<E\n# $(x)\n'\nE\nb", "cat <<E\n\n\n\nb"),
        ("cat <<-'E' <<F\n\tx\n\tE\ny\nF\nb", "cat <<-'E' <<F\n\n\n\n\nb"),
        ("x=$((1<<2))\n# c", "x=$((1<<2))\n"),
        ("cat <<< x # y", "cat <<< x"),
    ],
)
def test_comments_and_here_documents_are_no_code(text: str, code: str) -> None:
    found = masks.posix(text)
    assert found.closed
    assert [line.rstrip() for line in found.code.split("\n")] == [line.rstrip() for line in code.split("\n")]


@pytest.mark.parametrize("text", ["echo 'a", 'echo "a', "cat <<E\nx", "x=$(", "x=`a", "x=${a", 'x="$(a"', "cat <<A <<B\nA\n"])
def test_what_is_open_at_the_end_is_seen(text: str) -> None:
    assert not masks.posix(text).closed


@given(st.text(max_size=60))
def test_both_views_have_the_length_and_the_lines_of_the_text(text: str) -> None:
    for mask in (masks.posix, masks.fish, masks.powershell, masks.unquoted):
        found = mask(text)
        assert len(found.code) == len(found.bare) == len(text)
        assert [i for i, c in enumerate(found.code) if c == "\n"] == [i for i, c in enumerate(text) if c == "\n"]


_SHELL_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00", exclude_categories=["Cs"]), max_size=12)


@pytest.mark.parametrize(
    ("shell", "quote"), [("bash", posix_quoted), ("zsh", posix_quoted), ("sh", posix_quoted), ("fish", fish_quoted)]
)
def test_a_quoted_word_is_that_word_to_the_shell(shell: str, quote) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    words: list[str] = [
        "it's",
        "\\'",
        "a\\",
        "$(touch x)",
        "`x`",
        "$HOME",
        "!x",
        "a;b",
        "{a,b}",
        "~",
        "*",
        '"',
        "x';touch PWN;'",
    ]

    @settings(max_examples=60)
    @given(_SHELL_TEXT)
    def collect(text: str) -> None:
        words.append(text)

    collect()
    script = "".join(f"printf '%s\\0' {quote(word)}\n" for word in words)
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
    command = {"bash": ["bash", "--norc"], "zsh": ["zsh", "-f"], "sh": ["sh"], "fish": ["fish", "--no-config"]}[shell]
    done = subprocess.run(command, input=script.encode(), capture_output=True, env=env, check=False, timeout=60)
    assert done.stdout.decode().split("\0")[:-1] == words


@pytest.mark.parametrize("quote", [posix_quoted, fish_quoted, powershell_quoted])
@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\0b"])
def test_more_than_a_line_is_not_quoted(quote, text: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        quote(text)


def test_powershell_takes_typographic_quotes_for_quotes() -> None:
    assert powershell_quoted("a'b\u2019c") == "'a''b\u2019\u2019c'"


def powershell(text: str) -> Editor:
    return Editor(text, NAME, DIALECTS["powershell"], None, "profile.ps1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", f"# >>> keyadmin {NAME} >>>\n# Written by keyadmin env set; keyadmin env unset takes it away.\n"
             f"$env:{NAME} = '{KEY}'\n# <<< keyadmin {NAME} <<<\n"),
        (f"$env:{NAME} = 'old'\n", f"$env:{NAME} = '{KEY}'\n"),
        ("f {\n  'y'\n}\n  $ENV:gemini_api_key=\"old\" # mine\n", f"f {{\n  'y'\n}}\n  $env:{NAME} = '{KEY}' # mine\n"),
        (f"<#\n$env:{NAME} = 'x'\n#>\n$env:{NAME} = 'old'\n", f"<#\n$env:{NAME} = 'x'\n#>\n$env:{NAME} = '{KEY}'\n"),
        (f"if ($env:{NAME}) {{ 'none' }}\n$env:{NAME} = 'old'\n", f"if ($env:{NAME}) {{ 'none' }}\n$env:{NAME} = '{KEY}'\n"),
    ],
)  # fmt: skip
def test_lone_lines_of_powershell(text: str, expected: str) -> None:
    once = powershell(text).set(KeyString(KEY))
    assert once.text == expected
    assert powershell(once.text).set(KeyString(KEY)).how == "nothing"
    assert powershell(once.text).set(KeyString(OTHER)).text == expected.replace(KEY, OTHER)
    assert f"$env:{NAME} = '" not in re.sub("<#.*?#>", "", powershell(once.text).unset().text, flags=re.DOTALL)


@pytest.mark.parametrize(
    "text",
    [
        f"if ($x) {{\n  $env:{NAME} = 'a'\n}}\n",
        f"$env:{NAME} = @'\nabc\n'@\n",
        f'$env:{NAME} = @"\nabc\n"@.Trim()\n',
        f'$env:{NAME} = "$(Get-Secret x)"\n',
        f"$env:{NAME} = Get-Content x\n",
        f"$env:{NAME} = 'a'; $env:B = 'c'\n",
        f"$env:{NAME} = 'a' +\n  'b'\n",
        f"$env:{NAME} += 'a'\n",
        f"${{env:{NAME}}} = 'a'\n",
        f"$x =\n$env:{NAME} = 'a'\n",
        f"$x =  # comment\n\n$env:{NAME} = 'a'\n",
        f"$y -and\n$env:{NAME} = 'a'\n",
        f"if ($x) {{ }} else\n$env:{NAME} = 'a'\n",
        f"foo `\n$env:{NAME} = 'a'\n",
        f"foo |\n$env:{NAME} = 'a'\n",
        f"$env:{NAME} = 'a'\n| Out-Null\n",
        f"Set-Item Env:{NAME} a\n",
        f"[Environment]::SetEnvironmentVariable('{NAME}', 'a', 'User')\n",
        f"Remove-Item Env:{NAME}\n",
        f"$a = @'\n$env:{NAME} = 'text'\n'@\n",
        f"$a = '\n$env:{NAME} = \"text\"\n'\n",
        f'$a = "$(if ($x) {{ "}}" }})"\n$env:{NAME} = \'a\'\n',
        f"if ($x) {{\n$env:{NAME} = 'a'\n",
        f"$a = 'never closed\n$env:{NAME} = 'a'\n",
        "if ($x) {\n",
        "$x =\n",
        "Get-Item x |",
    ],
)
def test_anything_else_of_powershell_is_refused(text: str) -> None:
    with pytest.raises(Problem, match=r"profile\.ps1 was not changed"):
        powershell(text).set(KeyString(KEY))


@pytest.mark.parametrize(
    "piece", ["{export ", "<<a ", "$(", "((", "'", "f() {", f"export {NAME}=a ", "{unset x", "A=1 ", "\\\n"]
)
@pytest.mark.parametrize("syntax", ["posix", "fish", "powershell"])
def test_a_hostile_file_of_a_repository_is_read_in_its_time(piece: str, syntax: str) -> None:
    """`env show` reads .envrc of whatever folder it is started in; what is quadratic in its length does not end here."""
    dialect = DIALECTS[syntax]  # type: ignore[index]
    text = piece * (400_000 // len(piece)) + f" {NAME}\n"
    find(text, dialect.mask(text), dialect, NAME)
    endings(dialect.mask(text), dialect)


_PIECES = st.sampled_from(
    [
        "Set-Alias ll Get-ChildItem",
        "function x {\n  'y'\n}",
        "if ($x) {\n  'a'\n} else {\n  'b'\n}",
        "# it's a comment {",
        "<#\nif ( {\n#>",
        "$a = @'\nit's {\n'@",
        '$a = @"\n"quoted" (\n"@',
        "$a = 'it''s'",
        '$a = "a `" b"',
        "$a = @{\n  b = 'c'\n}",
        "$p = $env:PATH + ';x'",
        f"if ($env:{NAME}) {{ 'set' }}",
        f"$env:{NAME} = 'old'",
        f'$env:{NAME}="old" # mine',
        f"if ($x) {{ $env:{NAME} = 'a' }}",
        f"# $env:{NAME} = 'x'",
        "",
    ]
)


@given(st.lists(_PIECES, max_size=7), st.sampled_from(["\n", "\r\n"]))
def test_powershell_files_at_random_keep_every_other_line_or_are_refused(pieces: list[str], end: str) -> None:
    text = end.join(piece.replace("\n", end) for piece in pieces)
    mine = re.compile(rf"(?m)^\$env:{NAME} ?= ?['\"][^'\"]*['\"]")
    try:
        once = powershell(text).set(KeyString(KEY))
    except Problem:
        assert any("{ $env" in piece for piece in pieces)
        return
    if mine.search(text):
        assert mine.sub("X", once.text) == mine.sub("X", text)
    else:
        assert once.text.startswith(text)
    assert powershell(once.text).set(KeyString(KEY)).how == "nothing"
    assert not mine.search(powershell(once.text).unset().text)


def test_a_file_that_the_scanner_does_not_understand_is_edited_as_its_shell_reads_it() -> None:
    """The shell says that the text is whole; what a scanner takes for an open quote hides no line then."""
    accepting = Checker("bash", "/bin/true")  # a parser that takes everything
    accepting.top_level_after = lambda text: True  # type: ignore[method-assign]
    text = f"it's one of a kind\nexport {NAME}=old\n"
    assert not masks.posix(text).closed
    found = Editor(text, NAME, DIALECTS["posix"], accepting, "FILE")
    assert found.set(KeyString(KEY)).text == f"it's one of a kind\nexport {NAME}='{KEY}'\n"
    assert found.unset().text == "it's one of a kind\n"
