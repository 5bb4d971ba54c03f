"""Writes the pages of the reference that are made from the code: `python docs/generate.py`, or `nox -s docs`."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent


def commands() -> str:
    """Every command with its help, from the tables of the command line."""
    from keyadmin.cli.app import ROOT

    out = ["# Commands\n", "Made from the code by `nox -s docs`.\n", f"## keyadmin\n\n```text\n{help_of([])}\n```\n"]
    for path, _ in walk(ROOT, []):
        heading = "##" if len(path) == 1 else "###"
        out.append(f"{heading} keyadmin {' '.join(path)}\n\n```text\n{help_of(path)}\n```\n")
    return "\n".join(out)


def walk(group: object, path: list[str]) -> Iterator[tuple[list[str], bool]]:
    """All commands and groups below a group, in the order of the tables."""
    from keyadmin.cli.lazy import CommandGroup, imported

    assert isinstance(group, CommandGroup)
    for name, entry in group.entries.items():
        found = imported(entry)
        yield [*path, name], isinstance(found, CommandGroup)
        if isinstance(found, CommandGroup):
            yield from walk(found, [*path, name])


def help_of(path: list[str]) -> str:
    """What `keyadmin PATH --help` prints on a terminal of 100 columns."""
    from keyadmin.cli.app import main

    os.environ["COLUMNS"] = "100"
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        code = main([*path, "--help"], {})
    assert code == 0, path
    return text.getvalue().strip()


def causes() -> str:
    """The catalogue of causes."""
    from keyadmin.model.causes.table import entry
    from keyadmin.model.problem import Cause

    out = [
        "# Causes\n",
        "Every error of keyadmin, and every answer of `keyadmin explain`, has one of these causes.",
        "Made from the code.\n",
    ]
    for cause in Cause:
        found = entry(cause)
        out.append(f"## {cause.value}\n\n**{found.title}.** {found.explanation}\n")
        if cause is not Cause.UNKNOWN:
            out.append(f"Whose turn: {found.turn}.\n")
        out += [f"- {fix}" for fix in found.steps]
        for variant in found.variants.values():
            whose = f" Whose turn: {variant.turn}." if variant.turn is not None else ""
            out.append(f"\n{variant.explanation or 'Otherwise:'}{whose}\n")
            out += [f"- {fix}" for fix in variant.steps]
        out.append(f"\nSource: {found.source}\n")
    return "\n".join(out)


def audit_rules() -> str:
    """The rules of audits."""
    from keyadmin.audit.rules import rules

    out = ["# Rules of keyadmin audit\n", "Made from the code. How to audit: [Audit](../audit.md).\n"]
    out += ["| Rule | Severity | Finds |", "|---|---|---|"]
    out += [f"| [{rule.id}](#{rule.id}) | {_severity(rule.id)} | {rule.title} |" for rule in rules().values()]
    for rule in rules().values():
        out.append(f"\n## {rule.id}\n\n**{rule.title}** ({_severity(rule.id)}). {rule.help}\n")
        out.append(f"What to do: {rule.fix}\n\nSource: {rule.source}")
    return "\n".join(out) + "\n"


def _severity(rule: str) -> str:
    from keyadmin.audit.rules import rules

    return "high or low" if rule == "standard-key" else rules()[rule].severity.word


def policy_schema() -> str:
    """The JSON Schema of the policy file."""
    from keyadmin.rotation.settings import schema

    return json.dumps(schema(), indent=2) + "\n"


def fix_plan_schema() -> str:
    """The JSON Schema of plans of repairs."""
    from keyadmin.audit.fix.schema import plan_schema

    return json.dumps(plan_schema(), indent=2) + "\n"


def fix_journal_schema() -> str:
    """The JSON Schema of a line of their journals."""
    from keyadmin.audit.fix.schema import journal_schema

    return json.dumps(journal_schema(), indent=2) + "\n"


def sinks() -> str:
    """The kinds of sink."""
    from keyadmin.handover.registry import built_in

    out = ["# Sinks\n", "Made from the code. How to use them, and what trips people over: [Sinks](../sinks.md).\n"]
    out += ["| Written | Read back | The old key there | Bound to this machine | Tested against |", "|---|---|---|---|---|"]
    for sink in built_in():
        bound = "yes" if sink.local else "no"
        cells = (f"`{sink.pattern}`".replace("|", "\\|"), sink.reads_back, sink.old_versions, bound, sink.tested_against)
        out.append(f"| {' | '.join(cells)} |")
    out.append("\n## What an account needs\n")
    for sink in built_in():
        needs = sink.needs(_EXAMPLES.get(sink.kind, ""))
        wanted = [*needs.words, *([f"on the secret's project: {', '.join(needs.permissions)}"] if needs.permissions else [])]
        out.append(f"- `{sink.kind}`: {'; '.join(wanted) or 'nothing beside writing there'}")
    return "\n".join(out) + "\n"


_EXAMPLES = {
    "kubernetes": "web/gemini?restart=deployment/app",
    "github-actions": "OWNER/REPO",
    "vault": "MOUNT/PATH",
}


def layers() -> str:
    """The packages as they import each other, read from the source."""
    sys.path.insert(0, str(HERE.parent))
    from tests.architecture.imports import area, modules, own
    from tests.architecture.test_layers import ORDER

    packages = [*reversed(ORDER), "sandbox"]
    below: dict[str, set[str]] = {name: set() for name in packages}
    for name in modules():
        if area(name) in below:
            below[area(name)] |= {area(other) for other in own(name)} & set(packages) - {area(name)}
    out = ["# Layers\n", "Made from the imports of every file, those inside functions and for types too. What they mean:"]
    out += ["[architecture](../architecture.md).\n", "```text"]
    for name in packages:
        arrows = " ".join(other for other in packages if other in below[name]) or "nothing of keyadmin"
        if any(area(module) == name for module in modules()):
            out.append(f"{name:<11}-> {arrows}")
    return "\n".join([*out, "```"]) + "\n"


def man_page() -> str:
    """The man page, keyadmin(1): every command with its help, as roff."""
    from keyadmin.cli.app import ROOT

    out = ['.\\" Made from the code by `nox -s docs`.', '.TH KEYADMIN 1 "" "keyadmin" "User Commands"', ".SH NAME"]
    out += ["keyadmin \\- administer Google Cloud projects and Gemini API keys", ".SH SYNOPSIS", ".B keyadmin"]
    out += ["[GLOBAL OPTIONS] COMMAND [ARGUMENTS]", ".SH DESCRIPTION", ".nf", _roff(help_of([])), ".fi", ".SH COMMANDS"]
    for path, is_group in walk(ROOT, []):
        if not is_group:
            out += [f".SS keyadmin {' '.join(path)}", ".nf", _roff(help_of(path)), ".fi"]
    out += [".SH EXIT STATUS", ".nf", _roff(_EXIT_CODES), ".fi"]
    return "\n".join(out) + "\n"


_EXIT_CODES = """0    done
1    failed; a refused check before a change, and a declined question, too
2    wrong usage, or a confirmation that was needed (--yes)
3    checks ran and found a problem: doctor, audit, verify, explain, scan, a part of a bulk run
4    no usable credentials
130  interrupted"""


def _roff(text: str) -> str:
    lines = (line.replace("\\", "\\e").replace("-", "\\-") for line in text.splitlines())
    return "\n".join(f"\\&{line}" if line[:1] in (".", "'") else line for line in lines)


def output_page() -> str:
    """The fields of every command's output, which are the columns of its CSV."""
    from keyadmin.cli.documents import FORMS
    from keyadmin.cli.fields import columns

    out = [_OUTPUT]
    for words in FORMS:
        names = [".".join(path) for path in columns(words)]
        said = ", ".join(f"`{name}`" for name in names) or "the names of the variables"
        out.append(f"## keyadmin {words}\n\n{said}. [Schema](schemas/{words.replace(' ', '-')}.json).\n")
    return "\n".join(out)


_OUTPUT = """# What commands print

Made from the code by `nox -s docs`. What may change, and when: [Compatibility](../compatibility.md).

`--format json` prints one document, `jsonl` a line for each element of it, `yaml` the same as `json`, `csv` a row for each
element. Each command's document has a JSON Schema (draft 2020-12), linked below; its `$anchor` `line` is a line of `jsonl`.
`$id` ends in the version of the document. Where a command fails with `--format json`, the last line of stderr is the object
of [error.json](schemas/error.json).

## --fields

`--fields name,restrictions.apiTargets` prints only these fields, in this order, in every format but `html` and `sarif`. A field
is named as in JSON, with dots below the objects and lists that it is in; an object's name stands for all of it. Of a report
(audit, audit fix, guard) the fields are those of its rows, and the rows alone are printed. What is not there is left out.

## CSV

The first line has the names of the columns: the fields below, always all of them, also where there is no row.

- `true` and `false`; nothing for null and for what is absent.
- The elements of a list are joined by `;`, those of a list within a list by `,`. Where a list has objects, each of their
  fields is a column, with an element at the same place in each: `a.googleapis.com;b.googleapis.com` in
  `restrictions.apiTargets.service`.
- Fields of any name (`annotations`, `labels`, `calls`) are in one column: `owner=web;team=search`.
- A text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@` or a tab) has an apostrophe before it.
- Separators may also occur in a name: use `json` where that matters.

Of a key, `keyType` is `auth` (bound to a service account, as the Gemini API asks) or `standard`. `restricted` says which APIs
it may call:

| `restricted` | The key may call | `restrictions.apiTargets.service` |
|---|---|---|
| `gemini` | the Gemini API and nothing else | `generativelanguage.googleapis.com` |
| `other` | some APIs, not the Gemini API | their names |
| `mixed` | the Gemini API and others | their names |
| `none` | **any API that is on in its project** | empty, or has `cloudapis.googleapis.com` (all of them) |

Where an option asks for something else, a dry run or `doctor --connection`, the columns are those of what is printed.
"""


def pages() -> dict[str, str]:
    """Every page that is made from the code, by its place below docs."""
    sys.path.insert(0, str(HERE.parent))
    from tools.json_schemas import pages as schema_pages

    return {name: make() for name, make in PAGES.items()} | schema_pages()


PAGES = {
    "man/keyadmin.1": man_page,
    "reference/commands.md": commands,
    "reference/causes.md": causes,
    "reference/audit-rules.md": audit_rules,
    "reference/keyadmin.schema.json": policy_schema,
    "reference/fix-plan.schema.json": fix_plan_schema,
    "reference/fix-journal.schema.json": fix_journal_schema,
    "reference/sinks.md": sinks,
    "reference/layers.md": layers,
    "reference/output.md": output_page,
}


def main() -> None:
    """Write all pages."""
    made = pages()
    for path in (HERE / "reference" / "schemas").glob("*.json"):
        if str(path.relative_to(HERE)) not in made:
            path.unlink()
    for name, text in made.items():
        path = HERE / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
