"""OTLP as lines of JSON."""

import base64
import fcntl
import json
import math
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format  # type: ignore[import-untyped]  # protobuf has no types
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from otel_bridge.export.file import FileTransport
from otel_bridge.export.otlp_json import as_json
from otel_bridge.export.transport import Answer, Outcome
from tests.export.receivers import ENCODED, REQUEST, request

ACCEPTED = Answer(Outcome.ACCEPTED)


def parsed(line: str | bytes) -> ExportLogsServiceRequest:
    """Read a line with the official classes, whose identifiers are in base 64."""
    content = json.loads(line)
    for record in (
        record
        for logs in content.get("resourceLogs", [])
        for scope in logs.get("scopeLogs", [])
        for record in scope.get("logRecords", [])
    ):
        for name in ("traceId", "spanId"):
            if name in record:
                record[name] = base64.b64encode(bytes.fromhex(record[name])).decode()
    read = ExportLogsServiceRequest()
    json_format.ParseDict(content, read)
    return read


def everything() -> ExportLogsServiceRequest:
    """Make a request with each field there is."""
    made = ExportLogsServiceRequest()
    logs = made.resource_logs.add(schema_url="https://schema.test/1")
    logs.resource.attributes.add(key="service.name").value.string_value = "openzaak"
    logs.resource.dropped_attributes_count = 1
    scope = logs.scope_logs.add(schema_url="https://schema.test/2")
    scope.scope.name, scope.scope.version, scope.scope.dropped_attributes_count = "zaken", "1.0", 2
    scope.scope.attributes.add(key="kind").value.bool_value = True
    record = scope.log_records.add(
        time_unix_nano=2**63 + 1,
        observed_time_unix_nano=1,
        severity_number=9,
        severity_text="info",
        dropped_attributes_count=3,
        flags=1,
        trace_id=bytes(range(16)),
        span_id=bytes(range(8)),
        event_name="zaak_created",
    )
    record.body.string_value = "één\nregel\u2028"
    record.attributes.add(key="empty")
    record.attributes.add(key="list").value.array_value.values.add().int_value = -(2**63)
    record.attributes.add(key="map").value.kvlist_value.values.add(key="raw").value.bytes_value = b"\0\xff"
    record.attributes.add(key="double").value.double_value = 0.1
    record.attributes.add(key="false").value.bool_value = False
    return made


def test_a_request_is_a_line(tmp_path: Path) -> None:
    """Each on one of its own, in order."""
    path = tmp_path / "logs.jsonl"
    transport = FileTransport(path)
    assert [transport.send(made.SerializeToString(), 5) for made in (REQUEST, everything())] == [ACCEPTED] * 2
    transport.close()
    first, second = path.read_bytes().splitlines(keepends=True)
    assert (parsed(first), parsed(second)) == (REQUEST, everything())
    assert first.endswith(b"\n")


def test_the_json_is_that_of_otlp() -> None:
    """Identifiers in hexadecimal, 64-bit integers as texts, enumerations as numbers, bytes in base 64."""
    [logs] = as_json(everything().SerializeToString())["resourceLogs"]
    [record] = logs["scopeLogs"][0]["logRecords"]
    assert record == {
        "timeUnixNano": "9223372036854775809",
        "observedTimeUnixNano": "1",
        "severityNumber": 9,
        "severityText": "info",
        "body": {"stringValue": "één\nregel\u2028"},
        "attributes": [
            {"key": "empty", "value": {}} if "value" in record["attributes"][0] else {"key": "empty"},
            {"key": "list", "value": {"arrayValue": {"values": [{"intValue": "-9223372036854775808"}]}}},
            {"key": "map", "value": {"kvlistValue": {"values": [{"key": "raw", "value": {"bytesValue": "AP8="}}]}}},
            {"key": "double", "value": {"doubleValue": 0.1}},
            {"key": "false", "value": {"boolValue": False}},
        ],
        "droppedAttributesCount": 3,
        "flags": 1,
        "traceId": "000102030405060708090a0b0c0d0e0f",
        "spanId": "0001020304050607",
        "eventName": "zaak_created",
    }
    assert logs["resource"] == {
        "attributes": [{"key": "service.name", "value": {"stringValue": "openzaak"}}],
        "droppedAttributesCount": 1,
    }
    assert logs["scopeLogs"][0]["scope"]["version"] == "1.0"


VALUES = st.recursive(
    st.one_of(
        st.text(max_size=20).map(lambda value: AnyValue(string_value=value)),
        st.booleans().map(lambda value: AnyValue(bool_value=value)),
        st.integers(min_value=-(2**63), max_value=2**63 - 1).map(lambda value: AnyValue(int_value=value)),
        st.floats(allow_nan=False).map(lambda value: AnyValue(double_value=value)),
        st.binary(max_size=20).map(lambda value: AnyValue(bytes_value=value)),
        st.just(AnyValue()),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda values: AnyValue(array_value=ArrayValue(values=values))),
        st.dictionaries(st.text(max_size=5), inner, max_size=3).map(
            lambda pairs: AnyValue(
                kvlist_value=KeyValueList(values=[KeyValue(key=key, value=value) for key, value in pairs.items()])
            )
        ),
    ),
    max_leaves=8,
)


@given(VALUES)
def test_any_value_comes_back(value: AnyValue) -> None:
    """What the official classes read of the line is what was sent."""
    made = ExportLogsServiceRequest()
    made.resource_logs.add().scope_logs.add().log_records.add(body=value)
    assert parsed(json.dumps(as_json(made.SerializeToString()))) == made


@pytest.mark.parametrize(("value", "text"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")])
def test_numbers_that_json_does_not_have_are_texts(value: float, text: str) -> None:
    """As protobuf writes them; a bare NaN would make the line no JSON."""
    assert as_json(AnyValue(double_value=value).SerializeToString(), "AnyValue") == {"doubleValue": text}


def test_fields_that_are_not_known_are_left_out() -> None:
    """A newer encoder may write them."""
    assert as_json(ENCODED + b"\xf8\x07\x01") == as_json(ENCODED)


def test_garbage_is_refused(tmp_path: Path) -> None:
    """It will not be JSON later either, and the file stays as it was."""
    answer = FileTransport(tmp_path / "logs.jsonl").send(b"\xff\xff", 5)
    assert (answer.outcome, answer.error_type) == (Outcome.REFUSED, "ValueError")
    assert not (tmp_path / "logs.jsonl").exists()


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Mode 0600, whatever the umask."""
    path = tmp_path / "logs.jsonl"
    old = os.umask(0)
    try:
        FileTransport(path).send(ENCODED, 5)
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_was_moved_away_is_made_again(tmp_path: Path) -> None:
    """As logrotate does."""
    path = tmp_path / "logs.jsonl"
    transport = FileTransport(path)
    transport.send(ENCODED, 5)
    path.rename(tmp_path / "logs.jsonl.1")
    transport.send(ENCODED, 5)
    assert path.read_bytes() == (tmp_path / "logs.jsonl.1").read_bytes() != b""


def test_several_writers_do_not_mix_their_lines(tmp_path: Path) -> None:
    """Workers of one application share a file."""
    path = tmp_path / "logs.jsonl"
    encoded = request(200).SerializeToString()

    def write() -> None:
        for _ in range(25):
            assert FileTransport(path).send(encoded, 5) == ACCEPTED

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(parsed(line).resource_logs) for line in path.read_bytes().splitlines()] == [1] * 100


def test_a_writer_that_does_not_end_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    """It holds the file; the time of the call passes."""
    path = tmp_path / "logs.jsonl"
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        answer = FileTransport(path).send(ENCODED, 0.05)
    assert (answer.outcome, answer.error_type) == (Outcome.UNAVAILABLE, "TimeoutError")
    assert "another process holds it" in answer.message


def test_a_line_that_was_left_unfinished_stays_alone(tmp_path: Path) -> None:
    """What a killed process wrote half does not spoil the next line."""
    path = tmp_path / "logs.jsonl"
    path.write_bytes(b'{"resourceLogs":[')
    FileTransport(path).send(ENCODED, 5)
    torn, whole = path.read_bytes().splitlines()
    assert torn == b'{"resourceLogs":['
    assert parsed(whole) == REQUEST


def test_a_full_disk_is_unavailable() -> None:
    """It may have room later."""
    answer = FileTransport(Path("/dev/full")).send(ENCODED, 5)
    assert (answer.outcome, answer.error_type) == (Outcome.UNAVAILABLE, "OSError")
    assert "/dev/full cannot be written (No space left on device)" in answer.message


FILLING = """
import resource, sys
from pathlib import Path
from otel_bridge.export.file import FileTransport
from tests.export.receivers import request

transport, encoded = FileTransport(Path(sys.argv[1])), request(100).SerializeToString()
assert transport.send(encoded, 5).outcome.name == "ACCEPTED"
resource.setrlimit(resource.RLIMIT_FSIZE, (Path(sys.argv[1]).stat().st_size + 1000, resource.RLIM_INFINITY))
answer = transport.send(encoded, 5)
print(answer.outcome.name, answer.message)
"""


def test_a_line_that_does_not_fit_leaves_nothing_behind(tmp_path: Path) -> None:
    """Half a line is taken back: here the process may only write a kilobyte more."""
    path = tmp_path / "logs.jsonl"
    done = subprocess.run([sys.executable, "-c", FILLING, path], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout.startswith("UNAVAILABLE ")
    assert "File too large" in done.stdout
    [line] = path.read_bytes().splitlines(keepends=True)
    assert len(parsed(line).resource_logs) == 1
    assert line.endswith(b"\n")


def test_a_folder_that_is_missing_is_unavailable(tmp_path: Path) -> None:
    """It may be mounted later."""
    answer = FileTransport(tmp_path / "missing" / "logs.jsonl").send(ENCODED, 5)
    assert (answer.outcome, answer.error_type) == (Outcome.UNAVAILABLE, "FileNotFoundError")


def test_standard_output_is_written_past_python(capfd: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    """Celery replaces `sys.stdout` by its loggers: what goes there would come back as a record."""
    monkeypatch.setattr(sys, "stdout", None)
    assert FileTransport(None).send(ENCODED, 5) == ACCEPTED
    assert parsed(capfd.readouterr().out) == REQUEST


PRINTING = """
import os
from otel_bridge.export.file import FileTransport
from tests.export.receivers import request

os.set_blocking(1, False)
answer = FileTransport(None).send(request(500, size=10_000).SerializeToString(), 30)
assert answer.outcome.name == "ACCEPTED", answer
"""


def test_standard_output_that_does_not_wait_gets_the_whole_line() -> None:
    """Whoever shares the pipe, such as an event loop, may have made it so; five megabytes do not fit at once."""
    done = subprocess.run([sys.executable, "-c", PRINTING], capture_output=True, check=True)  # noqa: S603 - ours
    assert parsed(done.stdout) == request(500, size=10_000)
