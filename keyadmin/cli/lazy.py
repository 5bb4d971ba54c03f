"""Commands and groups that are imported when they are named, not before; root help needs none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import CompletionItem, TyperCommand, TyperGroup  # type: ignore[attr-defined]

from keyadmin.cli.options import defer_coercion, global_options, shared_options
from keyadmin.cli.session import World, current
from keyadmin.cli.settings import FORMATS
from keyadmin.model.leaned_on import subcommand_typed

CONTEXT_SETTINGS: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """One line of a group's table: where the command is (`module:function`, or `module:GROUP`) and its line of help.

    `feature` = what `doctor --for` calls the command, where it is one of doctor's features. `fields` = takes --fields.
    """

    target: str
    help: str
    section: str = "Commands"
    formats: tuple[str, ...] = FORMATS
    world: World = "any"
    feature: str | None = None
    fields: bool = True


@dataclass(frozen=True, slots=True)
class CommandGroup:
    """A group of commands: its help and its table.

    `own` = what the group's name does where no command follows it: `keyadmin audit` beside `keyadmin audit accept`.
    """

    help: str
    entries: Mapping[str, CommandEntry]
    own: CommandEntry | None = None

    def leaves(self, *path: str) -> Iterator[tuple[tuple[str, ...], CommandEntry]]:
        """Every command below, with the words that name it; a group that is a command too stands before its own."""
        if self.own is not None:
            yield path, self.own
        for name, entry in self.entries.items():
            found = imported(entry)
            if isinstance(found, CommandGroup):
                yield from found.leaves(*path, name)
            else:
                yield (*path, name), entry


def imported(entry: CommandEntry) -> Any:
    """What an entry names: a function or a CommandGroup."""
    module, _, attribute = entry.target.partition(":")
    return getattr(import_module(module), attribute)


class _LightHelp:
    """Typer's own --help option costs no pydantic either."""

    def get_help_option(self, ctx: Any) -> Any:
        """The option, made once."""
        option: Any = super().get_help_option(ctx)  # type: ignore[misc]
        defer_coercion([option])
        return option


class Command(_LightHelp, TyperCommand):
    """A command that also takes the global options and settles them before it runs."""

    entry: CommandEntry

    def invoke(self, ctx: Any) -> Any:
        """Run it: wrong values of global options end here, before the command has done anything."""
        session = current(ctx)
        session.command, session.feature = ctx.command_path, self.entry.feature
        session.settle(self.entry.formats, self.entry.world)
        session.choose_fields()
        session.refuse_beside_project([_written(each) for each in self.params if _names_projects(each, ctx)])
        return super().invoke(ctx)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """As manuals write it: `KEY`, `[ID]...`."""
        return ["[OPTIONS]", *(_argument(each, usage=True) for each in self.params if each.param_type_name == "argument")]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments and options of its own, a pointer to the global ones, and examples."""
        _write_options(self, ctx, formatter)
        _write_examples(ctx, formatter)


def _names_projects(parameter: Any, ctx: Any) -> bool:
    """Whether a parameter of the command, not the global option, was given and says which projects it is about."""
    own = parameter.expose_value and ctx.params.get(parameter.name)
    named = parameter.name in ("projects", "all_projects", "folder", "organization") or parameter.metavar in ("ID", "PROJECT")
    return bool(own and named and not (parameter.param_type_name == "option" and parameter.metavar in ("ID", "PROJECT")))


def _written(parameter: Any) -> str:
    """An option by its long name, an argument by what stands for it in the usage line."""
    return str(parameter.metavar if parameter.param_type_name == "argument" else max(parameter.opts, key=len))


class LazyGroup(_LightHelp, TyperGroup):
    """A group that knows its commands from a table alone."""

    table: Mapping[str, CommandEntry]

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the table's order."""
        return list(self.table)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, imported and built now; None where there is no such name."""
        if cmd_name not in self.commands and cmd_name in self.table:
            self.commands[cmd_name] = build(cmd_name, self.table[cmd_name])
        return self.commands.get(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As Typer does, with "did you mean" over the table."""
        name = args[0]
        if name not in self.table and not name.startswith("-") and not ctx.resilient_parsing:
            self._no_such(ctx, name)
        return super().resolve_command(ctx, args)

    def _no_such(self, ctx: Any, name: str) -> None:
        from difflib import get_close_matches

        from keyadmin.cli.mistakes import knows

        mistaken = (ctx.command_path.partition(" ")[2], name)
        current(ctx).mistaken = mistaken
        near = [] if knows(*mistaken) else [*self._below(name), *get_close_matches(name, self.table, 3, 0.6)]
        current(ctx).near = tuple(near)
        hint = f" Did you mean {' or '.join(repr(word) for word in near)}?" if near else ""
        ctx.fail(f"No such command {name!r}.{hint}")

    def _below(self, name: str) -> list[str]:
        """`keys create` for `create`: the commands of that name in the groups of this one."""
        found = []
        for group_name, entry in self.table.items():
            if entry.target.endswith(":GROUP") and name in imported(entry).entries:
                found.append(f"{group_name} {name}")
        return found

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The commands by section, then the options; nothing is imported for it."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, entry in self.table.items():
            sections.setdefault(entry.section, []).append((name, entry.help))
        width = max((len(name) for name in self.table), default=0)
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), help_) for name, help_ in rows])
        _write_options(self, ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Names from the table, so that completing a group imports none of its commands."""
        names = [CompletionItem(name, help=entry.help) for name, entry in self.table.items() if name.startswith(incomplete)]
        return [*names, *super(TyperGroup, self).shell_complete(ctx, incomplete)]


class CommandWithSubcommands(LazyGroup):
    """A group that is a command too: without a subcommand its own runs, and options stand after a subcommand."""

    own: Command
    entry: CommandEntry

    def invoke(self, ctx: Any) -> Any:
        """Run the subcommand, else the group's own command."""
        if subcommand_typed(ctx):
            return super().invoke(ctx)
        return self.own.invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The subcommand. Options of the own command before it are wrong usage: they would be dropped in silence."""
        found = super().resolve_command(ctx, args)
        given = [_written(each) for each in self.own.params if each.expose_value and _was_given(each, ctx)]
        if given and not ctx.resilient_parsing:
            ctx.fail(f"{', '.join(given)} must not come before {args[0]!r}: write the options of a subcommand after its name")
        return found

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """A subcommand may follow."""
        return ["[OPTIONS]", "[COMMAND]"]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The subcommands, the own command's options, and examples."""
        super().format_options(ctx, formatter)
        _write_examples(ctx, formatter)


def _was_given(parameter: Any, ctx: Any) -> bool:
    value = ctx.params.get(parameter.name)
    return bool(value) and value != parameter.default


def _write_examples(ctx: Any, formatter: Any) -> None:
    from keyadmin.cli.examples import EXAMPLES

    if lines := EXAMPLES.get(ctx.command_path.partition(" ")[2]):
        with formatter.section("Examples"):
            for line in lines:  # not write_text, which would break them
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")


def _write_options(command: Any, ctx: Any, formatter: Any) -> None:
    """The sections Arguments and Options; below the root a pointer stands for the global options."""
    shared = () if ctx.parent is None else global_options()
    parameters = [each for each in command.get_params(ctx) if each not in shared]
    records = [(each.param_type_name, _record(each, ctx)) for each in parameters]
    for kind, title in (("argument", "Arguments"), ("option", "Options")):
        if rows := [record for of, record in records if of == kind and record is not None]:
            with formatter.section(title):
                formatter.write_dl(rows)
    if shared:
        with formatter.section("Global options, before or after the command (keyadmin --help explains them)"):
            formatter.write_text(", ".join(max(option.opts, key=len) for option in shared))


def _record(parameter: Any, ctx: Any) -> tuple[str, str] | None:
    """One line of help. Typer's own names an argument's Python type, and tells twice that it is required."""
    if parameter.param_type_name == "argument":
        return _argument(parameter), parameter.help or ""
    record: tuple[str, str] | None = parameter.get_help_record(ctx)
    return record


def _argument(parameter: Any, *, usage: bool = False) -> str:
    """An argument's name, as the usage line shows it or as the list of arguments does."""
    name = parameter.metavar or parameter.name.upper()
    return (name if parameter.required or not usage else f"[{name}]") + ("..." if parameter.nargs == -1 else "")


def build(name: str, entry: CommandEntry) -> Any:
    """Import what `entry` names and make a command of it. A function becomes a Command, a Group a LazyGroup."""
    found = imported(entry)
    if isinstance(found, CommandGroup):
        return group(name, found, entry.help)
    return _command(name, found, entry)


def _command(name: str, function: Callable[..., Any], entry: CommandEntry) -> Any:
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(name, cls=Command, context_settings=CONTEXT_SETTINGS, short_help=entry.help)(function)
    command: Any = typer.main.get_command(app)
    command.entry = entry
    defer_coercion(command.params)
    command.params = [*command.params, *(shared_options() if entry.fields else ()), *global_options()]
    return command


def group(name: str, described: CommandGroup, short_help: str = "") -> LazyGroup:
    """The group of a table."""
    own = None if described.own is None else build(name, described.own)
    kind = LazyGroup if own is None else CommandWithSubcommands
    made = kind(
        name=name,
        help=described.help if own is None else own.help,
        short_help=short_help,
        params=list(global_options()) if own is None else own.params,
        no_args_is_help=own is None,
        rich_markup_mode=None,
        context_settings=dict(CONTEXT_SETTINGS),
    )
    made.table = described.entries
    if isinstance(made, CommandWithSubcommands) and own is not None:
        made.own, made.entry = own, own.entry
    return made
