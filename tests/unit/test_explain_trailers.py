"""explain(): gRPC's binary trailers say what REST's JSON says, in every print of the bytes."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc import error_details_pb2 as details
from google.rpc.status_pb2 import Status

from keyadmin.access.explain import explain
from keyadmin.model.problem import Cause


def status(code: int, *parts: Message) -> bytes:
    found = Status(code=code, message="no")
    for part in parts:
        packed = Any()
        packed.Pack(part)
        found.details.append(packed)
    return found.SerializeToString()


def prints(raw: bytes, code: int) -> Iterator[str]:
    text = base64.b64encode(raw).decode()
    escaped = "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in raw)
    yield f"< grpc-status: {code}\n< grpc-message: no\n< grpc-status-details-bin: {text.rstrip('=')}\n"
    yield f'{{"trailers": {{"grpc-status": "{code}", "grpc-status-details-bin": "{text}"}}}}'
    yield f"(_Metadatum(key='grpc-status-details-bin', value={raw!r}),)"
    yield f"metadata: (('grpc-status-details-bin', {raw!r}), ('grpc-server-stats-bin', b'1'))"
    yield f"Metadata {{ internalRepr: Map(1) {{ 'grpc-status-details-bin' => [ <Buffer {raw.hex(' ')}> ] }} }}"
    yield f'Status {{ code: PermissionDenied, message: "no", details: b"{escaped}", metadata: MetadataMap {{}} }}'


def test_an_error_info() -> None:
    names = {"consumer": "projects/482913570011", "service": "translate.googleapis.com"}
    raw = status(7, details.ErrorInfo(reason="API_KEY_SERVICE_BLOCKED", domain="googleapis.com", metadata=names))
    for text in prints(raw, 7):
        found = explain(text)
        assert (found.cause, found.service, found.project) == (
            Cause.API_KEY_SERVICE_BLOCKED,
            "translate.googleapis.com",
            "482913570011",
        )


def test_a_quota_failure() -> None:
    violation = details.QuotaFailure.Violation(
        quota_metric="generativelanguage.googleapis.com/x_free_tier_requests",
        quota_id="GenerateRequestsPerDayPerProjectPerModel-FreeTier",
        quota_dimensions={"model": "gemini-9-flash"},
        quota_value=20,
    )
    for text in prints(status(8, details.QuotaFailure(violations=[violation]), details.RetryInfo()), 8):
        found = explain(text)
        assert found.cause is Cause.DAILY_QUOTA_EXCEEDED
        assert "allows 20 (model gemini-9-flash)" in found.explanation


def test_a_precondition_failure_and_a_new_reason() -> None:
    wall = details.PreconditionFailure(violations=[details.PreconditionFailure.Violation(type="VPC_SERVICE_CONTROLS")])
    for text in prints(status(7, wall), 7):
        assert explain(text).cause is Cause.VPC_SERVICE_CONTROLS
    link = details.Help(links=[details.Help.Link(url="https://cloud.google.com/run/docs/new")])
    for text in prints(status(7, details.ErrorInfo(reason="BRAND_NEW", domain="googleapis.com"), link), 7):
        found = explain(text)
        assert found.cause is Cause.UNKNOWN
        assert (found.read["reason"], found.read["help"]) == ("BRAND_NEW", "https://cloud.google.com/run/docs/new")


@pytest.mark.parametrize("rubbish", ["AAAA////", "!!", "b'\\x08\\x07\\x1a\\xff'", "<Buffer 08 07 1a ff>", "Cg" * 30_000])
def test_rubbish_is_no_error(rubbish: str) -> None:
    assert explain(f"grpc-status-details-bin: {rubbish}").cause is Cause.UNKNOWN


def test_what_is_cut_off_is_read_as_far_as_it_goes() -> None:
    names = {"service": "translate.googleapis.com", "consumer": "projects/482913570011"}
    raw = status(7, details.ErrorInfo(reason="API_KEY_SERVICE_BLOCKED", domain="googleapis.com", metadata=names))
    text = base64.b64encode(raw).decode()
    assert explain(f"grpc-status-details-bin: {text[: len(text) - 30]}").cause is Cause.API_KEY_SERVICE_BLOCKED
