"""Key strings that people put into display names, annotations and names of projects are masked in every output."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

KEY = "AIzaSyB7q2Zt1LmVx0Rk9sWc4HyBn5Jf6Gd3Ep8"
ENCODED = "".join(f"%{ord(each):02X}" for each in KEY)
FORMATS = ("table", "json", "jsonl", "csv", "yaml", "markdown")


@pytest.fixture
def named(served) -> None:
    """A project and keys whose names and annotations hold a key string, as it is and in percent."""
    made = [
        {"keyId": "one", "displayName": f"old {KEY}", "annotations": {"note": f"was x_{KEY}"}},
        {"keyId": "two", "displayName": f"cut here {KEY} and after", "annotations": {"note": ENCODED}},
    ]
    served.control("seed", {"projects": [{"projectId": "demo-project", "displayName": KEY[:39], "keys": made}]})


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "words",
    [("keys", "list", "--all"), ("keys", "describe", "one"), ("keys", "usage", "one"), ("audit",),
     ("projects", "list", "--all"), ("projects", "describe", "demo-project")],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("columns", ["60", "200"])
def test_what_lists_them(cli, served, named, words, form, columns) -> None:
    env = {"KEYADMIN_SANDBOX": served.rest, "KEYADMIN_SANDBOX_USER": "owner@example.com", "COLUMNS": columns}
    done = cli(*words, "--format", form, env=env, terminal=columns == "60" and form == "table")
    for secret in (KEY, ENCODED, KEY[6:24]):
        assert secret not in done.out + done.err
    assert done.code in (0, 3), done.err


@pytest.mark.parametrize("form", ["html", "sarif"])
def test_reports(cli, served, named, form, tmp_path) -> None:
    env = {"KEYADMIN_SANDBOX": served.rest, "KEYADMIN_SANDBOX_USER": "owner@example.com"}
    assert cli("audit", "--output", str(tmp_path / f"report.{form}"), env=env).code == 3
    text = (tmp_path / f"report.{form}").read_text()
    assert "one" in text
    assert KEY not in text


def test_a_key_that_is_shown_on_purpose_is_shown_and_the_others_are_not(keys, named) -> None:
    shown = keys("show", "one", "--format", "json")
    assert len(shown.json["keyString"]) == 39
    assert "..." not in shown.json["keyString"]
    assert KEY not in shown.out
    assert keys("show", "one").out.strip() == shown.json["keyString"]
    assert shown.json["keyString"] not in keys("describe", "one", "--format", "json").out


@pytest.mark.parametrize(
    "name",
    [
        "=1+1",
        "  =1+1",
        "\u00a0@x",
        "\u200b-1",
        "\uff1d1+1",
        "\uff0b1",
        "\uff0d1",
        "\uff20x",
        " \u3000\uff1d1",
        "\u22121",
        "\n=1",
    ],
)
def test_formulas_in_csv(keys, served, name) -> None:
    served.control("seed", {"projects": [{"projectId": "demo-project", "keys": [{"keyId": "one", "displayName": name}]}]})
    assert f"'{name}" in keys("list", "--all", "--format", "csv").out


@pytest.mark.parametrize(("flags", "kept"), [((), False), (("--verbose",), False), (("-v", "-v"), True), (("-vv",), True)])
def test_tracing_shows_headers_only_where_verbose_is_given_twice(home, flags, kept) -> None:
    """gRPC's own tracing prints the bearer token of each call."""
    program = (
        "import os, sys; from keyadmin.cli.app import main; main(['config', 'list', *sys.argv[1:]]);"
        "print([name for name in ('GRPC_TRACE', 'SSLKEYLOGFILE', 'GOOGLE_SDK_PYTHON_LOGGING_SCOPE') if name in os.environ])"
    )
    env = home | {"GRPC_TRACE": "all", "SSLKEYLOGFILE": os.devnull, "GOOGLE_SDK_PYTHON_LOGGING_SCOPE": "google"}
    done = subprocess.run([sys.executable, "-c", program, *flags], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ("['GRPC_TRACE', 'SSLKEYLOGFILE']" if kept else "[]")
