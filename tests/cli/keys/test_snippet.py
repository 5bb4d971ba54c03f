"""snippet: what is printed is saved and run as it is, with Google's packages, against the sandbox.

The Python and JavaScript packages take the sandbox's address from a variable. curl, Go and Java know Google's address
only: they reach the sandbox through a proxy that answers TLS in its place, named by the variables that they read.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from tests.conformance.test_node import modules  # noqa: F401 - a fixture

GEMINI = "generativelanguage.googleapis.com"
APIS = ["interactions", "generate-content"]
LANGUAGES = ["python", "javascript", "rest", "go", "java"]
METHODS = {"interactions": "CreateInteraction", "generate-content": "GenerateContent"}
FILES = {"python": "snippet.py", "javascript": "snippet.mjs", "rest": "snippet.sh", "go": "snippet.go", "java": "Snippet.java"}
both = pytest.mark.parametrize("explicit", [False, True], ids=["environment", "explicit"])


class Proxy:
    """Tunnels to `host`, and answers TLS itself: a CONNECT proxy in front of a plaintext server."""

    def __init__(self, host: str, server: str, authority: trustme.CA) -> None:
        parts = urlsplit(server)
        self._host, self._server = host, (parts.hostname or "", parts.port or 0)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(self._tls)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:  # whoever asked has gone
            self._tunnel(client)

    def _tunnel(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            more = client.recv(65536)
            if not more:
                return
            head += more
        if not head.startswith(f"CONNECT {self._host}:443 ".encode()):
            client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        tls = self._tls
        with (
            tls.wrap_socket(client, server_side=True) as inner,
            socket.create_connection(self._server) as outer,
        ):
            back = threading.Thread(target=self._pump, args=(outer, inner), daemon=True)
            back.start()
            self._pump(inner, outer, self._host.encode())
            back.join(10)

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket, host: bytes = b"") -> None:
        """All bytes. The sandbox answers for this machine alone, so the Host header is put right on the way to it."""
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(re.sub(rb"(?i)(\r\nhost: )" + host, rb"\1localhost", data) if host else data)
            sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def string(keys, served):
    """The key string of a key that works."""
    account = "caller@demo-project.iam.gserviceaccount.com"
    key = {"keyId": "web", "serviceAccountEmail": account, "restrictions": {"apiTargets": [{"service": GEMINI}]}}
    services = [GEMINI, "apikeys.googleapis.com"]
    served.control("seed", {"projects": [{"projectId": "demo-project", "services": services, "keys": [key]}]})
    return keys("show", "web").out.strip()


@pytest.fixture
def proxied(served, scratch) -> Iterator[dict[str, str]]:
    """Variables that lead curl, Go and Java to the sandbox when they ask for Google."""
    authority = trustme.CA()
    ca = scratch / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    proxy = Proxy(GEMINI, served.rest, authority)
    yield {"https_proxy": f"http://127.0.0.1:{proxy.port}", "CURL_CA_BUNDLE": str(ca), "SSL_CERT_FILE": str(ca)}
    proxy.close()


@pytest.fixture
def snippet(cli, scratch, string):
    """Save the snippet of a language as its first line says; in an explicit one the key takes its place."""

    def save(language: str, api: str, explicit: bool, *more: str) -> Path:
        options = ["--explicit"] if explicit else []
        done = cli("snippet", language, "--api", api, *options, *more)
        assert done.code == 0, done.err
        assert string not in done.out
        assert ("YOUR_API_KEY" in done.out) == explicit
        path: Path = scratch / FILES[language]
        path.write_text(done.out.replace("YOUR_API_KEY", string))
        return path

    return save


def run(command: list[str], folder: Path, string: str | None, **env: str) -> str:
    """The program's stdout. Its environment holds nothing else, and the key where it is to come from there."""
    base = {"PATH": os.environ["PATH"], "HOME": str(folder), "NO_PROXY": "127.0.0.1"}
    base |= {"GEMINI_API_KEY": string} if string else {}
    done = subprocess.run(command, cwd=folder, env=base | env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def answered(served, api: str) -> bool:
    """Whether the sandbox has just answered the API's method, asked with a key."""
    last = served.control("requests")[-1]
    return (last["method"].rpartition("/")[2].rpartition(".")[2], last["status"]) == (METHODS[api], "OK")


@both
@pytest.mark.parametrize("api", APIS)
def test_python(snippet, served, string, api, explicit) -> None:
    path = snippet("python", api, explicit)
    out = run([sys.executable, str(path)], path.parent, None if explicit else string, GOOGLE_GEMINI_BASE_URL=served.rest)
    assert out.startswith("This is the sandbox")
    assert answered(served, api)


@both
@pytest.mark.parametrize("api", APIS)
def test_javascript(snippet, served, string, api, explicit, modules) -> None:  # noqa: F811
    path = snippet("javascript", api, explicit)
    (path.parent / "node_modules").symlink_to(modules)
    out = run(["node", str(path)], path.parent, None if explicit else string, GOOGLE_GEMINI_BASE_URL=served.rest)
    assert out.startswith("This is the sandbox")
    assert answered(served, api)


@both
@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "fish"])
@pytest.mark.parametrize("api", APIS)
def test_rest(snippet, served, string, proxied, api, shell, explicit) -> None:
    needs("curl")
    needs(shell)
    path = snippet("rest", api, explicit)
    data = json.loads(run([shell, str(path)], path.parent, None if explicit else string, **proxied))
    if api == "interactions":
        said = next(step["content"] for step in data["steps"] if "content" in step)  # behind what it thought
    else:
        said = data["candidates"][0]["content"]["parts"]
    assert said[0]["text"].startswith("This is the sandbox")
    assert answered(served, api)


def test_rest_from_the_environment_keeps_the_key_out_of_the_arguments(snippet, string, scratch) -> None:
    needs("sh")
    path = snippet("rest", "interactions", False)
    (scratch / "bin").mkdir()
    fake = scratch / "bin" / "curl"
    fake.write_text(f'#!/bin/sh\necho "$@" > {scratch}/arguments\ncat > {scratch}/stdin\n')
    fake.chmod(0o755)
    run(["sh", str(path)], scratch, string, PATH=f"{scratch / 'bin'}:{os.environ['PATH']}")
    assert string not in (scratch / "arguments").read_text()
    assert (scratch / "stdin").read_text() == f"x-goog-api-key: {string}\n"


@both
def test_go_and_its_standard_library(snippet, served, string, proxied, explicit) -> None:
    needs("go")
    path = snippet("go", "interactions", explicit)
    env = proxied | {"GOCACHE": str(path.parent / "cache"), "GO111MODULE": "off", "GOTOOLCHAIN": "local", "GOFLAGS": ""}
    assert run(["go", "run", str(path)], path.parent, None if explicit else string, **env).startswith("This is the sandbox")
    assert answered(served, "interactions")


@both
@pytest.mark.parametrize("api", APIS)
def test_go_is_formatted(snippet, api, explicit) -> None:
    needs("gofmt")
    path = snippet("go", api, explicit)
    assert run(["gofmt", "-d", str(path)], path.parent, None) == ""


@both
def test_java_and_its_standard_library(snippet, served, string, proxied, explicit) -> None:
    needs("java")
    needs("keytool")
    path = snippet("java", "interactions", explicit)
    store = path.parent / "trusted.p12"
    password = ["-storepass", "trusted"]
    importing = ["keytool", "-importcert", "-noprompt", "-file", proxied["CURL_CA_BUNDLE"], "-keystore", str(store), *password]
    run(importing, path.parent, None)
    port = proxied["https_proxy"].rpartition(":")[2]
    options = [f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=trusted"]
    options += ["-Dhttps.proxyHost=127.0.0.1", f"-Dhttps.proxyPort={port}"]
    data = json.loads(run(["java", *options, str(path)], path.parent, None if explicit else string))
    said = next(step["content"] for step in data["steps"] if "content" in step)  # behind what it thought
    assert said[0]["text"].startswith("This is the sandbox")
    assert answered(served, "interactions")


@both
def test_java_fits_the_packages_signatures(snippet, explicit) -> None:
    """com.google.genai cannot be had from here; these are the signatures that its published examples use."""
    needs("javac")
    path = snippet("java", "generate-content", explicit)
    stubs = {
        "Client": "package com.google.genai; public class Client { public final Models models = new Models();"
        " public static Builder builder() { return new Builder(); }"
        " public static class Builder { public Builder apiKey(String key) { return this; }"
        " public Client build() { return new Client(); } }"
        " public static class Models { public com.google.genai.types.GenerateContentResponse generateContent("
        "String model, String text, Object config) { return null; } } }",
        "types/GenerateContentResponse": "package com.google.genai.types;"
        " public class GenerateContentResponse { public String text() { return null; } }",
    }
    for name, text in stubs.items():
        stub = path.parent / "com/google/genai" / f"{name}.java"
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text(text)
    run(["javac", "-sourcepath", str(path.parent), "-d", str(path.parent / "out"), str(path)], path.parent, None)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("api", APIS)
def test_in_json(cli, language, api) -> None:
    done = cli("snippet", language, "--api", api, "--model", "gemini-2.5-flash", "--format", "json")
    assert done.code == 0
    shown = done.json
    code = shown.pop("code")
    assert shown == {"language": language, "api": api, "model": "gemini-2.5-flash", "explicit": False}
    assert code == cli("snippet", language, "--api", api, "--model", "gemini-2.5-flash").out
    assert "gemini-2.5-flash" in code
    assert not {"{client}", "{model}", "{imports}", "{endpoint}"} & {code[i : i + 9] for i in range(len(code))}


def test_another_model_is_called(snippet, served, string) -> None:
    path = snippet("python", "generate-content", False, "--model", "gemini-2.5-pro")
    run([sys.executable, str(path)], path.parent, string, GOOGLE_GEMINI_BASE_URL=served.rest)
    assert 'model="gemini-2.5-pro"' in path.read_text()


@pytest.mark.parametrize(
    "wrong", [["cobol"], [], ["python", "--api", "soap"], ["python", "--model", 'x"); evil("'], ["python", "--model", ""]]
)
def test_wrong_usage(cli, wrong) -> None:
    done = cli("snippet", *wrong, "--format", "json")
    assert done.code == 2
    assert done.out == ""
    assert done.error["cause"] == "invalid-argument"


def test_nothing_heavy_is_imported() -> None:
    program = (
        "import sys; from keyadmin.cli.app import main; code = main(['snippet', 'python', '-q'])\n"
        "heavy = {name.partition('.')[0] for name in sys.modules} & "
        "{'google', 'grpc', 'aiohttp', 'yaml', 'tabulate', 'pydantic', 'asyncio', 'sqlite3'}\n"
        "print(code, heavy, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "0 set()"
