"""The sink github-actions against a server that is held to GitHub's own description of its REST API."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from keyadmin.handover import github
from keyadmin.handover.registry import parse
from keyadmin.handover.sinks import github_actions
from keyadmin.model.problem import Cause, Exit, Problem
from tests.handover.conftest import KEY, OTHER
from tests.handover.servers.base import ServerFault
from tests.handover.servers.github import TOKEN, WORKFLOW_TOKEN, GithubServer
from tests.sinks import sink_of

SSO = "required; url=https://github.com/orgs/acme/sso?x=1"
REPOSITORY = "/repos/acme/web/actions/secrets/GEMINI_API_KEY"
ORGANIZATION = "/orgs/acme/actions/secrets/GEMINI_API_KEY"


@pytest.mark.parametrize(
    ("text", "path", "name"),
    [
        ("acme/web", "/repos/acme/web/actions/secrets", "GEMINI_API_KEY"),
        ("acme/web.js:my_key", "/repos/acme/web.js/actions/secrets", "MY_KEY"),
        ("acme/web/environments/prod site", "/repos/acme/web/environments/prod%20site/secrets", "GEMINI_API_KEY"),
        ("acme/web/environments/a/b:K", "/repos/acme/web/environments/a%2Fb/secrets", "K"),
        ("orgs/acme:K", "/orgs/acme/actions/secrets", "K"),
        ("orgs/acme", "/orgs/acme/actions/secrets", "GEMINI_API_KEY"),
    ],
)
def test_places(text: str, path: str, name: str) -> None:
    found = github_actions.parse(text)
    assert (found.path, found.name) == (path, name)
    assert github_actions.parse(found.written()) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "acme",
        "acme/",
        "/web",
        "acme/..",
        "-acme/web",
        "acme/web:1X",
        "acme/web:GITHUB_X",
        "acme/web:a-b",
        "acme/web:",
        "a/b/c",
    ],
)
def test_what_github_does_not_take_as_a_name_is_refused(text: str) -> None:
    with pytest.raises(Problem) as caught:
        parse(f"github-actions:{text}")
    assert caught.value.exit is Exit.USAGE


def test_names_of_any_case_are_one_place() -> None:
    assert parse("github-actions:Acme/Web:key").place == parse("github-actions:acme/web:KEY").place


@pytest.mark.parametrize(
    ("sink", "path"),
    [
        ("github-actions:acme/web", REPOSITORY),
        ("github-actions:acme/web/environments/prod site", "/repos/acme/web/environments/prod%20site/secrets/GEMINI_API_KEY"),
    ],
)
async def test_a_secret_is_written_encrypted_and_cannot_be_read_back(actions: GithubServer, sink: str, path: str) -> None:
    delivery = await sink_of(sink).deliver(KEY)
    assert delivery.changed
    assert "updated at 2026-" in delivery.detail
    assert actions.opened(path) == KEY.reveal()
    assert KEY.reveal() not in repr(actions.bodies)
    assert await sink_of(sink).read_back(KEY) is None
    await sink_of(sink).deliver(OTHER)
    assert actions.opened(path) == OTHER.reveal()


@pytest.mark.parametrize("count", [2, 100, 250])
async def test_an_organisations_secret_keeps_its_repositories(actions: GithubServer, count: int) -> None:
    ids = list(range(1, count + 1))
    actions.put(ORGANIZATION, "old", visibility="selected", selected_repository_ids=ids)
    await sink_of("github-actions:orgs/acme").deliver(KEY)
    stored = actions.secrets[ORGANIZATION]
    assert (stored["visibility"], stored["selected_repository_ids"]) == ("selected", ids)
    assert actions.opened(ORGANIZATION) == KEY.reveal()


@pytest.mark.parametrize("visibility", ["all", "private"])
async def test_an_organisations_secret_keeps_its_visibility(actions: GithubServer, visibility: str) -> None:
    actions.put(ORGANIZATION, "old", visibility=visibility)
    await sink_of("github-actions:orgs/acme").deliver(KEY)
    assert actions.secrets[ORGANIZATION]["visibility"] == visibility


async def test_a_new_secret_of_an_organisation_is_shown_to_nobody(actions: GithubServer) -> None:
    delivery = await sink_of("github-actions:orgs/acme").deliver(KEY)
    assert "no repository may read it yet" in delivery.detail
    assert actions.secrets[ORGANIZATION]["selected_repository_ids"] == []


async def test_a_workflows_own_token_is_told_which_token_can(actions: GithubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", WORKFLOW_TOKEN)
    with pytest.raises(Problem, match="not accessible by integration") as caught:
        await sink_of("github-actions:acme/web").deliver(KEY)
    assert "own GITHUB_TOKEN cannot write secrets" in caught.value.fix[0]
    assert "Secrets: read and write" in caught.value.fix[0]


@pytest.mark.parametrize(
    ("status", "headers", "message", "cause", "word"),
    [
        (403, {"X-GitHub-SSO": SSO}, "SAML", Cause.MISSING_IAM_PERMISSION, "orgs/acme/sso"),
        (401, {"X-GitHub-OTP": "required; app"}, "Must specify two-factor", Cause.CREDENTIALS_EXPIRED, "second factor"),
        (401, {}, "Bad credentials", Cause.CREDENTIALS_EXPIRED, "make a new one"),
        (403, {}, "Must have admin rights to Repository.", Cause.MISSING_IAM_PERMISSION, "Secrets: read and write"),
        (404, {}, "Not Found", Cause.NOT_FOUND, "may not see"),
        (403, {"Retry-After": "3600"}, "You have exceeded a secondary rate limit.", Cause.RATE_LIMITED, "in 3600 s"),
        (429, {"Retry-After": "3600"}, "API rate limit exceeded", Cause.RATE_LIMITED, "in 3600 s"),
    ],
)  # fmt: skip
async def test_refusals_say_what_to_add(
    actions: GithubServer, status: int, headers: dict[str, str], message: str, cause: Cause, word: str
) -> None:
    actions.faults.append(ServerFault("GET", status, headers=headers, body={"message": message}, times=99))
    with pytest.raises(Problem) as caught:
        await sink_of("github-actions:acme/web").deliver(KEY)
    assert caught.value.cause is cause
    assert word in " ".join(caught.value.fix)
    assert not actions.secrets


@pytest.mark.parametrize("status", [403, 429])
async def test_a_secondary_limit_is_waited_for(actions: GithubServer, status: int) -> None:
    limited = {"message": "You have exceeded a secondary rate limit."}
    actions.faults.append(ServerFault("PUT", status, headers={"Retry-After": "0"}, body=limited, times=2))
    assert (await sink_of("github-actions:acme/web").deliver(KEY)).changed


@pytest.mark.parametrize("after", [False, True])
async def test_a_lost_answer_is_asked_again(actions: GithubServer, after: bool) -> None:
    actions.faults.append(ServerFault("PUT", after=after))
    assert (await sink_of("github-actions:acme/web").deliver(KEY)).changed
    assert actions.opened(REPOSITORY) == KEY.reveal()


async def test_what_the_token_may_not_see_is_not_written(actions: GithubServer) -> None:
    with pytest.raises(Problem, match="cannot be reached") as caught:
        await sink_of("github-actions:acme/hidden").deliver(KEY)
    assert caught.value.cause is Cause.NOT_FOUND


async def test_a_page_in_between_is_not_github(actions: GithubServer) -> None:
    actions.faults.append(ServerFault("GET", 200, body="<html>Sign in to the hotel</html>", times=9))
    with pytest.raises(Problem) as caught:
        await sink_of("github-actions:acme/web").deliver(KEY)
    assert caught.value.cause is Cause.NETWORK_UNREACHABLE


async def test_a_key_that_is_none_is_refused(actions: GithubServer) -> None:
    actions.faults.append(ServerFault("GET", 200, body={"key": "x", "key_id": "1"}, times=1))
    with pytest.raises(Problem, match="public key"):
        await sink_of("github-actions:acme/web").deliver(KEY)


async def test_gh_lends_its_token(actions: GithubServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GH_TOKEN")
    program = tmp_path / "gh"
    program.write_text(f"#!{sys.executable}\nimport sys\nassert sys.argv[1:] == ['auth', 'token']\nprint({TOKEN!r})\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (await sink_of("github-actions:acme/web").deliver(KEY)).changed
    program.write_text(f"#!{sys.executable}\nraise SystemExit(1)\n")
    with pytest.raises(Problem, match="not signed in") as caught:
        await sink_of("github-actions:acme/web").deliver(KEY)
    assert caught.value.exit is Exit.CREDENTIALS


async def test_without_any_token_it_says_where_one_comes_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Problem, match="gh is not installed") as caught:
        await github.target()
    assert "gh auth login" in caught.value.fix[0]


def test_without_the_extra_it_says_how_to_add_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nacl", None)
    with pytest.raises(Problem, match="PyNaCl, which is not installed") as caught:
        parse("github-actions:acme/web")
    assert caught.value.exit is Exit.USAGE
    assert "pynacl" in caught.value.fix[0].lower()
    assert "install keyadmin" not in caught.value.fix[0]
