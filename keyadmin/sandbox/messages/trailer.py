"""Errors as gRPC carries them."""

from __future__ import annotations

from keyadmin.sandbox.messages.shape import to_message
from keyadmin.sandbox.messages.status import RpcError

_STATUS = "google.rpc.Status"
# gRPC clients take 8 KB of trailers: the message goes there twice, percent-encoded once, beside its details.
MOST_TRAILER = 3000  # bytes


def trailer(error: RpcError) -> bytes:
    """google.rpc.Status as in `grpc-status-details-bin`. Raises json_format.ParseError for details that it cannot hold."""
    status = error.status()
    data: bytes = to_message(_STATUS, status).SerializeToString()
    if len(data) > MOST_TRAILER:
        del status["details"]
        data = to_message(_STATUS, status).SerializeToString()
    return data
