"""No key string where it was not asked for: a long series of commands, and a search of everything that they left.

Searched are stdout and stderr of every command (--verbose), the log of the server and of every process at DEBUG, the
arguments and environments of children, the command lines of the commands themselves, temporary files (those that were
removed too), and the folders for configuration, data and caches. Key strings may stand where they were asked for: in the
output of `keys show`, `create --show`, the sink `stdout` and `tokens create`, in sinks, and in shell files and their backups.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.handover.conftest import kubeconfig
from tests.handover.servers import github, vault
from tests.handover.servers.base import ServerFault
from tests.handover.servers.github import GithubServer
from tests.handover.servers.kubernetes import KubernetesServer
from tests.handover.servers.vault import VaultServer
from tests.waiting import until

GEMINI = "generativelanguage.googleapis.com"
ACCOUNT = "caller@demo-project.iam.gserviceaccount.com"
WATCHING = Path(__file__).parent / "watching"


@dataclass
class Run:
    """A command, what it wrote, and whether it was to write a key string."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str
    asked: bool


@dataclass
class Series:
    """The commands of the series, and the places where a key string may stand."""

    rest: str
    folder: Path
    runs: list[Run] = field(default_factory=list)
    allowed: list[Path] = field(default_factory=list)

    def env(self, **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        home = self.folder / "home"
        loud = {"GOOGLE_SDK_PYTHON_LOGGING_SCOPE": "google", "GRPC_VERBOSITY": "DEBUG", "GRPC_TRACE": "all"}
        loud |= {"PYTHONASYNCIODEBUG": "1", "PYTHONWARNINGS": "default"}
        own = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "c"), "XDG_DATA_HOME": str(home / "d"), "SHELL": "/bin/bash"}
        own |= {"XDG_CACHE_HOME": str(home / "k"), "XDG_STATE_HOME": str(home / "s"), "TMPDIR": str(self.folder / "tmp")}
        watch = {"PYTHONPATH": str(WATCHING), "KEYADMIN_TEST_EVIDENCE": str(self.folder / "evidence")}
        return kept | loud | own | watch | {"KEYADMIN_SANDBOX": self.rest} | more

    def __call__(
        self, *words: str, code: int | None = 0, asked: bool = False, stdin: str = "", cwd: Path | None = None, **env: Any
    ) -> Run:
        command = [sys.executable, "-m", "keyadmin", *words, "--sandbox", "--verbose"]
        where = cwd or self.folder / "home"
        ended = subprocess.run(
            command, env=self.env(**env), input=stdin, capture_output=True, text=True, timeout=300, cwd=where, check=False
        )
        run = Run(words, ended.returncode, ended.stdout, ended.stderr, asked)
        self.runs.append(run)
        if code is not None:
            assert run.code == code, f"{words}: {run.err[-3000:]}"
        return run

    def control(self, path: str, data: Any) -> None:
        request = urllib.request.Request(
            f"{self.rest}/_sandbox/{path}", data=json.dumps(data).encode(), headers={"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=60).read()

    def program(self, name: str, text: str) -> str:
        """The sink of a program of these lines of Python; its folder is a sink's."""
        path = self.folder / "programs" / f"{name}.py"
        path.write_text("import os, sys\nhere = os.path.dirname(__file__)\n" + text)
        return f"exec:{sys.executable} {path}"

    def file(self, name: str) -> str:
        """The sink of a file."""
        self.allowed.append(self.folder / "home" / name)
        return f"env-file:{self.folder / 'home' / name}"


@pytest.fixture
def series(tmp_path: Path) -> Iterator[Series]:
    """A sandbox of its own, its talk kept, and empty folders."""
    for name in ("home", "tmp", "evidence", "programs"):
        (tmp_path / name).mkdir()
    log = (tmp_path / "evidence" / "server").open("w")
    command = [sys.executable, "-m", "keyadmin", "sandbox", "serve", "--verbose"]
    made = Series("", tmp_path)
    env = made.env() | {"KEYADMIN_SANDBOX": ""}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=env)
    assert process.stdout is not None
    made.rest = json.loads(process.stdout.readline())["rest"]
    yield made
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=60)
    log.close()


@pytest.mark.parametrize("part", ["make", "hand-over", "use", "fail", "rotate", "machine", "others"])
def test_no_key_string_where_it_was_not_asked_for(series: Series, part: str) -> None:
    _seed(series)
    shown = series("keys", "create", "--name", "web", "--key-id", "web", "--show", "--format", "json", asked=True)
    PARTS[part](series, json.loads(shown.out)["keyString"])
    secrets = _made_in_the_series(series)
    assert len(secrets) >= 4
    for run in series.runs:
        found = [secret for secret in secrets if _holds(run.out + run.err, secret)]
        if run.asked:
            assert found, f"{run.words} was asked for a key string"
            assert not any(_holds(run.err, secret) for secret in secrets), run.words
        else:
            assert not found, f"{run.words} gave a key string away"
    assert _search(series, secrets) == []


def _seed(series: Series) -> None:
    services = [GEMINI, "apikeys.googleapis.com", "iam.googleapis.com", "secretmanager.googleapis.com"]
    keys = [
        {"keyId": "old", "displayName": "Old", "restrictions": {"apiTargets": [{"service": GEMINI}]}},
        {"keyId": "leaked", "serviceAccountEmail": ACCOUNT, "condition": "leaked"},
    ]
    suspended = [{"keyId": "there", "serviceAccountEmail": "caller@suspended-project.iam.gserviceaccount.com"}]
    series.control(
        "seed",
        {
            "projects": [
                {"projectId": "demo-project", "services": services, "keys": keys},
                {"projectId": "suspended-project", "services": services, "keys": suspended},
            ]
        },
    )


def _make(series: Series, string: str) -> None:
    """Every way to make a key, and to change it."""
    series("keys", "create", "--name", "table", "--key-id", "table", "--show", asked=True)
    series("keys", "create", "--name", "quiet", "--key-id", "quiet")
    series("keys", "create", "--name", "printed", "--key-id", "printed", "--to", "stdout", asked=True)
    series("keys", "create", "--name", "later", "--key-id", "later", "--async")
    series("keys", "create", "--name", "standard", "--key-id", "standard", "--standard", "--format", "json")
    series("keys", "clone", "web", "--name", "copy", "--key-id", "copy", "--format", "json")
    series("keys", "create", "--name", "web", "--key-id", "web", "--if-absent", "--format", "json")
    series.control("faults", {"method": "CreateKey", "code": "DROP", "times": 1, "when": "after"})
    series("keys", "create", "--name", "dropped", "--key-id", "dropped", "--format", "json")
    _change(series, string)


def _hand_over(series: Series, string: str) -> None:
    """To every sink, also ones that fail."""
    kept = series.program("kept", "open(os.path.join(here, 'kept'), 'w').write(sys.stdin.read())\n")
    seen = "print(repr(sys.argv), repr(dict(os.environ)), open('/proc/self/cmdline').read(), open('/proc/self/environ').read())"
    looking = series.program("looking", f"sys.stdin.read()\n{seen}\nsys.exit(3)\n" if os.path.exists("/proc/self") else "")
    telling = series.program("telling", "print('I got', sys.stdin.read(), file=sys.stderr)\nsys.exit(4)\n")
    series.allowed.append(series.folder / "programs" / "kept")
    secret = "secret-manager:projects/demo-project/secrets/gemini"
    sinks = [part for sink in (series.file("a.env"), secret, kept) for part in ("--to", sink)]
    series("keys", "create", "--name", "sunk", "--key-id", "sunk", *sinks, "--format", "json")
    series("keys", "hand-over", "web", *sinks)
    series("keys", "hand-over", "web", "--to", "stdout", asked=True)
    series("keys", "hand-over", "web", "--to", "stdout", "--format", "json", asked=True)
    for sink in (looking, telling, f"env-file:{series.folder}/no/such/x", "exec:no-such-program"):
        series("keys", "hand-over", "web", "--to", sink, code=1, K=string)
        series("keys", "clone", "web", "--name", "x", "--to", sink, "--format", "json", code=1)


def _use(series: Series, string: str) -> None:
    series("keys", "list", "--all", "--usage", "--format", "json")
    series("keys", "list", "--all-projects", "--all", "--deleted")
    series("keys", "describe", "web", "--format", "json")
    series("keys", "show", "web", asked=True)
    series("keys", "show", "web", "--format", "yaml", asked=True)
    series("keys", "usage", "--format", "json")
    series("keys", "verify", "web", "--format", "json")
    series("keys", "verify", "-", stdin=string)
    series("keys", "verify", "--key-from-env", "K", "--format", "json", K=string)
    series("keys", "lookup", "-", stdin=string)
    series("keys", "lookup", "--key-from-env", "K", "--format", "json", K=string)
    series("tokens", "create", "web", asked=True)
    series("tokens", "create", "-", "--format", "json", stdin=string, asked=True)
    series("tokens", "create", "old", "--format", "json", code=1)


def _change(series: Series, string: str) -> None:
    series("keys", "restrict", "web", "--allowed-ips", "127.0.0.1", "--force", "--format", "json")
    series("keys", "unrestrict", "web", "--clients", "--yes")
    series("keys", "rename", "web", "Web")
    series("keys", "annotate", "web", "a=b")
    series("keys", "delete", "quiet", "--dry-run")
    series("keys", "delete", "quiet", "--yes", "--force", "--format", "json")
    series("keys", "delete", "web", "--yes", "--force")
    series("keys", "verify", "--key-from-env", "K", "--format", "json", code=3, K=string)
    series("keys", "undelete", "--key-from-env", "K", K=string)


def _fail(series: Series, string: str) -> None:
    """Failures whose words hold the key string: the service's, a library's, a broken program's."""
    series("keys", "verify", "there", "-p", "suspended-project", "--format", "json", code=3)  # the service's message has it
    series("keys", "verify", "leaked", code=3)
    fault = {"code": "INTERNAL", "times": 9, "message": f"cannot work with {string}, sorry"}
    details = [{"@type": "type.googleapis.com/google.rpc.DebugInfo", "detail": string, "stackEntries": [string]}]
    for method in ("ListModels", "GetKey"):
        series.control("faults", fault | {"method": method, "details": details, "code": "FAILED_PRECONDITION", "times": 1})
        series("keys", "verify" if method == "ListModels" else "describe", "web", "--format", "json", code=None)
    for words in (["verify", "--key-from-env", "K"], ["create", "--name", "broken", "--key-id", "broken"], ["describe", "web"]):
        broken = series("keys", *words, "--format", "json", code=1, K=string, KEYADMIN_TEST_BREAK="aiohttp")
        assert "Traceback" in broken.err
        assert "broken in the middle" in broken.err
    for words in (["keys", "verify", string], ["keys", "list", f"--filter=name={string}"], [string]):
        refused = _refused(series, *words)
        assert refused.code == 2
    series("explain", "-", "--format", "json", code=None, stdin=f"403: Consumer 'api_key:{string}' has been suspended.")
    series("explain", "-", code=None, stdin=f"what is {string}?")
    _interrupted(series)


def _refused(series: Series, *words: str) -> Run:
    """A command line that holds a key string: the person's mistake, whose own arguments cannot be searched."""
    command = [sys.executable, "-m", "keyadmin", *words, "--verbose", "--format", "json"]
    ended = subprocess.run(command, env=series.env(), capture_output=True, text=True, timeout=300, check=False)
    run = Run(("a key string as an argument",), ended.returncode, ended.stdout, ended.stderr, False)
    series.runs.append(run)
    return run


def _interrupted(series: Series) -> None:
    """Ctrl-C while a program has the key. Until then the command line and what /proc shows of both are looked at."""
    sink = series.program(
        "slow", "sys.stdin.read()\nopen(os.path.join(here, 'begun'), 'w').close()\nimport time\ntime.sleep(60)\n"
    )
    words = ("keys", "create", "--name", "slow", "--key-id", "slow", "--to", sink)
    command = [sys.executable, "-m", "keyadmin", *words, "--sandbox", "--verbose"]
    outputs = [series.folder / "evidence" / name for name in ("out", "err")]
    with outputs[0].open("w") as out, outputs[1].open("w") as err:
        process = subprocess.Popen(command, env=series.env(), stdout=out, stderr=err, text=True)
    until((series.folder / "programs" / "begun").exists, "the program has the key", process=process)
    if os.path.exists("/proc/self"):
        import psutil

        for each in (psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)):
            shown = [Path(f"/proc/{each.pid}/{name}").read_bytes() for name in ("cmdline", "environ")]
            (series.folder / "evidence" / f"proc-{each.pid}").write_bytes(b"\n".join(shown))
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    out_text, err_text = (path.read_text() for path in outputs)
    series.runs.append(Run(words, process.returncode, out_text, err_text, False))


def _rotate(series: Series, string: str) -> None:
    for name in ("copy", "sunk", "printed", "table"):
        series("keys", "create", "--name", name, "--key-id", name)
    to = ["--to", series.file("rotated.env"), "--to", "secret-manager:projects/demo-project/secrets/rotated"]
    series("keys", "rotate", "web", *to, "--yes", "--format", "json")
    series("keys", "rotate", "web", *to, "--yes", "--grace", "0s")
    series("keys", "migrate", "old", "--to", series.file("migrated.env"), "--yes")
    series("keys", "compromised", "sunk", "--to", series.file("a.env"), "--yes", "--format", "json")
    series("keys", "rotate", "copy", "--to", "stdout", "--yes", "--format", "json", asked=True)
    policy = series.folder / "home" / "keyadmin.toml"
    policy.write_text(
        '[[rule]]\nname = "all"\nprojects = ["demo-project"]\nkeys = ["printed", "table"]\nmax-age = "0s"\n'
        f'sinks = ["{series.file("{name}.env")}"]\n'
    )
    series.allowed += [series.folder / "home" / f"{name}.env" for name in ("printed", "table")]
    for words in (["plan"], ["run", "--yes"], ["status"], ["run", "--yes", "--emergency"]):
        series("rotation", *words, "--policy", str(policy), "--format", "json", code=None)


def _on_this_machine(series: Series, string: str) -> None:
    home = series.folder / "home"
    series("env", "set", "web", "--shell", "bash")
    series("env", "set", "-", "--shell", "dotenv", stdin=string)
    series("env", "set", "--key-from-env", "K", "--shell", "fish", K=string)
    series("env", "show", "--format", "json", GEMINI_API_KEY=string, GOOGLE_API_KEY=string)
    series("env", "unset", "--shell", "bash")
    series("snippet", "python", "--explicit")
    source = home / "repository"
    source.mkdir()
    series.allowed += [home / ".bashrc", home / ".env", home / "c" / "fish", source, home / "s" / "keyadmin" / "backups"]
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "-C", str(source)]
    (source / "a.py").write_text(f"K = '{string}'\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "1"]):
        subprocess.run([*git, *words], check=True, env=series.env(), capture_output=True)
    series("scan", str(source), "--history", "--format", "json", code=None, GEMINI_API_KEY=string)
    series("scan", str(source), "--offline", code=3)
    series("scan", str(source), "--revoke", "--yes", code=None)
    series("doctor", "--format", "json", code=None)
    embedded = str(series.folder / "state.db")
    series.allowed.append(series.folder / "state.db")
    for words in (["create", "--name", "inside", "--key-id", "inside"], ["verify", "inside"], ["list", "--format", "json"]):
        series("keys", *words, KEYADMIN_SANDBOX="", KEYADMIN_SANDBOX_STATE=embedded)
    shown = series("keys", "show", "inside", KEYADMIN_SANDBOX="", KEYADMIN_SANDBOX_STATE=embedded, asked=True)
    assert shown.out.startswith("AQ.SANDBOX-")


def _made_in_the_series(series: Series) -> set[str]:
    """Every key string of the sandbox, deleted keys included, and every token that was made."""
    secrets = {
        run.out.strip() for run in series.runs if run.asked and run.words[:2] == ("keys", "show") and len(run.words) == 3
    }
    for run in series.runs:
        if run.words[:2] == ("tokens", "create") and run.asked:
            secrets.add(json.loads(run.out)["name"] if run.out.startswith("{") else run.out.strip())
    listed = series("keys", "list", "--all", "--all-projects", "--deleted", "--format", "json")
    for key in json.loads(listed.out):
        if key["project"] in ("demo-project", "suspended-project"):
            request = urllib.request.Request(f"{series.rest}/v2/{key['name']}/keyString")
            with urllib.request.urlopen(request, timeout=60) as answer:
                secrets.add(json.loads(answer.read())["keyString"])
    return secrets


def _to_others(series: Series, string: str) -> None:
    """To the systems of others, which take it, refuse it, break off and answer with something else."""
    pytest.importorskip("boto3")
    moto_server = pytest.importorskip("moto.server")
    amazon = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    amazon.start()
    with KubernetesServer() as cluster, GithubServer() as actions, VaultServer() as safe:
        env: dict[str, Any] = {
            "KUBECONFIG": str(kubeconfig(series.folder / "home" / "kubeconfig", cluster.url)),
            "GITHUB_API_URL": actions.url,
            "GH_TOKEN": github.TOKEN,
            "VAULT_ADDR": safe.url,
            "VAULT_TOKEN": vault.TOKEN,
            "AWS_ENDPOINT_URL": "http://{}:{}".format(*amazon.get_host_and_port()),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        sinks = ["kubernetes:here/web/gemini", "github-actions:acme/web", "vault:secret/web"]
        sinks += ["aws-secrets-manager:eu-central-1/web", "aws-ssm:eu-central-1/web"]
        options = [word for sink in sinks for word in ("--to", sink)]
        series("keys", "hand-over", "web", *options, **env)
        series("keys", "rotate", "web", *options, "--yes", "--format", "json", **env)
        for server in (cluster, actions, safe):
            server.faults += [ServerFault("P", 403, times=1), ServerFault("P", 400, body="<html>no</html>", times=1)]
        for sink in (*sinks[:3], *sinks[:3]):
            series("keys", "hand-over", "web", "--to", sink, "--format", "json", code=1, **env)
        wrong = {"GH_TOKEN": "x", "VAULT_TOKEN": "x", "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
        for sink in sinks[1:4]:
            series("keys", "hand-over", "web", "--to", sink, code=None, **(env | wrong))
    amazon.stop()


PARTS = {
    "others": _to_others,
    "make": _make,
    "hand-over": _hand_over,
    "use": _use,
    "fail": _fail,
    "rotate": _rotate,
    "machine": _on_this_machine,
}


def _traces(secret: str) -> list[str]:
    """The secret, the heart of it, and what base64 and hexadecimal dumps make of it."""
    plain = secret.encode()
    coded = [base64.b64encode(plain[cut:])[:24].decode() for cut in (0, 1, 2)]
    return [secret, secret[14:34], plain[14:30].hex(), plain[14:24].hex(" "), *coded]


def _holds(text: str, secret: str) -> bool:
    return any(trace in text for trace in _traces(secret))


def _search(series: Series, secrets: set[str]) -> list[str]:
    """The files that hold a secret and are no sink, below everything that the series could write to."""
    found = []
    for path in sorted(series.folder.rglob("*")):
        sink = any(path.is_relative_to(place) or path.name.startswith(f"{place.name}.keyadmin-") for place in series.allowed)
        if path.is_file() and not path.is_symlink() and not sink and not path.name.startswith("state.db"):
            text = path.read_bytes().decode("utf-8", "replace")
            found += [str(path) for secret in secrets if _holds(text, secret)]
    return sorted(set(found))
