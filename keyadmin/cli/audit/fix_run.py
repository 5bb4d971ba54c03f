"""A plan shown, asked about, written, carried out, and told of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from keyadmin import __version__
from keyadmin.audit.fix.change import ROTATING, FixChange
from keyadmin.audit.fix.execute import FixOutcome
from keyadmin.audit.fix.foresee import foresee, preview
from keyadmin.audit.fix.journal import FixRecord, read_journal
from keyadmin.audit.fix.observe import WaveVerdict
from keyadmin.audit.fix.plan import FixPlan
from keyadmin.audit.fix.plan_file import read_plan, write_plan
from keyadmin.audit.fix.report import report
from keyadmin.audit.fix.run import FixOptions, FixResult, apply_plan, left_to_do, told, waiting
from keyadmin.audit.fix.scope import check_age, check_scope, check_world, lacking
from keyadmin.audit.fix.waves import FixWave, share
from keyadmin.audit.inventory import AuditScope
from keyadmin.cli.audit import fix_view, show
from keyadmin.cli.audit.fix_files import called, plan_of_run
from keyadmin.cli.audit.fix_options import policy_if_any
from keyadmin.cli.confirm import confirm, would
from keyadmin.cli.render import show_data, show_to_programs
from keyadmin.cli.rotation.options import manner_of
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.cli.settings import FIX_FORMATS
from keyadmin.cli.text import counted
from keyadmin.model.command_line import typed
from keyadmin.model.key import Key
from keyadmin.model.problem import Cause, Exit, Problem, or_problem, usage
from keyadmin.rotation.job import Event
from keyadmin.rotation.notices import Notifier

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.unattended.destinations import Notices


@dataclass
class FixManner:
    """How a plan is gone about, as the command line says."""

    context: typer.Context
    observe: timedelta
    only: bool
    accept_harm: bool
    policy: str | None
    notices: Notices | None
    output: Path | None
    yes: bool
    dry_run: bool

    @property
    def session(self) -> Session:
        """The run's session."""
        return current(self.context)

    def check_output(self) -> None:
        """Raises usage() before anything is done for a place that cannot be written."""
        self._target = show.place(self.session, self.output, FIX_FORMATS)
        if self.session.format == "html" and self.dry_run:
            raise usage("--format html shows what was done, and --dry-run does nothing", "leave one of them out")

    @cached_property
    def _notice(self) -> Notifier | None:
        told = self.notices
        return Notifier(self.session.command, told, sandbox=bool(self.session.mark)) if told else None

    async def check_scope(self, cloud: Cloud, plan: FixPlan, *, written: bool) -> None:
        """Raises Problem (exit 2) where the caller could not apply the plan; where somebody else may, it is said."""
        if (problem := await lacking(cloud, plan)) is None:
            return
        if not written:
            raise problem
        self.session.console.warning(f"with this account the plan cannot be applied: {problem}\n  {'; '.join(problem.fix)}")

    async def looked_at(self, cloud: Cloud, plan: FixPlan, keys: Mapping[str, Key], *, written: bool) -> list[FixOutcome]:
        """What a fresh plan would come to; nothing where it is carried out at once without a question."""
        options, observer = self._options(plan), self.session.observer
        if self.dry_run:
            return await foresee(cloud, plan, FixRecord(), options, observer)
        if self.yes and not written:
            return []
        return await preview(cloud, plan, keys, options, observer, permissions=not written)

    def planned(self, plan: FixPlan, seen: Sequence[FixOutcome], out: Path | None, seconds: float, missed: bool) -> int:
        """Go on from a fresh plan: show it, and write it, or ask and carry it out."""
        session = self.session
        if out is not None or self.dry_run or session.format == "table":
            fix_view.show_plan(session, plan)
        fix_view.tell_plan(session, plan, seconds)
        fix_view.tell_foreseen(session, [] if self.dry_run else _trouble(plan, seen), seen)
        if self.dry_run:
            would(session, self._asked(plan.changes), document=False)
            code = self._ended(FixResult(plan, FixRecord(), list(seen)))
            return Exit.FOUND if missed and code == Exit.OK else code
        if out is not None:
            write_plan(out, plan)
            session.console.note(f"Wrote {out}. Carry it out: {self._applying(plan, out)}", always=True)
            return Exit.FOUND if missed else Exit.OK
        if not plan.changes:
            if session.format in ("json", "yaml"):
                show_to_programs(session, report(plan, FixRecord(), __version__, plan.run).to_json())
            return Exit.FOUND if missed else Exit.OK
        confirm(session, f"{_capital(self._asked(plan.changes))}?", yes=self.yes)
        path = plan_of_run(plan.run)
        write_plan(path, plan, folder=True)
        code = self._applied(plan, path, _nothing)
        return Exit.FOUND if missed and code == Exit.OK else code

    def apply(self, path: Path, scope: Callable[[Cloud], Awaitable[AuditScope]], wave: str | None, *, stale_ok: bool) -> int:
        """Carry out what of a plan is not done yet. Raises Problem (exit 2) for a plan that may not be applied here."""
        session = self.session
        plan = read_plan(path)
        if wave is not None:
            plan = plan.rewaved(share(wave))
        record = read_journal(path, plan.run)
        if plan.edited:
            session.console.note(f"{path} was edited since it was written: its digest is another one.", always=True)
        todo = left_to_do(plan, record)

        async def fits(cloud: Cloud) -> None:
            if plan.changes:  # the answer bears the server's time, whether the key is there or not
                await or_problem(cloud.keys.get(plan.changes[0].name), credentials=False)
            check_scope(plan, await scope(cloud))
            check_world(plan, cloud)
            check_age(plan, cloud, stale_ok=stale_ok)

        if self.dry_run:
            return self._foreseen(plan, record, fits)
        if not self.yes and (todo or waiting(plan, record)):
            if session.interactive:
                seen = self._look(plan, record, fits)
                if session.format == "table" or self.output is not None:
                    fix_view.show_plan(session, replace(plan, changes=tuple(todo)), beside_file=self.output is not None)
                fix_view.tell_foreseen(session, _trouble(plan, seen), seen)
            confirm(session, f"{_capital(self._asked(todo, waiting(plan, record)))}?", yes=False)
        return self._applied(plan, path, fits)

    def _asked(self, todo: Sequence[FixChange], under_way: Sequence[FixChange] = ()) -> str:
        """What is asked about, or would be done: with `--only` the next wave alone."""
        wave = min((change.wave for change in todo), default=0) if self.only else 0
        return _question([change for change in todo if wave in (0, change.wave)], under_way, wave)

    def _look(self, plan: FixPlan, record: FixRecord, fits: Callable[[Cloud], Awaitable[None]]) -> list[FixOutcome]:
        """What applying the plan would come to, as far as reads can tell."""

        async def look(cloud: Cloud) -> list[FixOutcome]:
            await fits(cloud)
            return await foresee(cloud, plan, record, self._options(plan), self.session.observer)

        return run(self.context, look)

    def _foreseen(self, plan: FixPlan, record: FixRecord, fits: Callable[[Cloud], Awaitable[None]]) -> int:
        """The dry run."""
        seen = self._look(plan, record, fits)
        todo = left_to_do(plan, record)
        fix_view.show_plan(self.session, replace(plan, changes=tuple(todo)))
        fix_view.tell_foreseen(self.session, [], seen)
        would(self.session, self._asked(todo, waiting(plan, record)), document=False)
        return self._ended(FixResult(plan, record, list(seen)))

    def _applied(self, plan: FixPlan, path: Path, fits: Callable[[Cloud], Awaitable[None]]) -> int:
        session = self.session
        named = called(path, plan.run)

        async def work(cloud: Cloud) -> FixResult:
            await fits(cloud)
            return await apply_plan(cloud, plan, path, self._options(plan), session.observer)

        try:
            result = run(self.context, work)
        except (Problem, KeyboardInterrupt) as end:
            problem = end if isinstance(end, Problem) else Problem(Cause.UNKNOWN, "interrupted")
            self._emit(Event.failure(session.now(), "run", problem))
            self._send()
            raise
        fix_view.show_report(session, report(plan, result.record, __version__, named), self._target)
        fix_view.tell_harm(session, result.verdicts, plan, named)
        self._tell_rest(result, path, named)
        self._send()
        return self._ended(result)

    def _options(self, plan: FixPlan) -> FixOptions:
        rotates = any(change.kind in ROTATING for change in plan.changes)
        policy = policy_if_any(self.session, self.policy) if rotates else None
        rotation = replace(manner_of(self.session, pinned=False), emit=self._emit)
        return FixOptions(
            self.observe,
            only=self.only,
            accept_harm=self.accept_harm,
            go_on=self._go_on,
            emit=self._emit,
            policy=policy,
            rotation=rotation,
        )

    def _go_on(self, verdict: WaveVerdict, following: FixWave) -> bool:
        """Whether the next wave may come though the last one could not be judged."""
        self.session.console.note(f"Wave {verdict.wave}: {told(verdict)}.", always=True)
        if self.yes:
            return True
        question = f"Go on with wave {following.number}, {counted(len(following.changes), 'change')}, all the same?"
        try:
            confirm(self.session, question, yes=False)
        except Problem:
            return False
        return True

    def _emit(self, event: Event) -> None:
        if self.session.format == "jsonl":
            show_data(self.session, event.to_json())
        if self._notice is not None:
            self._notice(event)

    def _send(self) -> None:
        if self._notice is not None:
            self._notice.send()

    def _tell_rest(self, result: FixResult, path: Path, named: str) -> None:
        """What is left, and the way back."""
        session, plan = self.session, result.plan
        todo = sum(_may_go_on(plan, result.record, change) for change in left_to_do(plan, result.record))
        again = self._applying(plan, path)
        if under_way := waiting(plan, result.record):
            session.console.note(f"{counted(len(under_way), 'rotation')} under way; take them further: {again}", always=True)
        if todo:
            reason = f" ({result.stopped})" if result.stopped else ""
            when = " once the harmed keys are put back, or with --accept-harm" if result.harmed and result.stopped else ""
            session.console.note(f"{counted(todo, 'change')} not made{reason}; go on{when}: {again}", always=True)
        session.console.note(f"Run {plan.run}. Put it back: {typed('audit undo', named)}", always=True)

    def _applying(self, plan: FixPlan, path: Path) -> str:
        """What goes on with a plan: with the policy that was named, where it has rotations, whose sinks stand there alone."""
        rotates = any(change.kind in ROTATING for change in plan.changes)
        return typed("audit fix", apply=str(path), policy=self.policy if rotates else None)

    def _ended(self, result: FixResult) -> int:
        """The exit code: 3, with the reasons, where a change was not made or a wave did harm; a dry run ends with the same."""
        if trouble := _trouble(result.plan, result.trouble):
            first, again = trouble[0], typed("audit fix", **result.plan.scope.options, policy=self.policy, dry_run=True)
            raise Problem(
                Cause(first.cause),
                f"{len(trouble)} of {counted(len(result.plan.changes), 'change')} could not be made",
                project=first.change.project,
                fix=("see why above; make a new plan for keys that were changed since", again),
                exit_code=Exit.FOUND,
                notes=fix_view.reasons(trouble),
            )
        if result.harmed and not self.accept_harm:
            return Exit.FOUND
        return Exit.FAILED if result.stopped and not result.harmed else Exit.OK


def _may_go_on(plan: FixPlan, record: FixRecord, change: FixChange) -> bool:
    """Whether the same plan may still make it: one that was skipped is for a new plan, unless it waits for its first step."""
    found, first = record.of(change), plan.firsts.get(change.name)
    if found is None or found.step != "skipped":
        return True
    return first is not None and first is not change and not _over_or_skipped(record, first)


def _over_or_skipped(record: FixRecord, change: FixChange) -> bool:
    found = record.of(change)
    return found is not None and (found.finished or found.step == "skipped")


def _trouble(plan: FixPlan, seen: Sequence[FixOutcome]) -> list[FixOutcome]:
    """What is not made, or would not be, in the order of the plan."""
    places = {change.slot: place for place, change in enumerate(plan.changes)}
    found = [each for each in seen if each.status in ("skipped", "failed")]
    return sorted(found, key=lambda each: places[each.change.slot])


async def _nothing(cloud: Cloud) -> None:
    """The plan was made just now, with this connection's eyes."""


def _question(todo: Sequence[FixChange], under_way: Sequence[FixChange], only: int) -> str:
    """What is asked about, or would be done; `only` = the number of the one wave that is meant, else 0."""
    further = f"take {counted(len(under_way), 'rotation')} further" if under_way else ""
    if not todo and further:
        return further
    projects = len({change.number for change in todo})
    gone = sum(change.kind == "delete" for change in todo)
    said = f", {counted(gone, 'deletion')} among them" if gone else ""
    waves = f"wave {only} alone" if only else counted(len({change.wave for change in todo}), "wave")
    made = f"make {counted(len(todo), 'change')} in {counted(projects, 'project')} in {waves}{said}"
    return f"{made}, and {further}" if further else made


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
