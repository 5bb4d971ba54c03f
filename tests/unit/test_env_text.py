"""`.env` text: one variable changes, every other byte stays, and each program that reads such files agrees on the value."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.model.env_text import BOM, decode, encode, find, value_of, with_variable, without_variable

NAME = "GEMINI_API_KEY"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1", "A=1\nK=new\n"),
        ("", "K=new\n"),
        ("export K=old # mine\n", "export K=new # mine\n"),
        ("K=old\t# mine\n", "K=new\t# mine\n"),
        ("K='old' # mine\n", "K=new # mine\n"),
        ('K="old"# mine\n', "K=new # mine\n"),
        ("K= # to be filled in\n", "K=new # to be filled in\n"),
        ("K=#old\n", "K=new\n"),
        ("K=old#part\n", "K=new\n"),
        ("K # mine\n", "K=new # mine\n"),
        ("K\n", "K=new\n"),
        ("  K = 'old'  \n", "  K =new  \n"),
        ("'K'=old\n", "'K'=new\n"),
        ("K='old\nK=inside\n'\nB=2\n", "K=new\nB=2\n"),
        ('A="x\nK=inside"\n', 'A="x\nK=inside"\nK=new\n'),
        ("K=1\nA=2\nK=3\n", "K=new\nA=2\n"),
        ("K=1\nA=2\n\nK=3 # why\nB=4\n", "K=new\nA=2\n\n# why\nB=4\n"),
        ("K=1\r\nA=2\r\n", "K=new\r\nA=2\r\n"),
        ("A=1\r\nB=2\r\n", "A=1\r\nB=2\r\nK=new\r\n"),
        ("A=1\r\nB=2", "A=1\r\nB=2\r\nK=new\r\n"),
        ("A=1\rB=2\r", "A=1\rB=2\rK=new\r"),
        ("# K=1\n", "# K=1\nK=new\n"),
        ("KK=1\n", "KK=1\nK=new\n"),
        ("\n\n  \nK=1\n\n\nA=2\n\n", "\n\n  \nK=new\n\n\nA=2\n\n"),
        ("A=x\\\n", "A=x\\\n\nK=new\n"),
        ("A=x\\", "A=x\\\n\nK=new\n"),
        ("A=x\\\\\n", "A=x\\\\\nK=new\n"),
        ("A=x\\\r\n", "A=x\\\r\n\r\nK=new\r\n"),
        ("A=x\\\nK=old\nB=1\n", "A=x\\\nK=old\nB=1\nK=new\n"),
        ("A=`x\nK=inside\n`\n", "A=`x\nK=inside\n`\nK=new\n"),
        ("A=`x`\nK=old\n", "A=`x`\nK=new\n"),
        (BOM + "K=old\n", BOM + "K=new\n"),
        (BOM, BOM + "K=new\n"),
        ("A='never closed\nB=2\n", "A='never closed\nB=2\nK=new\n"),
    ],
)
def test_setting(text: str, expected: str) -> None:
    assert with_variable(text, "K", "new") == expected
    assert value_of(expected, "K") == "new"
    assert with_variable(expected, "K", "new") == expected, "a second time changes nothing"


@pytest.mark.parametrize("name", ["exported", "exportK", "export"])
def test_a_name_that_begins_with_export_gets_no_second_one(name: str) -> None:
    assert with_variable(f"{name}=old\n", name, "new") == f"{name}=new\n"
    assert with_variable(f"export {name}=old\n", name, "new") == f"export {name}=new\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# head\nA=1\n\n\nK=old\n\nB=2\n", "# head\nA=1\n\n\n\nB=2\n"),
        ("K=old # ask ana\n", ""),
        ("A=1\r\n\r\nK=old\r\nB=2", "A=1\r\n\r\nB=2"),
        ("K='x\ny'\nB=1\n", "B=1\n"),
        ("  K=1\nB=2\nK=3", "B=2\n"),
        ("A=x\\\nK=old\nB=1\n", "A=x\\\n\nB=1\n"),
        ("A=1\n", "A=1\n"),
        (BOM + "K=1\nA=2\n", BOM + "A=2\n"),
    ],
)
def test_taking_out(text: str, expected: str) -> None:
    assert without_variable(text, "K") == expected


def test_a_value_that_needs_quotes_is_refused() -> None:
    for value in ("a b", "a#b", "'", "", "a\nB=1", "$x"):
        with pytest.raises(ValueError, match="consists of"):
            with_variable("", "K", value)


def test_where_it_is_set() -> None:
    assert [(line.number, line.value) for line in find("\n\nK=1\nA='x\ny'\r\nK\n", "K")] == [(3, "1"), (6, None)]


# Lines of all kinds, in all dialects; what the readers make of them differs, but none of it may change.
_word = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00", exclude_categories=["Cs", "Zl", "Zp"]), max_size=8)
_plain = st.from_regex(r"[A-Za-z0-9_./:@-]{0,8}", fullmatch=True)
_other = st.from_regex(r"[A-Z_][A-Z0-9_]{0,5}", fullmatch=True).filter(lambda name: name != NAME)
_value = st.one_of(
    _plain,
    _plain.map("'{}'".format),
    _plain.map('"{}"'.format),
    _plain.map("{} # note".format),
    st.builds("'{}\n{}'".format, _plain, _plain),
    st.builds("`{}\n{}={}\n`".format, _plain, st.just(NAME), _plain),
    st.builds('"{}\n{}={}"'.format, _plain, st.just(NAME), _plain),
    st.builds("{}\\".format, _plain),
    st.sampled_from(["", "#x", " # x", "$HOME", "${A}b", "a b", '"a\\"b"', "it's"]),
)
_mine = st.builds(
    "{}{}{}".format, st.sampled_from(["", "export ", "  "]), st.just(NAME), st.one_of(st.just(""), _value.map("={}".format))
)
_line = st.one_of(
    st.builds("{}{}={}".format, st.sampled_from(["", "export ", "\t"]), _other, _value),
    _mine,
    _word.map("# {}".format),
    st.sampled_from(["", "", "   ", "exported=1", "no assignment", f"{NAME}S=1", f"X_{NAME}=1", "a: b"]),
    _word,
)
_texts = st.builds(
    lambda lines, end, last, bom: bom + end.join(line.replace("\n", end) for line in lines) + (end if last else ""),
    st.lists(_line, max_size=8),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from(["", "", BOM]),
)


def _others(text: str) -> list[tuple[str | None, str | None]]:
    from dotenv.parser import parse_stream

    found = parse_stream(io.StringIO(text.removeprefix(BOM), newline=""))
    return [(each.key, each.value) for each in found if each.key not in (NAME, None)]


@given(_texts)
def test_whatever_the_file_python_dotenv_reads_the_new_value_and_the_others_as_before(text: str) -> None:
    changed = with_variable(text, NAME, "new-key.1")
    assert value_of(changed, NAME) == "new-key.1"
    assert _others(changed) == _others(text)
    assert with_variable(changed, NAME, "new-key.1") == changed
    gone = without_variable(changed, NAME)
    assert value_of(gone, NAME) is None
    assert _others(gone) == _others(text)


@given(_texts)
def test_no_line_of_another_variable_nor_a_comment_changes(text: str) -> None:
    changed = with_variable(text, NAME, "new-key.1")
    if not find(text, NAME):
        assert changed.startswith(text), "what was there stays, to the byte"
    at = 0
    for line in _lines_of_others(text):
        at = changed.index(line, at) + len(line)


def _lines_of_others(text: str) -> list[str]:
    from dotenv.parser import parse_stream

    found = parse_stream(io.StringIO(text.removeprefix(BOM), newline=""))
    return [each.original.string.rstrip("\r\n") for each in found if each.key != NAME]


@given(st.binary(max_size=80).filter(lambda data: NAME.encode() not in data))
def test_bytes_of_any_encoding_stay(data: bytes) -> None:
    assert encode(decode(data)) == data
    assert encode(with_variable(decode(data), NAME, "new")).startswith(data)


def _docker(text: str) -> dict[str, str]:
    """What `docker run --env-file` reads (docker/cli, pkg/kvfile): whole lines, no quotes, no comments behind a value."""
    out = {}
    for line in encode(text.removeprefix(BOM)).split(b"\n"):
        line = line.removesuffix(b"\r").lstrip()
        name, equals, value = line.partition(b"=")
        if line and not line.startswith(b"#") and equals:
            out[name.decode("latin-1")] = value.decode("latin-1")
    return out


@given(_texts)
def test_docker_reads_it_where_no_comment_stands_behind_the_value(text: str) -> None:
    changed = with_variable(text, NAME, "new-key.1")
    before, after = _docker(text), _docker(changed)
    lines = [line for line in changed.splitlines() if re.match(rf"\s*{NAME}=new-key\.1", line)]
    plain = not set("'\"`\\") & set(text)  # docker knows neither quotes nor values of several lines
    if plain and len(lines) == 1 and "#" not in lines[0] and lines[0] == lines[0].rstrip():
        assert after.get(NAME) == "new-key.1"
    inside = {name for name in before if name.split()[-1:] == [NAME]} | {name for name in after if name.split()[-1:] == [NAME]}
    if plain:
        assert {k: v for k, v in after.items() if k not in inside} == {k: v for k, v in before.items() if k not in inside}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A script that reads texts with the npm package dotenv (JSON on stdin, a list of objects on stdout)."""
    npm, program = shutil.which("npm"), shutil.which("node")
    if npm is None or program is None:
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("node")
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "dotenv@16.6.1"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        pytest.skip(f"the npm package dotenv cannot be installed: {done.stderr.strip()[:200]}")
    script = folder / "read.js"
    script.write_text(
        "const {parse} = require('dotenv');\n"
        "const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));\n"
        "process.stdout.write(JSON.stringify(texts.map(text => parse(text))));\n"
    )
    return script


def test_nodes_dotenv_reads_the_new_value_and_the_others_as_before(node: Path) -> None:
    texts: list[str] = []

    @given(_texts.filter(lambda text: text.count("'") % 2 == 0 and text.count('"') % 2 == 0 and "\ud800" not in text))
    def collect(text: str) -> None:
        texts.append(text)

    collect()
    changed = [with_variable(text, NAME, "new-key.1") for text in texts]
    done = subprocess.run(
        ["node", str(node)], input=json.dumps([*texts, *changed]), capture_output=True, text=True, timeout=120, check=True
    )
    read = json.loads(done.stdout)
    for text, new, before, after in zip(texts, changed, read, read[len(texts) :], strict=False):
        assert after.pop(NAME) == "new-key.1", (text, new)
        before.pop(NAME, None)
        assert after == before, (text, new)
