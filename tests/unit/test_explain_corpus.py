"""explain() against real error texts from public threads (explain_corpus/*.json, each with its citation).

What the rules were right about the first time they met a text, before anything was changed for it:

- the first 204 texts (access, keys, other, blind), with the rules of 2026-11-27: the last 87 of them 69 of 87, 79 %;
- `threads` and `vendors`, 117 more over the kinds that those rules got wrong, 23 of them near misses of other vendors: the
  rules of before named 39 % of them, and the present rules were written with them in sight;
- `unseen`, `unseen2`, `unseen3`: 149 more (37 of them no error of a known cause), collected after the present rules were
  done, in three rounds. Each round met the rules once and was used to widen them afterwards: 43 of 48 right (90 %), 3 wrong;
  43 of 58 (74 %), 2 wrong; 36 of 43 (84 %), 1 wrong. Together 122 right (82 %), 6 wrong (4 %), 21 `unknown`: what the rules do
  not know they mostly leave alone. All near misses of other vendors were left alone.
- `fresh`: 216 more in five rounds, of other services and client libraries, picked for being unlike those there; before each
  the rules had been widened with the round before: 67 of 93 right (72 %), 10 wrong; 24 of 31 (77 %), 3 wrong; 30 of 32
  (94 %), 2 wrong; 29 of 33 (88 %), 1 wrong; 22 of 27 (81 %), 2 wrong. The last three, met by the rules as they are now but
  for what they taught: 81 of 92 right (88 %), 5 wrong (5 %), 6 `unknown`; 32 of the 34 near misses among them were left
  alone. Texts of a thread that another file holds do not count, nor do five of products with users of their own.
- `later`: of seven rounds more, in which only texts of other threads count, two thirds each. The first three: 48 of 55 right
  (87 %), 2 wrong; 29 of 44 (66 %), 3 wrong; 51 of 63 (81 %), 3 wrong. Then the wordings that Google's pages and clients
  document were put in (explain_documented); the four rounds after it: 72 of 80 right (90 %), 2 wrong; 24 of 29 (83 %),
  1 wrong; 28 of 31 (90 %), 1 wrong; 26 of 31 (84 %), none wrong. These together 150 of 171 (88 %), 4 wrong, 17 `unknown`.
- `rounds`: six rounds more (r1, r3 to r7), texts unlike those there and of other threads, before each the rules were widened
  by the round before: 98 of 116 right (84 %), 4 wrong; 43 of 58 (74 %), 2 wrong; 67 of 85 (79 %), 6 wrong; 115 of 131 (88 %),
  5 wrong; 86 of 111 (77 %), 6 wrong; 89 of 108 (82 %), 5 wrong. Nineteen labels were corrected afterwards, where the text does
  not say what its thread says, or an earlier text of the same words had another.
- `labelled`, `asked` and `kept`: five rounds found, labelled and judged by others, who knew the causes' descriptions alone
  (`accept` = a second cause that would be as fair to say). 179 texts of unknown threads: 161 right (90 %), 3 wrong; 125 as a
  stranger finds them, known threads too: 119 (95 %), 1 wrong; then, after the wordings of clients and servers were put in
  (explain_documented/clients.json, services.json): 150: 147 (98 %), none wrong; 176 that were kept unseen meanwhile: 163 (93
  %), none wrong; 151: 150 (99 %), none wrong. Texts that are nearly the same as one here are left out of the files.

So the figures that the tests hold are those of known texts.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from keyadmin.access.explain import explain
from keyadmin.model.problem import Cause

KEY = "AIza" + "Sy" + "Q7" * 16 + "x"  # stands where a thread showed somebody's key
CORPUS: list[dict[str, Any]] = [
    entry
    for file in sorted((Path(__file__).parent / "explain_corpus").glob("*.json"))
    for entry in json.loads(file.read_text("utf-8"))
]

# No public text was found for these. The wording is that of the facts this project was built from and of the constraint's
# documentation; not a recording.
WITHOUT_A_PUBLIC_TEXT = {
    Cause.ORG_POLICY_BLOCKS_KEY_BINDING: (
        "ERROR: (gcloud.services.api-keys.create) FAILED_PRECONDITION: Operation denied by org policy on resource "
        "'projects/demo-project': [\"constraints/iam.managed.disableServiceAccountApiKeyCreation\": "
        '"Prevents users from creating API keys bound to service accounts."].'
    ),
    Cause.KEY_QUOTA_EXCEEDED: (
        '{"error": {"code": 429, "message": "The limit of 300 API keys of project demo-project is reached.", "status": '
        '"RESOURCE_EXHAUSTED", "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": '
        '"RESOURCE_QUOTA_EXCEEDED", "domain": "apikeys.googleapis.com"}]}}'
    ),
    Cause.SPENDING_CAP_REACHED: (
        "429 RESOURCE_EXHAUSTED. {'error': {'code': 429, 'message': 'Your project has exceeded its monthly spending cap. "
        "Please go "
        "to AI Studio at https://ai.studio/spend to manage your project spend cap.', 'status': 'RESOURCE_EXHAUSTED'}}"
    ),
    Cause.PROJECT_NOT_ACTIVE: (
        '{"error": {"code": 400, "message": "Project demo-project is not active.", "status": "FAILED_PRECONDITION"}}'
    ),
}


def text_of(entry: dict[str, Any]) -> str:
    return str(entry["text"]).replace("{KEY}", KEY)


def test_the_corpus_is_what_it_should_be() -> None:
    assert len(CORPUS) >= 2200
    assert len({entry["id"] for entry in CORPUS}) == len(CORPUS)
    assert all(entry["source"].startswith("https://") for entry in CORPUS)
    assert sum(entry["held_out"] for entry in CORPUS) >= 30
    known = {cause.value for cause in Cause}
    assert {entry["cause"] for entry in CORPUS} <= known
    missing = known - {entry["cause"] for entry in CORPUS} - {cause.value for cause in WITHOUT_A_PUBLIC_TEXT}
    assert not missing


# Texts that are named wrongly, by their ids, and what they are taken for. One that is named rightly has to go from here.
KNOWN_FAILURES: dict[str, str] = {
    "r4-bq-globbing": "missing-iam-permission",  # the thread lacked Drive's scope; the words say as little of buckets
    "r4-docsite-run-403": "unknown",  # a page of Google's servers; only the thread says that it is of Cloud Run
    "r4-locationservices-denied": "unknown",  # the sentence is the client's own
    "r1-live-1008-mime-log": "unknown",  # of the reason the web socket's log shows the beginning: `application/json isn't`
    "r5-ads-dotnet-ssl": "unknown",  # a log of gRPC's own, which says nothing of whom it called
    "r5-dair-processor": "unknown",  # of Google's answer only the words; the client's name is no mark
    "r6-bigrquery-reset": "unknown",  # an R package's own words for a token that is over
    "r6-commentsuite-quota": "unknown",  # a reason of YouTube's alone, without whose it is
    "r7-gsutil-gsresponse-404": "unknown",  # what gsutil printed in 2011
    "r7-ogcs-attendee-limit": "unknown",  # a program's own words for Calendar's limit
    "unseen3-winerror": "unknown",  # a broken connection, but nothing in the text says to whom
}


def test_all_but_the_known_failures_are_right() -> None:
    wrong = {entry["id"]: found for entry in CORPUS if (found := explain(text_of(entry)).cause.value) != entry["cause"]}
    assert wrong == KNOWN_FAILURES
    assert len(KNOWN_FAILURES) <= 0.02 * len(CORPUS)


def test_other_vendors_get_no_advice() -> None:
    """Nobody is sent to Google Cloud with an error of somebody else's."""
    near_misses = [entry for entry in CORPUS if entry["cause"] == "unknown"]
    assert len(near_misses) >= 100
    for entry in near_misses:
        found = explain(text_of(entry))
        assert (found.cause, found.fix, found.permission) == (Cause.UNKNOWN, (), None), entry["id"]


@pytest.mark.parametrize("name", ["permission", "service", "project"])
def test_names_are_read_where_they_stand(name: str) -> None:
    entries = [entry for entry in CORPUS if entry.get(name)]
    wrong = [entry["id"] for entry in entries if getattr(explain(text_of(entry)), name) != entry[name]]
    assert len(wrong) <= 0.05 * len(entries), wrong


@pytest.mark.parametrize("cause", list(Cause), ids=lambda cause: cause.value)
def test_every_cause_is_recognised_and_explained(cause: Cause) -> None:
    texts = [text_of(entry) for entry in CORPUS if entry["cause"] == cause.value] or [WITHOUT_A_PUBLIC_TEXT[cause]]
    found = next((found for text in texts if (found := explain(text)).cause is cause), None)
    assert found is not None
    assert found.title
    assert found.explanation
    assert found.source.startswith("https://")
    assert bool(found.fix) is (cause is not Cause.UNKNOWN)


def test_no_key_string_of_the_corpus_comes_out() -> None:
    for entry in CORPUS:
        assert KEY not in json.dumps(explain(text_of(entry)).to_json())
        assert KEY[:20] not in json.dumps(explain(text_of(entry)).to_json())
