"""One run of the command line: its settings, its console, where its calls go, and which project it is about."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from keyadmin.cli.console import Console
from keyadmin.cli.program import global_options_typed, program
from keyadmin.cli.progress import TerminalObserver
from keyadmin.cli.settings import FORMATS, ResolvedSetting, SandboxChoice, Settings, project_id, sandbox_choice, settle
from keyadmin.model.command_line import call_as, called_as, typed
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Cause, Problem, usage

if TYPE_CHECKING:
    from datetime import datetime

    import typer

    from keyadmin.cli.fields import ChosenFields
    from keyadmin.cloud.connect import Cloud, Target

# Where a command may run: anywhere; in the sandbox only, asked for or not; or it is the sandbox's server itself.
World = Literal["any", "sandbox", "server"]


class Session:
    """Made once a run, kept in the Typer context: `current(ctx)`."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.raw: dict[str, str | bool] = {}
        self.projects_typed: list[str] = []
        """The values of `--project` on the command line, before and after the command."""
        self.console = Console()
        self.observer: Observer = Observer()
        self._settings: Settings | None = None
        self._sandbox_said = False
        self._picked: str | None = None  # the project that the person chose where nothing named one
        self.clock: Callable[[], datetime] | None = None
        """The server's clock, once there is a connection."""
        self.command = "keyadmin"
        """The command as it is typed, `keyadmin keys list`."""
        self.fields: ChosenFields | None = None
        """What `--fields` chose of what is printed."""
        self.fields_typed: str | None = None
        self.feature: str | None = None
        """Which of doctor's features the command is, where it is one."""
        self.choose_project: Callable[[Session, Cloud], Awaitable[str]] | None = None
        """Asks the person at the terminal which project is meant."""
        self.mistaken: tuple[str, str] | None = None
        self.near: tuple[str, ...] = ()
        """The words of a group and the command that it does not have, where that was typed."""
        self.charge_each = False
        """Whether each call is charged to the project that it is about, not to one quota project."""

    def settle(self, formats: tuple[str, ...] = FORMATS, world: World = "any") -> None:
        """Work out the global options for a command that offers `formats` and belongs to `world`.

        Raises usage() for wrong values.
        """
        from keyadmin.cli.logs import direct

        call_as(replace(called_as(), program=program(), options=global_options_typed(self.raw)))
        self._refuse_several_projects()
        if world != "any" and self.raw.setdefault("sandbox", True) is False:
            raise usage("this command is about the sandbox alone", "leave out --no-sandbox")
        choice = sandbox_choice(self.raw.get("sandbox"), self.env)
        if choice is not None and not choice.by_flag:
            call_as(replace(called_as(), outside=("--sandbox",)))
        if choice is not None and world != "server":
            self.say_sandbox(choice)
        self._settings = settings = settle(self.raw, self.env, formats)
        dumb = self.env.get("TERM") == "dumb"
        colour = not settings.no_color and not dumb and sys.stderr.isatty()
        self.console = Console(quiet=settings.quiet, verbose=settings.verbose, colour=colour)
        self.observer = TerminalObserver(self.console, dumb=dumb)
        direct(self.console, server=world == "server")

    def _refuse_several_projects(self) -> None:
        """Raises usage() where `--project` names different projects."""
        named = list(dict.fromkeys(text.removeprefix("projects/") for text in self.projects_typed))
        if len(named) > 1:
            said = " and ".join(f"--project {text}" for text in named)
            raise usage(f"{said}: a command is about one project", "leave all but one of them out")

    def refuse_beside_project(self, given: Sequence[str]) -> None:
        """Raises usage() where `--project` stands on the command line beside these other ways to name projects."""
        if given and self.projects_typed:
            ways = " and ".join(given)
            raise usage(f"--project and {ways} do not go together: both say which projects", "leave one of them out")

    def say_sandbox(self, choice: SandboxChoice) -> None:
        """The line that keeps the sandbox from being taken for Google; once a run, `--quiet` or not."""
        if not self._sandbox_said:
            self.console.say(f"This is {choice}, not Google Cloud (as {choice.user}).", style="dim")
            self._sandbox_said = True

    def say_chosen_sandbox(self, arguments: Sequence[str]) -> None:
        """The same for a command line that failed before its options were settled, read off what was typed."""
        if self._settings is not None:
            return
        flags = [argument for argument in arguments if argument in ("--sandbox", "--no-sandbox")]
        try:
            choice = sandbox_choice(flags[-1] == "--sandbox" if flags else self.raw.get("sandbox"), self.env)
        except Problem:
            return  # no choice at all, which the failure itself may be about
        if choice is not None:
            self.say_sandbox(choice)

    @property
    def settled(self) -> bool:
        """Whether the global options are worked out."""
        return self._settings is not None

    @property
    def settings(self) -> Settings:
        """The settled global options."""
        if self._settings is None:
            self.settle()
        assert self._settings is not None
        return self._settings

    @property
    def sandbox(self) -> SandboxChoice | None:
        """The sandbox that the command runs against, None = Google."""
        return self.settings.sandbox

    @property
    def mark(self) -> dict[str, bool]:
        """What the JSON objects of keys, projects and all that is done with them carry in the sandbox (contract 2)."""
        return {"sandbox": True} if self.sandbox is not None else {}

    def now(self) -> datetime:
        """The time by the server's clock, as far as its answers told it; else the local one. Aware, UTC.

        Rounded up by the second that Date headers are cut by: what is a day old counts as a day old.
        """
        from datetime import UTC, datetime, timedelta

        return self.clock() + timedelta(seconds=1) if self.clock is not None else datetime.now(UTC)

    @property
    def format(self) -> str:
        """The output format."""
        return self.settings.format

    def json_wanted(self, typed: object) -> bool:
        """Whether failures are told as JSON too; `typed` is the format on the command line, where options failed to parse."""
        if self._settings is not None:
            return self._settings.format == "json"
        return (typed or self.env.get("KEYADMIN_FORMAT")) == "json"

    @property
    def colour(self) -> bool:
        """Whether data on stdout may be coloured."""
        return not self.settings.no_color and self.env.get("TERM") != "dumb" and sys.stdout.isatty()

    @property
    def interactive(self) -> bool:
        """Whether a person is there to be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def words(self) -> str:
        """The command without the program's name: `keys list`."""
        return self.command.partition(" ")[2]

    def choose_fields(self) -> None:
        """Work out `--fields`. Raises usage() for fields that are not there, and beside a format that has none."""
        if self.fields_typed is None:
            return
        if self.format in ("html", "sarif"):
            raise usage(
                f"--fields and --format {self.format} do not go together", "use table, json, jsonl, csv, yaml or markdown"
            )
        from keyadmin.cli.fields import choose

        self.fields = choose(self.words, self.fields_typed, lines=self.format == "jsonl")

    @property
    def project_given(self) -> bool:
        """Whether `--project` stood on the command line."""
        return "project" in self.raw

    def target(self) -> Target:
        """Where calls go, for `keyadmin.cloud.connect.connect`."""
        from keyadmin.cloud.calls import TIMEOUT_DEFAULT
        from keyadmin.cloud.connect import Embedded, Target, Url

        chosen = self.sandbox
        settings = self.settings
        if chosen is None:
            return Target(
                quota_project=settings.quota_project,
                impersonate=settings.impersonate,
                charge_each=self.charge_each,
                timeout=settings.timeout_s or TIMEOUT_DEFAULT,
            )
        return Target(
            sandbox=Url(chosen.url) if chosen.url else Embedded(chosen.state),
            quota_project=settings.quota_project,
            impersonate=settings.impersonate,
            sandbox_user=chosen.user,
            charge_each=self.charge_each,
            timeout=settings.timeout_s or TIMEOUT_DEFAULT,
        )

    async def project(self, cloud: Cloud) -> str:
        """The project the command is about, in the order of contract 1. Raises usage() where nothing names one."""
        return (await self.project_found(cloud)).value

    async def project_found(self, cloud: Cloud) -> ResolvedSetting:
        """The same with the place it was found in."""
        if self.settings.project is not None:
            return self.settings.project
        named = await cloud.credentials_project()
        if named:
            return project_id(ResolvedSetting(named, "the credentials"))
        if self.interactive and self.choose_project is not None:
            self._picked = self._picked or await self.choose_project(self, cloud)
            return ResolvedSetting(self._picked, "your choice")
        raise usage(
            "no project was given, and nothing names one",
            "add --project ID, or set KEYADMIN_PROJECT",
            f"make one the default: {typed('config set', 'project', 'ID')}",
        )


def current(context: typer.Context) -> Session:
    """The run's session."""
    session = context.find_root().obj
    if not isinstance(session, Session):
        raise Problem(Cause.UNKNOWN, "the command line was not started by keyadmin.cli.app.main")
    return session
