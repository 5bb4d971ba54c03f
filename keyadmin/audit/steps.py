"""What to do about a key, in an order that is safe to follow: contain it, replace it, delete it.

The same for every rule that found something: a rule says what is wrong, this says what to type. Each command reads what it
depends on itself, shows it and asks; nothing here rests on what was not read.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, overload

from keyadmin.audit.case import OPEN, ROTATIONS, USE_UNREAD, KeyCase, shape_of
from keyadmin.audit.commands import command
from keyadmin.audit.judgement import FixStep
from keyadmin.audit.model import AuditFacts, Finding, Replaced
from keyadmin.audit.rules import open_client_restriction
from keyadmin.keys.bearer import CLIENTS_OF
from keyadmin.model.command_line import typed
from keyadmin.model.key import GEMINI, Key
from keyadmin.model.name_forms import name
from keyadmin.rotation.decide import Action

Names = tuple[str, str]  # of the key and of its project, as they are typed

# Stand-ins in commands that keys of a kind share, in the form of what they stand for.
_KEY: Final = "key-0b1f7c5e93"
_PROJECT: Final = "project-0b1f7c5e93"
_NOTHING: Final[dict[str, str]] = {}
_CLIENTS: Final = ("clients",)  # no metric tells from where a key is used (Cloud Monitoring, labels of request_count)
ORDERED: Final = frozenset(
    (
        *OPEN,
        *ROTATIONS,
        *("key-string-in-name", "standard-key", "mixed-targets", "open-client-restriction", "key-too-old", "unused-key"),
        *(
            "use-anomaly",
            "unused-target",
            "api-off",
            "no-client-restriction",
            "too-many-keys",
            "deleted-key-recoverable",
            "undisplayable-key",
        ),
    )
)
"""The rules whose findings become steps here; every other rule's own way is shown as it is."""
_PUBLISHED: Final = "once it is published and nothing calls the old one any more"
_NOT_YOURS: Final = "if these calls are not yours: a new key, and this one is deleted"
_NOT_YOURS_PUBLIC: Final = (
    "if these calls are not yours: publish the page or the app with a new key, then delete this one; until then it stops nobody"
)
_OLD: Final = "deletes the old key once its grace of 24 h is over and nothing uses it"


class Steps(Sequence[FixStep]):
    """The steps of one key. Keys of the same kind share them but for the names in the commands, which are put in when read."""

    __slots__ = ("_found", "_names", "_shape")

    def __init__(self, shape: tuple[FixStep, ...], names: Names, found: Mapping[str, str]) -> None:
        self._shape = shape
        self._names = names
        self._found = found

    def __len__(self) -> int:
        return len(self._shape)

    @overload
    def __getitem__(self, place: int) -> FixStep: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[FixStep]: ...
    def __getitem__(self, place: int | slice) -> FixStep | Sequence[FixStep]:
        if isinstance(place, slice):
            return tuple(self)[place]
        step = self._shape[place]
        return replace(step, command=self.command(place))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))

    def command(self, place: int) -> str:
        """What to type at this step."""
        text = self._shape[place].command
        key, project = self._names
        return self._found.get(text) or text.replace(_KEY, key).replace(_PROJECT, project)

    def not_read(self, place: int) -> tuple[str, ...]:
        """What this step depends on and was not read."""
        return self._shape[place].not_read


class StepBook:
    """The steps of keys, worked out once for all of a kind."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[FixStep, ...]] = {}

    def steps_of(self, facts: AuditFacts, key: Key | None, found: Mapping[str, Finding]) -> Steps:
        """The steps for a key (None = for the project) with these findings, at least one."""
        # What a rule itself says is to be typed stands under the rule's name.
        own = {rule: finding.fix for rule, finding in found.items() if finding.fix} or _NOTHING
        if key is None:
            first = next(iter(found))
            return Steps((FixStep("review", first, "see what there is; people say which may go"),), ("", ""), own)
        shape = (shape_of(facts, key, found), tuple(own))
        steps = self._known.get(shape)
        if steps is None:
            self._known[shape] = steps = _shaped(KeyCase(facts, key, found, facts.replaced.get(key.name)))
        return Steps(steps, (name("key", key.key_id), name("project", key.project)), own)


def _shaped(case: KeyCase) -> tuple[FixStep, ...]:
    """The steps with stand-ins for the key's id and its project, and rules where their own fix is to be typed."""
    key = case.key
    stand_in = replace(key, name=f"projects/1/locations/global/keys/{_KEY}", project=_PROJECT)
    case = replace(case, key=stand_in)
    if key.delete_time is not None and case.rotation is not None:
        return (_of_rotation(case),)
    if key.delete_time is not None:
        return (_look(case, "it is deleted: see what it was; `keys undelete` brings it back if that was a mistake"),)
    return tuple(_steps(case)) or (_review(case),)


def _steps(case: KeyCase) -> Iterator[FixStep]:
    if (anomaly := case.found.get("use-anomaly")) is not None:  # first: what follows would go by a thief's calls too
        yield FixStep("review", anomaly.rule, _NOT_YOURS_PUBLIC if case.key.public else _NOT_YOURS)
    yield from _names(case)
    if case.replaced is not None:
        yield from _of_successor(case, case.replaced)
        return
    if case.rotation is None and "unused-key" in case.found:
        yield from _unused(case)
        return
    if case.rotation is None and case.dead:
        why = "the APIs that it is for are off, and nothing calls them with it"
        yield FixStep("delete", command("keys delete", case.key), why)
        return
    yield from _apis(case)
    yield from _clients(case)
    replacement = tuple(_replacement(case))
    yield from replacement
    yield from _of_others(case)
    if not replacement:
        yield from _from_where(case)


def _unused(case: KeyCase) -> Iterator[FixStep]:
    """Deleted where no call is known. A monthly job was seen in the six weeks, and not in the last 30 days."""
    if case.use is None:
        why = "its use was read: no call in the six weeks that are kept; undelete brings it back for 30 days"
        yield FixStep("delete", command("keys delete", case.key), why)
        return
    yield from _apis(case)
    why = "called in the last six weeks, though not in the last 30 days: see for what; delete it only if nothing needs it"
    yield FixStep("review", command("keys usage", case.key), why)


def _names(case: KeyCase) -> Iterator[FixStep]:
    if finding := case.found.get("key-string-in-name"):
        fix = finding.rule if finding.fix else command("keys rename", case.key, "NAME")
        yield FixStep("contain", fix, "whoever may list keys reads the key string there")


def _apis(case: KeyCase) -> Iterator[FixStep]:
    """Fewer APIs: what the key is not used for."""
    if case.open or (case.key.restricted == "mixed" and (not case.use_known or case.to_used_does)):
        yield from _to_used(case)
    elif case.surplus:
        fix = command("keys restrict", case.key, remove_api_target=sorted(name("service", each) for each in case.surplus))
        yield FixStep("contain", fix, "nothing uses these APIs with it")


def _to_used(case: KeyCase) -> Iterator[FixStep]:
    """Restricted to what it is used for."""
    key = case.key
    if case.facts.blind:
        yield FixStep("review", command("keys usage", key), "says why its use could not be read, and what it takes", USE_UNREAD)
    if case.grown and (not case.use_known or (case.use is not None and case.use.answered)):
        why = "shuts out every API that it is not used for"
        unread = "" if case.use_known else "; the command reads its use, which was not read here: on that no key is deleted"
        yield FixStep("contain", command("keys restrict", key, to_used=True), f"{why}{unread}", case.not_read)
        return
    called = sorted(name("service", each) for each in case.called)
    why = "shuts out every other API" if called else "shuts out every other API; name the one that it is for"
    yield FixStep(
        "contain", command("keys restrict", key, api_target=called or ["SERVICE"]), why, () if called else case.not_read
    )


def _clients(case: KeyCase) -> Iterator[FixStep]:
    if "open-client-restriction" in case.found:
        yield FixStep("contain", open_client_restriction.way(case.key), "a copy of it works from nowhere else", _CLIENTS)


def _from_where(case: KeyCase) -> Iterator[FixStep]:
    """Which clients use a key no metric tells: that is for people to say, and comes last. A successor is asked about later."""
    if "no-client-restriction" in case.found:
        fix = command("keys restrict", case.key, **CLIENTS_OF[case.borne_by])
        yield FixStep("review", fix, "a copy of it works from nowhere else; say from where it is used", _CLIENTS)


def _where_published(case: KeyCase) -> Iterator[FixStep]:
    """A page or an app shows its key to everybody: from where it works is what protects it, and its successor too."""
    if "no-client-restriction" in case.found:
        fix = command("keys restrict", case.key, **CLIENTS_OF[case.borne_by])
        yield FixStep("contain", fix, "everybody can read it there: elsewhere a copy of it does not work", _CLIENTS)


def _replacement(case: KeyCase) -> Iterator[FixStep]:
    key = case.key
    if case.rotation is not None:
        yield _of_rotation(case)
    elif case.for_gemini:
        why = "makes an auth key for Gemini and hands it over: the Gemini API refuses standard keys"
        yield FixStep("replace", command("keys migrate", key, to="SINK"), why)
        if key.restricted == "gemini" or case.called == {GEMINI}:  # else it is split, and keeps the rest
            yield FixStep("delete", command("keys migrate", key, to="SINK"), f"again: {_OLD}")
    elif key.restricted == "mixed" and key.key_type == "auth" and not case.surplus and case.use_known:
        yield from _split(case)
    elif (why := _why_rotate(case)) and case.borne_by is not None:
        yield from _where_published(case)
        yield FixStep("replace", command("keys clone", key), f"{why}; publish the page or the app with the new one")
        yield FixStep("delete", command("keys delete", key), _PUBLISHED, USE_UNREAD)
    elif why:
        yield FixStep("replace", command("keys rotate", key, to="SINK"), why)
        yield FixStep("delete", command("keys rotate", key, to="SINK"), f"again: {_OLD}")


def _why_rotate(case: KeyCase) -> str:
    """Why the key is to be replaced by one like it; empty where it need not be."""
    if "key-string-in-name" in case.found:
        return "makes a new key string: whoever has read the name has the old one"
    if "gemini-exposed-key" in case.found and (case.calls_gemini or not case.use_known) and case.key.key_type == "auth":
        return "makes a new key string: copies of the old one stay good for Gemini"
    if "key-too-old" in case.found:
        return "makes a new key string: every copy ever made of the old one works"
    return ""


def _split(case: KeyCase) -> Iterator[FixStep]:
    """An auth key that is used for Gemini and for other APIs."""
    create = typed("keys create", name="NAME", project=case.key.project, to="SINK")
    yield FixStep("replace", create, "a key for Gemini alone; let what calls Gemini use it")
    narrow = command("keys restrict", case.key, remove_api_target=GEMINI)
    yield FixStep("contain", narrow, "takes Gemini from this one, once nothing calls Gemini with it any more")


def _of_successor(case: KeyCase, replaced: Replaced) -> Iterator[FixStep]:
    """An old key whose rotation is under way: another one would only make one key more."""
    told = replaced.words.removeprefix("; ")
    to = "SINK" if replaced.sinks or (replaced.action is Action.PUBLISH and case.borne_by is None) else None
    if replaced.action is Action.PUBLISH:
        yield FixStep("replace", command("keys rotate", case.key, to=to), f"{told}: hands that over, and makes none")
        return
    waits = replaced.action is Action.WAIT
    if waits:
        why = f"{told}: wait until then, and see that what uses this one has the new one"
        yield FixStep("review", command("rotation status", case.key), why)
    given = ", with the same sinks" if to else ""
    yield FixStep("delete", command("keys rotate", case.key, to=to), f"{'then' if waits else told}{given}: {_OLD}")


def _of_rotation(case: KeyCase) -> FixStep:
    """Rotated again, or another way out, which a person has to choose."""
    assert case.rotation is not None
    if case.resumes:
        to = None if case.borne_by is not None else "SINK"  # where a page or an app bears it, no sink takes it there
        return FixStep("replace", command("keys rotate", case.key, to=to), "the rotation goes on where it stopped")
    return FixStep("review", case.rotation.rule, "the way on that its rotation has")


def _of_others(case: KeyCase) -> Iterator[FixStep]:
    """What rules say that this file does not know, those of other packages among them."""
    for rule, finding in case.found.items():
        if rule not in ORDERED and finding.fix:
            yield FixStep("review", rule, f"what the rule {rule} says to do")


def _look(case: KeyCase, why: str) -> FixStep:
    return FixStep("review", command("keys describe", case.key), why)


def _review(case: KeyCase) -> FixStep:
    """What a rule of another package says is to be typed, else the key itself."""
    first = next((finding for finding in case.found.values() if finding.fix), None)
    fix = first.rule if first is not None else command("keys describe", case.key)
    return FixStep("review", fix, "see what it is for: nothing about it is urgent", case.not_read)
