"""Reading protobuf."""

import contextlib
from typing import Any

import pytest
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # protobuf has no types
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsPartialSuccess, ExportLogsServiceResponse

from otel_bridge.export import decoding
from otel_bridge.export.answers import accepted, rpc_status
from otel_bridge.export.endpoint import Endpoint
from otel_bridge.export.transport import Outcome

ENDPOINT = Endpoint("http://collector:4318/v1/logs")


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1), st.text(max_size=200))
def test_it_reads_what_protobuf_writes(rejected: int, text: str) -> None:
    """Any partial success comes out with its number and its message."""
    partial = ExportLogsPartialSuccess(rejected_log_records=rejected, error_message=text)
    read = dict(decoding.fields(partial.SerializeToString()))
    assert decoding.number(read.get(1)) == rejected
    assert decoding.text(read.get(2)) == text


@given(st.binary(max_size=300))
def test_garbage_is_a_value_error_at_most(garbage: bytes) -> None:
    """Nothing else is raised, and nothing is read that is not there."""
    with contextlib.suppress(ValueError):
        for _, value in decoding.fields(garbage):
            assert isinstance(value, int) or len(value) <= len(garbage)


@given(st.binary(max_size=300))
def test_any_body_of_an_acknowledgement_is_one(body: bytes) -> None:
    """Whatever the receiver wrote after it acknowledged, the records are not sent again."""
    answer = accepted(body, ENDPOINT)
    assert answer.outcome is Outcome.ACCEPTED
    with contextlib.suppress(DecodeError):
        theirs = ExportLogsServiceResponse.FromString(body).partial_success.rejected_log_records
        if "\n" not in answer.message and "acknowledged" not in answer.message:
            assert answer.rejected == max(theirs, 0)


@given(st.binary(max_size=300))
def test_any_status_is_read(encoded: bytes) -> None:
    """Garbage says nothing, and raises nothing."""
    assert isinstance(rpc_status(encoded).message, str)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (b"\x80" * 11, "a number without an end"),
        (b"\x0a\x05ab", "a length beyond the end"),
        (b"\x03", "a group, which protobuf has given up"),
        (b"\x02\x00", "field 0"),
        (b"\x09\x01", "a fixed width beyond the end"),
    ],
)
def test_what_is_no_message_is_said(wrong: bytes, why: str) -> None:
    """Each way of being none."""
    with pytest.raises(ValueError, match="no protobuf message"):
        assert [*decoding.fields(wrong)], why


def test_wrong_types_are_empty() -> None:
    """A field that is not of the type it should be says nothing."""
    values: list[Any] = [None, 1]
    assert [decoding.text(value) for value in values] == ["", ""]
    assert [decoding.message(value) for value in values] == [b"", b""]
    assert [decoding.number(value) for value in [None, b"x"]] == [0, 0]
