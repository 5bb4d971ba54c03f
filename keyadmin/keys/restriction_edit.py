"""What is to become of a key's restrictions: replaced, added to, taken from. Pure; the rules are those of the contract, 3."""

from __future__ import annotations

import ipaddress
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from keyadmin.keys import validate
from keyadmin.model.command_line import typed
from keyadmin.model.key import GEMINI_ONLY, ApiTarget, Key, Restrictions
from keyadmin.model.problem import Cause, Exit, Problem, usage

Kind = Literal["ips", "referrers", "android", "ios"]
KINDS: Final[tuple[Kind, ...]] = ("ips", "referrers", "android", "ios")
_STANDS_FOR: Final = {
    "ips": "ADDRESS",
    "referrers": "SITE",
    "android": "PACKAGE=SHA1",
    "ios": "BUNDLE_ID",
    "api-target": "SERVICE",
}
Given = dict[str, Sequence[str]]
"""The values of options by kind: `ips`, `referrers`, `android`, `ios`, `api-target`."""


@dataclass(frozen=True)
class RestrictionEdit:
    """A change of restrictions. `replacing` = put in the place of what is there (None = nothing is); `add` and `remove` are
    merged into it."""

    replacing: Restrictions | None = None
    add: Restrictions = field(default_factory=Restrictions)
    remove: Restrictions = field(default_factory=Restrictions)

    @property
    def merges(self) -> bool:
        """Whether it holds for whatever is there: a key that somebody else changed meanwhile is read anew."""
        return self.replacing is None

    @property
    def widens(self) -> bool:
        """Whether it only lets more in: entries are added to lists that are there, and nobody is shut out."""
        return self.replacing is None and self.remove == Restrictions()

    def of(self, key: Key) -> Restrictions:
        """The key's restrictions afterwards. Raises usage(): nothing of the kind to add to, the last entry taken away."""
        old = key.restrictions
        base = old if self.replacing is None else replaced(old, self.replacing)
        return _less(key, _more(key, base, self.add), self.remove)

    def absent(self, key: Key) -> list[str]:
        """Entries that are to be taken away and are not there, in words."""
        old = key.restrictions
        out: list[str] = []
        for kind in KINDS:
            there = {_form(kind, each) for each in getattr(old, kind) or ()}
            gone = [each for each in getattr(self.remove, kind) or () if _form(kind, each) not in there]
            out += entries(Restrictions(**{kind: tuple(gone)}))
        methods = {target.service: target.methods for target in old.targets}
        for target in self.remove.targets:
            if target.service not in methods or (target.methods and not set(target.methods) & set(methods[target.service])):
                out += entries(Restrictions(targets=(target,)))
        return out


def edit(
    replacing: Given, add: Given, remove: Given, *, allow_unknown: bool = False, default: Restrictions = GEMINI_ONLY
) -> RestrictionEdit:
    """The edit that a command's options ask for; nothing named = `default` in the place of the API targets.

    Raises usage() for values of a wrong form, for kinds that do not go together, and for adding beside replacing.
    """
    for kind in (*KINDS, "api-target"):
        beside = [f"--{verb}-{kind}" for verb, given in (("add", add), ("remove", remove)) if given.get(kind)]
        if beside and replacing.get(kind):
            whole = "--api-target" if kind == "api-target" else f"--allowed-{kind}"
            raise usage(
                f"{whole} and {' and '.join(beside)} do not go together: the one replaces the list, the other changes it",
                f"leave out {whole} to keep the existing entries",
            )
    added = _restrictions(add, "--add-", allow_unknown=allow_unknown)
    removed = _restrictions(remove, "--remove-", allow_unknown=True)
    if added == removed == Restrictions():
        new = _restrictions(replacing, "--allowed-", allow_unknown=allow_unknown)
        return RestrictionEdit(default if new == Restrictions() else new)
    new = _restrictions(replacing, "--allowed-", allow_unknown=allow_unknown)
    for verb, given in (("add", added), ("remove", removed)):
        if new.client_kind and given.client_kind:
            raise usage(f"--allowed-{new.client_kind} and --{verb}-{given.client_kind} do not go together")
    return RestrictionEdit(None if new == Restrictions() else new, added, removed)


def replaced(old: Restrictions, new: Restrictions) -> Restrictions:
    """`old` with what `new` names put in its place: the API targets, the kind of client, or both."""
    base = replace(old, referrers=None, ips=None, android=None, ios=None) if new.client_kind else old
    return Restrictions(
        referrers=new.referrers or base.referrers,
        ips=new.ips or base.ips,
        android=new.android or base.android,
        ios=new.ios or base.ios,
        targets=new.targets or base.targets,
    )


def entries(restrictions: Restrictions) -> list[str]:
    """Every entry in words: `site a.example/*`, `API x.googleapis.com`. The target of all APIs restricts nothing."""
    targets = restrictions.targets if restrictions.services else ()
    return [
        *(f"site {site}" for site in restrictions.referrers or ()),
        *(f"address {address}" for address in restrictions.ips or ()),
        *(f"Android app {app.package} ({app.sha1})" for app in restrictions.android or ()),
        *(f"iOS app {bundle}" for bundle in restrictions.ios or ()),
        *(f"API {target.service}" + (f" ({', '.join(target.methods)})" if target.methods else "") for target in targets),
    ]


def going(old: Restrictions, new: Restrictions) -> tuple[str, ...]:
    """The entries of `old` that `new` does not have: whoever relies on one is shut out."""
    return tuple(each for each in entries(old) if each not in set(entries(new)))


def _restrictions(given: Given, prefix: str, *, allow_unknown: bool) -> Restrictions:
    try:
        return validate.restrictions(
            given.get("api-target") or (),
            ips=given.get("ips") or (),
            referrers=given.get("referrers") or (),
            android=given.get("android") or (),
            ios=given.get("ios") or (),
            allow_unknown=allow_unknown,
        )
    except Problem as problem:
        message, targets = problem.message, "--api-target"
        if prefix != "--allowed-":
            message = message.replace("--allowed-", prefix).replace(targets, f"{prefix}api-target")
        raise replace(problem, message=message) from None


def _more(key: Key, old: Restrictions, add: Restrictions) -> Restrictions:
    """With these entries too; each kind has to be there already, or adding one would shut everybody else out."""
    out = old
    if kind := add.client_kind:
        if old.client_kind != kind:
            there = f"is restricted to {old.client_kind}" if old.client_kind else "has no restriction to clients"
            raise _nothing_to_add_to(key, kind, there, {f"allowed_{kind}": _written(kind, getattr(add, kind))})
        there_now = {_form(kind, each) for each in getattr(old, kind) or ()}
        new = [each for each in getattr(add, kind) if _form(kind, each) not in there_now]
        merged = (*(getattr(old, kind) or ()), *new)
        if len(merged) > validate.MAX_CLIENTS:
            raise usage(f"key {key.key_id} would have {len(merged)} entries: a key takes at most {validate.MAX_CLIENTS}")
        out = replace(out, **{kind: merged})
    if add.targets:
        if not old.services:
            targets = [":".join(filter(None, (each.service, ",".join(each.methods)))) for each in add.targets]
            raise _nothing_to_add_to(key, "api-target", "may call every API", {"api_target": targets})
        out = replace(out, targets=_with_targets(old.targets, add.targets))
    return out


def _form(kind: Kind, entry: Any) -> Hashable:
    """What two ways of writing one entry have in common: `192.0.2.7` and `192.0.2.7/32` are one address."""
    if kind == "ips":
        try:
            return ipaddress.ip_network(str(entry).strip(), strict=False)
        except ValueError:
            return str(entry)
    if kind == "android":
        return entry.package, entry.sha1.replace(":", "").upper()
    return str(entry)


def _written(kind: Kind, given: Sequence[Any]) -> list[str]:
    """Entries as they are typed."""
    return [f"{each.package}={each.sha1}" if kind == "android" else str(each) for each in given]


def _nothing_to_add_to(key: Key, kind: str, there: str, options: dict[str, list[str]]) -> Problem:
    begun = typed("keys restrict", key.key_id, project=key.project, **options)
    return usage(
        f"--add-{kind}: key {key.key_id} {there}, so there is no list to add to",
        f"begin one, which shuts out all that it does not name: {begun}",
    )


def _with_targets(old: tuple[ApiTarget, ...], add: tuple[ApiTarget, ...]) -> tuple[ApiTarget, ...]:
    """The targets of both; of one service the methods of both, all where one side allows all."""
    methods = {target.service: target.methods for target in old}
    for target in add:
        before = methods.get(target.service)
        if before is None or not target.methods:
            methods[target.service] = target.methods
        elif before:
            methods[target.service] = tuple(dict.fromkeys((*before, *target.methods)))
    return tuple(ApiTarget(service, named) for service, named in methods.items())


def _less(key: Key, old: Restrictions, remove: Restrictions) -> Restrictions:
    """Without these entries; what is not there is no hindrance. Raises usage() where nothing would be left of a kind."""
    out = old
    if (kind := remove.client_kind) and (there := getattr(old, kind)):
        gone = {_form(kind, each) for each in getattr(remove, kind)}
        left = tuple(each for each in there if _form(kind, each) not in gone)
        if not left:
            raise _last(key, kind, f"allowed_{kind}", "clients")
        out = replace(out, **{kind: left})
    if remove.targets and old.services:
        left_targets = _without_targets(old.targets, remove.targets)
        if not left_targets:
            raise _last(key, "api-target", "api_target", "apis")
        out = replace(out, targets=left_targets)
    return out


def _without_targets(old: tuple[ApiTarget, ...], remove: tuple[ApiTarget, ...]) -> tuple[ApiTarget, ...]:
    """Services named without methods go whole; of the others the methods named go, and the service with its last one."""
    gone = {target.service: set(target.methods) for target in remove}
    left: list[ApiTarget] = []
    for target in old:
        if target.service not in gone:
            left.append(target)
            continue
        named = gone[target.service]
        kept = tuple(method for method in target.methods if method not in named)
        if named and not target.methods:
            left.append(target)  # all methods are allowed: one of them cannot be taken out
        elif named and kept:
            left.append(ApiTarget(target.service, kept))
    return tuple(left)


def _last(key: Key, kind: str, option: str, part: str) -> Problem:
    instead = typed("keys restrict", key.key_id, project=key.project, **{option: _STANDS_FOR[kind]})
    opened = typed("keys unrestrict", key.key_id, project=key.project, **{part: True})
    return Problem(
        Cause.INVALID_ARGUMENT,
        f"--remove-{kind}: nothing of the kind would be left on key {key.key_id}, which would open it to everybody",
        project=key.project,
        fix=(f"name what takes its place: {instead}", f"or open the key knowingly: {opened}"),
        exit_code=Exit.USAGE,
    )
