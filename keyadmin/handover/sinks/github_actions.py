"""The sink `github-actions`: a secret of GitHub Actions, of a repository, an environment or an organisation.

Queued and waiting runs read repository and organisation secrets when they are queued, environment secrets when their job
starts (docs.github.com, "Secrets reference"): the grace of a rotation has to outlive them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import quote

from keyadmin.handover import github
from keyadmin.handover.extras import needed
from keyadmin.handover.http import HttpSession
from keyadmin.handover.sink import Delivery, Sink, SinkContext, SinkNeeds, SinkSpec
from keyadmin.model.problem import Cause, Problem, usage
from keyadmin.model.secret import KeyString

DEFAULT_NAME: Final = "GEMINI_API_KEY"
_WRITTEN: Final = "github-actions:OWNER/REPO[/environments/ENV][:NAME] or github-actions:orgs/ORG[:NAME]"
_OWNER: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})"
_PAGE: Final = 100


@dataclass(frozen=True)
class ActionsSecret:
    """A secret of Actions. `owner` = of the repository, or the organisation where `repository` is empty."""

    owner: str
    repository: str
    environment: str
    name: str

    @property
    def path(self) -> str:
        """Where the REST API has the secrets of this place."""
        if not self.repository:
            return f"/orgs/{self.owner}/actions/secrets"
        if self.environment:
            return f"/repos/{self.owner}/{self.repository}/environments/{quote(self.environment, safe='')}/secrets"
        return f"/repos/{self.owner}/{self.repository}/actions/secrets"

    def written(self) -> str:
        """As it stands behind the colon."""
        if not self.repository:
            return f"orgs/{self.owner}:{self.name}"
        environment = f"/environments/{self.environment}" if self.environment else ""
        return f"{self.owner}/{self.repository}{environment}:{self.name}"


def parse(value: str) -> ActionsSecret:
    """Raises usage() for what GitHub does not take as a name."""
    found = re.fullmatch(rf"orgs/({_OWNER})(?::(\w+))?", value)
    if found:
        return ActionsSecret(found[1], "", "", _name(found[2]))
    found = re.fullmatch(rf"({_OWNER})/([A-Za-z0-9._-]{{1,100}})(?:/environments/(.{{1,255}}?))?(?::([^:/]*))?", value)
    if not found or found[2] in (".", ".."):
        raise usage(f"invalid sink 'github-actions:{value}': write {_WRITTEN}")
    return ActionsSecret(found[1], found[2], found[3] or "", _name(found[4]))


def _name(text: str | None) -> str:
    name = (text if text is not None else DEFAULT_NAME).upper()  # GitHub stores names in capitals
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name) or name.startswith("GITHUB_"):
        raise usage(f"invalid secret name {text!r}: use letters, digits and _, not beginning with a digit or GITHUB_")
    return name


class GithubActionsSink(Sink):
    """Writes the secret, encrypted for GitHub; an organisation's keeps its visibility and repositories."""

    kind = "github-actions"
    pattern = "github-actions:OWNER/REPO[/environments/ENV][:NAME]"
    reads_back: ClassVar[str] = "no: GitHub shows no secret; that updated_at moved is seen"
    old_versions: ClassVar[str] = "replaced; runs queued before keep the old key of repository and organisation secrets"
    beware: ClassVar[str] = "runs that are queued keep the old key: the grace has to be longer than runs stay queued"
    tested_against: ClassVar[str] = "a server of the tests, held to GitHub's REST description; not GitHub itself yet"

    def __init__(self, spec: SinkSpec, context: SinkContext) -> None:
        super().__init__(spec, context)
        self._place = parse(spec.value)

    @classmethod
    def parse(cls, value: str) -> str:
        """A secret's place and name in full. Raises usage(); Problem (exit 2) where the extra is not installed."""
        needed("github", "nacl", "PyNaCl")
        return parse(value).written()

    @classmethod
    def place(cls, value: str) -> str | None:
        """GitHub's names know no case."""
        return f"github-actions:{parse(value).written().lower()}"

    @classmethod
    def needs(cls, value: str) -> SinkNeeds:
        """The token's permissions."""
        found = parse(value)
        what = "repository permission Environments" if found.environment else "repository permission Secrets"
        what = what if found.repository else "organisation permission Secrets"
        return SinkNeeds(
            words=(
                f"a GitHub token (GH_TOKEN) with the {what}: read and write; a workflow's own GITHUB_TOKEN cannot write them",
                cls.beware,
            )
        )

    async def preflight(self) -> None:
        """The token sees the place's public key. Raises Problem."""
        async with HttpSession(await github.target()) as session:
            await self._public_key(session)

    async def deliver(self, key: KeyString, *, key_id: str = "") -> Delivery:
        """Write the secret. Raises Problem: a token without the permission, a place that it does not see."""
        async with HttpSession(await github.target()) as session:
            public = await self._public_key(session)
            before = await self._secret(session)
            body = {"encrypted_value": github.sealed(str(public["key"]), key.reveal()), "key_id": public["key_id"]}
            if not self._place.repository:
                body |= await self._audience(session, before)
            answer = await session.call("PUT", f"{self._place.path}/{self._place.name}", body)
            if not answer.ok:
                raise github.refusal(answer, f"the secret {self._place.written()} was not written")
            after = await self._secret(session)
        if after is None or (before is not None and str(after.get("updated_at")) < str(before.get("updated_at"))):
            raise Problem(
                Cause.CONFLICT,
                f"GitHub took the secret {self._place.written()}, and does not show it as updated",
                fix=("see: gh secret list", "then run again"),
            )
        nobody = "; no repository may read it yet: give it some in the organisation's settings"
        unseen = nobody if before is None and not self._place.repository else ""
        return Delivery(True, f"written as {self._place.name}, updated at {after.get('updated_at')}{unseen}")

    async def read_back(self, key: KeyString) -> bool | None:
        """Unknown: GitHub shows no secret."""
        return None

    async def _public_key(self, session: HttpSession) -> Mapping[str, Any]:
        answer = await session.call("GET", f"{self._place.path}/public-key")
        if not answer.ok or not isinstance(answer.data, dict) or "key" not in answer.data:
            raise github.refusal(answer, f"the secrets of {self._place.written().rpartition(':')[0]} cannot be reached")
        return answer.data

    async def _secret(self, session: HttpSession) -> Mapping[str, Any] | None:
        answer = await session.call("GET", f"{self._place.path}/{self._place.name}")
        if answer.status == 404 and answer.data is not None:
            return None
        if not answer.ok or not isinstance(answer.data, dict):
            raise github.refusal(answer, f"the secret {self._place.written()} cannot be seen")
        return answer.data

    async def _audience(self, session: HttpSession, before: Mapping[str, Any] | None) -> dict[str, Any]:
        """Who may read an organisation's secret: as before; a new one nobody, until somebody chooses."""
        if before is None:
            return {"visibility": "selected", "selected_repository_ids": []}
        if before.get("visibility") != "selected":
            return {"visibility": before["visibility"]}
        ids: list[int] = []
        while True:
            page = len(ids) // _PAGE + 1
            answer = await session.call(
                "GET", f"{self._place.path}/{self._place.name}/repositories?per_page={_PAGE}&page={page}"
            )
            if not answer.ok or not isinstance(answer.data, dict):
                raise github.refusal(answer, f"which repositories may read {self._place.written()} cannot be seen")
            found = [int(each["id"]) for each in answer.data.get("repositories") or ()]
            ids += found
            if len(found) < _PAGE:
                return {"visibility": "selected", "selected_repository_ids": ids}
