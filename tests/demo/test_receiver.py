"""The embedded receiver takes what OTLP allows, and answers questions."""

import gzip
import json
from typing import Any

import pytest
import urllib3
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor

from otel_bridge.demo import decoding
from otel_bridge.demo.receiver import Receiver
from tests.peers import needs

PROTOBUF = "application/x-protobuf"

IN_JSON = {
    "resourceLogs": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]},
            "scopeLogs": [
                {
                    "scope": {"name": "my.library"},
                    "logRecords": [
                        {
                            "timeUnixNano": "1544712660300000000",
                            "severityNumber": 10,
                            "severityText": "Information",
                            "traceId": "5B8EFFF798038103D269B633813FC60C",
                            "spanId": "EEE19B7EC3C1B174",
                            "body": {"stringValue": "Example log record"},
                            "attributes": [
                                {"key": "string.attribute", "value": {"stringValue": "some string"}},
                                {"key": "boolean.attribute", "value": {"boolValue": True}},
                                {"key": "int.attribute", "value": {"intValue": "10"}},
                                {"key": "double.attribute", "value": {"doubleValue": 637.704}},
                                {"key": "bytes.attribute", "value": {"bytesValue": "AAH/"}},
                                {"key": "empty.attribute", "value": {}},
                                {
                                    "key": "array.attribute",
                                    "value": {"arrayValue": {"values": [{"stringValue": "many"}, {"intValue": "2"}]}},
                                },
                                {
                                    "key": "map.attribute",
                                    "value": {
                                        "kvlistValue": {"values": [{"key": "some.key", "value": {"stringValue": "x"}}]}
                                    },
                                },
                            ],
                        }
                    ],
                }
            ],
        }
    ]
}
"""https://github.com/open-telemetry/opentelemetry-proto/blob/main/examples/logs.json"""


def records(receiver: Receiver, **where: str) -> list[dict[str, Any]]:
    """Ask for records as a user would."""
    answer = urllib3.request("GET", f"{receiver.url}/records", fields=where)
    assert answer.status == 200
    return [json.loads(line) for line in answer.data.decode().splitlines()]


def post(
    receiver: Receiver, body: bytes, content_type: str = PROTOBUF, encoding: str | None = None, path: str = "/v1/logs"
) -> urllib3.BaseHTTPResponse:
    """Send a body."""
    headers = {"Content-Type": content_type} | ({"Content-Encoding": encoding} if encoding else {})
    return urllib3.request("POST", receiver.url + path, body=body, headers=headers)


def request(*bodies: str) -> bytes:
    """Encode a request with one record for each of *bodies*."""
    message = ExportLogsServiceRequest()
    scope = message.resource_logs.add().scope_logs.add()
    for body in bodies:
        scope.log_records.add().body.string_value = body
    encoded: bytes = message.SerializeToString()
    return encoded


@needs("opentelemetry-sdk", "1.38")  # which takes the API's records
@pytest.mark.parametrize("compression", [Compression.Gzip, Compression.NoCompression])
def test_official_exporter(embedded: Receiver, compression: Compression) -> None:
    """What the official exporter sends, packed or not, can be asked for with everything that it holds."""
    provider = LoggerProvider(shutdown_on_exit=False)
    exporter = OTLPLogExporter(endpoint=f"{embedded.url}/v1/logs", compression=compression)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider.get_logger("openzaak").emit(
        LogRecord(
            timestamp=7,
            severity_text="warning",
            severity_number=SeverityNumber.WARN,
            body="zaak_created",
            event_name="zaak_created",
            attributes={"uuid": "u", "aantal": 3},
        )
    )
    provider.shutdown()
    (found,) = records(embedded, event="zaak_created")
    assert found.pop("resource")["telemetry.sdk.name"] == "opentelemetry"
    assert found == {
        "timestamp": 7,
        "severity_text": "warning",
        "severity_number": 13,
        "body": "zaak_created",
        "event_name": "zaak_created",
        "scope": "openzaak",
        "trace_id": "",
        "span_id": "",
        "attributes": {"uuid": "u", "aantal": 3},
    }


def test_json(embedded: Receiver) -> None:
    """The example of OTLP's JSON, with every type of value and ids in hexadecimal, is understood."""
    answer = post(embedded, json.dumps(IN_JSON).encode(), "application/json; charset=utf-8")
    assert (answer.status, answer.data, answer.headers["Content-Type"]) == (
        200,
        b"{}",
        "application/json; charset=utf-8",
    )
    (found,) = records(embedded, trace_id="5b8efff798038103d269b633813fc60c")
    assert found["span_id"] == "eee19b7ec3c1b174"
    assert found["resource"] == {"service.name": "my.service"}
    assert found["attributes"] == {
        "string.attribute": "some string",
        "boolean.attribute": True,
        "int.attribute": 10,
        "double.attribute": 637.704,
        "bytes.attribute": "AAH/",
        "empty.attribute": None,
        "array.attribute": ["many", 2],
        "map.attribute": {"some.key": "x"},
    }


def test_answer(embedded: Receiver) -> None:
    """The answer to protobuf is an empty message of the same content type: everything was taken."""
    answer = post(embedded, request("one"))
    assert (answer.status, answer.data, answer.headers["Content-Type"]) == (200, b"", PROTOBUF)


@pytest.mark.parametrize(
    ("body", "content_type", "encoding", "sentence"),
    [
        (b"\xff\xff", PROTOBUF, None, "is no ExportLogsServiceRequest"),
        (b"{", "application/json", None, "is no ExportLogsServiceRequest"),
        (b"plain", PROTOBUF, "gzip", "is not packed with gzip"),
        (gzip.compress(bytes(decoding.MOST_BYTES + 1)), PROTOBUF, "gzip", "is larger than"),
    ],
)
def test_bad_request(embedded: Receiver, body: bytes, content_type: str, encoding: str | None, sentence: str) -> None:
    """A body that is not what it should be, or that unpacks to too much, is refused with a sentence."""
    answer = post(embedded, body, content_type, encoding)
    assert answer.status == 400
    assert sentence in answer.data.decode()


def test_too_large(embedded: Receiver) -> None:
    """A body that says that it is too large is refused unread."""
    headers = {"Content-Type": PROTOBUF, "Content-Length": str(decoding.MOST_BYTES + 1)}
    answer = urllib3.request("POST", f"{embedded.url}/v1/logs", headers=headers, retries=False)
    assert answer.status == 413


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/traces"), ("GET", "/")])
def test_not_found(embedded: Receiver, method: str, path: str) -> None:
    """Another path is answered with the one that is meant."""
    answer = urllib3.request(method, embedded.url + path, body=b"")
    assert answer.status == 404
    assert answer.data.startswith((b"Send logs to /v1/logs", b"Ask /records?"))


def test_bounded() -> None:
    """The oldest records go first when there are more than it keeps."""
    with Receiver(capacity=2) as receiver:
        receiver.memory.add(decoding.records(request("one", "two", "three"), PROTOBUF, ""))
        assert [record["body"] for record in receiver.memory.find({})] == ["two", "three"]


def test_every_condition_counts(embedded: Receiver) -> None:
    """A question with two conditions is answered with the records that meet both."""
    post(embedded, json.dumps(IN_JSON).encode(), "application/json")
    assert len(records(embedded, logger="my.library", level="Information")) == 1
    assert records(embedded, logger="my.library", level="warning") == []
    assert len(records(embedded, **{"int.attribute": "10"})) == 1
    assert records(embedded, unknown="10") == []
