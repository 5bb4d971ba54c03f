"""Policy files: what is read, and that every mistake is told with file, line and the mend."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keyadmin.handover.registry import parse
from keyadmin.handover.sinks.env_file import variable
from keyadmin.model.key import GEMINI_ONLY, Key
from keyadmin.model.lineage import Lineage, State, claims, read
from keyadmin.model.problem import Exit, Problem
from keyadmin.rotation.policy import load, of_options, rule_for, template

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
GOOD = """\
[[rule]]
projects = ["shop"]
sinks = []
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "keyadmin.toml"
    path.write_text(text)
    return path


def test_the_template_is_a_policy(tmp_path: Path) -> None:
    policy = load(written(tmp_path, template("shop", "machine-1")))
    (rule,) = policy.rules
    assert (rule.projects, rule.max_age, rule.grace) == (("shop",), timedelta(days=90), timedelta(hours=24))


def test_a_policy_of_another_version_is_refused(tmp_path: Path) -> None:
    assert load(written(tmp_path, f"schema-version = 1\n{GOOD}")).rules == load(written(tmp_path, GOOD)).rules
    with pytest.raises(Problem, match="schema-version 2 is unknown to this keyadmin, which reads 1") as raised:
        load(written(tmp_path, f"schema-version = 2\n{GOOD}"))
    assert raised.value.exit is Exit.USAGE


def test_every_line_that_the_template_comments_out_may_be_put_in(tmp_path: Path) -> None:
    head, _, tail = template("shop", "machine-1").partition("[[rule]]")
    lines = [line for line in tail.splitlines() if not line.startswith(("sinks", "projects"))]
    settings = "\n".join(line.removeprefix("# ") if " = " in line and line.startswith("# ") else line for line in lines)
    policy = load(written(tmp_path, f"{head}[[rule]]\n{settings}\n"))
    (rule,) = policy.rules
    assert rule.folders == ("folders/123",)
    assert rule.organizations == ("organizations/123",)
    assert rule.adopted
    assert rule.annotations == {"team": "web"}
    assert (rule.key_type, rule.new_type, rule.machine) == ("auth", "auth", "machine-1")
    assert rule.older_than == timedelta(days=30)
    assert len(rule.sinks) == 2


def test_rules_overrule_the_defaults(tmp_path: Path) -> None:
    text = f'[defaults]\nmax-age = "30d"\ngrace = "1h"\nsinks = ["secret-manager:projects/p/secrets/{{name}}"]\n\n{GOOD}'
    text += '\n[[rule]]\nname = "second"\nprojects = ["other"]\nmax-age = "7d"\n'
    first, second = load(written(tmp_path, text)).rules
    assert (first.name, first.max_age, first.sinks) == ("rule 1", timedelta(days=30), ())
    assert (second.name, second.max_age, second.grace) == ("second", timedelta(days=7), timedelta(hours=1))
    assert second.sinks == ("secret-manager:projects/p/secrets/{name}",)


def test_placeholders_are_the_keys_own(tmp_path: Path) -> None:
    sinks = 'sinks = ["secret-manager:projects/{project}/secrets/{name}", "env-file:/srv/{lineage}.env:KEY"]\nmachine = "m"'
    (rule,) = load(written(tmp_path, GOOD.replace("sinks = []", sinks))).rules
    key = Key("projects/1/locations/global/keys/web", "uid", "My  web/app!", "shop", restrictions=GEMINI_ONLY)
    (lineage,) = read([key], "shop")
    assert [spec.text for spec in rule.specs(lineage)] == [
        "secret-manager:projects/shop/secrets/My-web-app",
        f"env-file:/srv/{lineage.id}.env:KEY",
    ]


@pytest.mark.parametrize("name", ["", "\N{CYRILLIC SMALL LETTER KA}"])
def test_a_key_without_a_name_goes_to_the_same_sink_in_all_generations(tmp_path: Path, name: str) -> None:
    (rule,) = load(written(tmp_path, GOOD.replace("sinks = []", 'sinks = ["secret-manager:projects/p/secrets/{name}"]'))).rules
    founder = Key("projects/1/locations/global/keys/web", "uid", name, "shop")
    (first,) = read([founder], "shop")
    successor = Key(f"projects/1/locations/global/keys/ka-{first.id}-2", "uid-2", name, "shop", annotations=done(first))
    for keys in ([founder], [founder, successor], [successor]):
        (lineage,) = read(keys, "shop")
        assert [spec.value for spec in rule.specs(lineage)] == [f"projects/p/secrets/{first.id}"]


def test_a_key_renamed_while_it_is_rotated_stays_with_its_sink(tmp_path: Path) -> None:
    (rule,) = load(written(tmp_path, GOOD.replace("sinks = []", 'sinks = ["secret-manager:projects/p/secrets/{name}"]'))).rules
    founder = Key("projects/1/locations/global/keys/web", "uid", "web", "shop")
    (first,) = read([founder], "shop")
    renamed = Key(f"projects/1/locations/global/keys/ka-{first.id}-2", "uid-2", "other", "shop")
    (lineage,) = read([founder, renamed], "shop")
    assert [spec.value for spec in rule.specs(lineage)] == ["projects/p/secrets/web"]


def done(lineage: Lineage) -> dict[str, str]:
    return claims(lineage.id, 2, "web", State.RETIRED)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "keyadmin.toml").write_text(GOOD, "utf-8-sig")
    assert load(tmp_path / "keyadmin.toml").rules[0].projects == ("shop",)


def test_a_relative_path_begins_at_the_policy_file(tmp_path: Path) -> None:
    """A schedule that runs elsewhere writes the same file."""
    sinks = 'sinks = ["env-file:app/.env", "env-file:/srv/.env:K", "env-file:~/x"]\nmachine = "m"'
    (rule,) = load(written(tmp_path, GOOD.replace("sinks = []", sinks))).rules
    (lineage,) = read([Key("projects/1/locations/global/keys/web", "uid", "web", "shop")], "shop")
    specs = rule.specs(lineage)
    assert [spec.text for spec in specs] == list(rule.sinks), "as it was written, in plans and fingerprints"
    assert [variable(spec.value) for spec in specs] == [
        (tmp_path / "app/.env", "GEMINI_API_KEY"),
        (Path("/srv/.env"), "K"),
        (Path("~/x").expanduser(), "GEMINI_API_KEY"),
    ]


def test_one_file_written_in_several_ways_is_one_sink(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ways = ["env-file:.env", "env-file:./.env:GEMINI_API_KEY", f"env-file:{tmp_path}/a/../.env"]
    assert len({parse(way).place for way in ways}) == 1
    assert parse("env-file:.env:OTHER").place != parse("env-file:.env").place


def test_the_first_rule_that_selects_a_key_counts(tmp_path: Path) -> None:
    text = GOOD + 'keys = ["web*"]\n\n' + GOOD
    rules = load(written(tmp_path, text)).rules
    web, other = (
        read([Key(f"projects/1/locations/global/keys/{name}", name, name, "shop")], "shop")[0] for name in ("web-1", "x")
    )
    assert rule_for(rules, web, NOW) is rules[0]
    assert rule_for(rules, other, NOW) is rules[1]


@pytest.mark.parametrize(
    ("text", "line", "words", "mend"),
    [
        ("[[rule]]\nprojects = [", 2, "is no TOML", "toml.io"),
        (f"colour = 1\n{GOOD}", 1, "unknown table 'colour'", "[defaults], [[rule]]"),
        (f"defaults = 3\n{GOOD}", 1, "[defaults] is not a table", "[defaults]"),
        ('[defaults]\nmax-age = "90d"\n', None, "there is no rule", "[[rule]]"),
        ('[rule]\nprojects = ["a"]\n', 1, "there is no rule", "[[rule]]"),
        ("[[rule]]\nsinks = []\n", 1, "does not say where to look", "projects"),
        ('[[rule]]\nprojects = ["a"]\n', 1, "does not say where the new key goes", "sinks = []"),
        (f"{GOOD}\n[[rule]]\nprojects = ['b']\nsinks = []\nage = 3\n", 8, "unknown setting 'age'", "max-age"),
        (f'[defaults]\nmax-age = "90d"\nkeys = ["a"]\n\n{GOOD}', 3, "unknown setting 'keys'", "grace"),
        (f'{GOOD}max_age = "90d"\n', 4, "unknown setting 'max_age'", "did you mean max-age?"),
        (f'{GOOD}olderthan = "90d"\n', 4, "unknown setting 'olderthan'", "did you mean older-than?"),
        ('[[rule]]\nprojects = ["My shop"]\n', 2, "'My shop' is neither", "projects list"),
        ('[[rule]]\nprojects = ["shop-*", "Shop-?"]\n', 2, "'Shop-?' is neither", "projects list"),
        (f'{GOOD}max-age = "soon"\n', 4, "'soon' is not a duration", "90d"),
        (f"{GOOD}grace = 24\n", 4, "24 is not a duration", "12h"),
        (f'{GOOD}type = "oauth"\n', 4, "'oauth' is no type", "any, auth, standard"),
        (f'{GOOD}new-type = "standard"\n', 4, "'standard' is no new-type", "keep, auth"),
        (f'{GOOD}keys = "web"\n', 4, "keys is not a list of texts", 'keys = ["...", "..."]'),
        (f'{GOOD}folders = ["123"]\n', 4, "'123' is none of the folders", "folders/123456789"),
        (f'{GOOD}organizations = ["example.com"]\n', 4, "is none of the organizations", "organizations/123456789"),
        (f"{GOOD}annotations = [1]\n", 4, "annotations is not a table", 'team = "web"'),
        (f"{GOOD}adopted = 1\n", 4, "1 is neither true nor false", "adopted = true"),
        (f"{GOOD}name = 1\n", 4, "name is not a text", "name ="),
        ('[[rule]]\nprojects = ["a"]\nsinks = ["nowhere:x"]\n', 3, "'nowhere:x' is not a sink", "hand-over"),
        ('[[rule]]\nprojects = ["a"]\nsinks = ["secret-manager:web"]\n', 3, "is not a secret", "hand-over"),
        ('[[rule]]\nprojects = ["a"]\nsinks = ["env-file:/x/{nmae}"]\n', 3, "unknown placeholder {nmae}", "{lineage}"),
        ('[[rule]]\nprojects = ["a"]\nsinks = ["env-file:/x/y"]\n', 3, "belong to one machine", socket.gethostname()),
        ('[[rule]]\nprojects = ["a"]\nsinks = ["exec:true"]\n', 3, "belong to one machine", "machine ="),
    ],
)
def test_mistakes_are_told_with_line_and_mend(tmp_path: Path, text: str, line: int | None, words: str, mend: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(Problem) as caught:
        load(path)
    problem = caught.value
    assert problem.exit == 2
    assert problem.message.startswith(f"{path}, line {line}: " if line else f"{path}: ")
    assert words in problem.message
    assert mend in problem.fix[0]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="there is no policy file") as caught:
        load(tmp_path / "none.toml")
    assert caught.value.exit == 2
    assert any("rotation init" in fix for fix in caught.value.fix)
    with pytest.raises(Problem, match=r"cannot be read: Is a directory$") as caught:
        load(tmp_path)
    assert caught.value.exit == 2
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(Problem, match=r"cannot be read: it is not UTF-8 text$") as caught:
        load(tmp_path / "latin.toml")
    assert caught.value.exit == 2


def test_options_stand_in_for_a_file() -> None:
    (rule,) = of_options({"folders": ("folders/1",)}, ["env-file:/x/{name}"]).rules
    assert (rule.folders, rule.machine, rule.here) == (("folders/1",), socket.gethostname(), True)
    with pytest.raises(Problem, match="unknown placeholder"):
        of_options({"projects": ("a",)}, ["env-file:/x/{nobody}"])
    with pytest.raises(Problem, match="is not a sink"):
        of_options({"projects": ("a",)}, ["x"])
