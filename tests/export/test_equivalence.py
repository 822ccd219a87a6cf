"""Our bytes mean what the official encoder's bytes of the same record mean."""

from importlib.metadata import version
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry._logs import LoggerProvider as ApiLoggerProvider
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk import _logs as sdk
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from packaging.version import Version

from otel_bridge.bridge.mapping import LogFields, Mapper
from otel_bridge.bridge.values import Walk
from otel_bridge.catalogue import shipped
from otel_bridge.catalogue.attributes import event_dict
from otel_bridge.export.provider import LoggerProvider
from otel_bridge.export.transport import Answer, Outcome
from tests.otlp import InMemoryLogRecordExporter
from tests.peers import needs

IS_OLD: Final = Version(version("opentelemetry-sdk")) < Version("1.38")
RESOURCE: Final = Resource({"service.name": "test", "n": 1, "l": ["a", "b"], "f": 1.5, "t": True}, "https://schema/1")


class Kept:
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []

    def send(self, request: bytes, timeout: float) -> Answer:  # noqa: ARG002 - the contract's
        """Accept."""
        self.requests.append(request)
        return Answer(Outcome.ACCEPTED)

    def close(self) -> None:
        """Do nothing."""


def official(record: LogRecord) -> ExportLogsServiceRequest:
    """Encode a record as the official pipeline does."""
    exporter = InMemoryLogRecordExporter()
    provider = sdk.LoggerProvider(RESOURCE, shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    _emit(provider, _own(record) if IS_OLD else record)
    request: ExportLogsServiceRequest = encode_logs(exporter.get_finished_logs())
    return request


def _own(record: LogRecord) -> Any:
    """Return *record* in the class of an SDK before 1.38, which encodes no other."""
    kept = {name: value for name, value in vars(record).items() if name not in {"trace_id", "span_id", "trace_flags"}}
    own: Any = getattr(sdk, "LogRecord")  # noqa: B009 - newer ones have none
    return own(**kept, resource=RESOURCE)


def ours(record: LogRecord) -> ExportLogsServiceRequest:
    """Encode a record as our provider does."""
    kept = Kept()
    provider = LoggerProvider(RESOURCE, connect=lambda: kept)
    _emit(provider, record)
    assert provider.shutdown()
    decoded: ExportLogsServiceRequest = ExportLogsServiceRequest.FromString(b"".join(kept.requests))
    return decoded


def _emit(provider: ApiLoggerProvider, record: LogRecord) -> None:
    provider.get_logger("scope", "1.0", "https://schema/2", {"a": "b"}).emit(record)


def _record(fields: LogFields) -> LogRecord:
    span = trace.NonRecordingSpan(fields.span_context)
    return LogRecord(
        timestamp=fields.timestamp,
        observed_timestamp=1_747_663_760_000_000_001,
        context=trace.set_span_in_context(span),
        severity_text=fields.severity_text,
        severity_number=fields.severity_number,
        body=fields.body,
        attributes=fields.attributes,
        event_name=fields.event_name,
    )


@pytest.mark.parametrize(
    ("system", "event"),
    [pytest.param(system, event, id=f"{system.name}-{event.name}") for system, event in shipped().events],
)
def test_every_event_of_the_catalogue_means_the_same(system: Any, event: Any) -> None:
    """What our bytes of a documented event decode to equals what the official ones decode to."""
    ids = {"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"}
    record = _record(Mapper().fields(event_dict(system, event) | ids | {"timestamp": 1747663760.339166}))
    assert ours(record) == official(record)


VALUES: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.decimals()
    | st.datetimes()
    | st.uuids(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.sets(st.text()),
    max_leaves=20,
)


@needs("opentelemetry-sdk", "1.43")  # before, the encoder left out a body of `None`
@given(st.dictionaries(st.text(min_size=1), VALUES, max_size=8), VALUES)
def test_any_values_mean_the_same(attributes: dict[str, Any], body: Any) -> None:
    """Any values, made encodable as the bridge does, decode to the same from our bytes and from the official ones."""
    walk = Walk(None)
    encodable = {walk.key(key): walk.attribute(key, value) for key, value in attributes.items()}
    present = {key: value for key, value in encodable.items() if value is not None}
    record = LogRecord(
        timestamp=1,
        observed_timestamp=2,
        severity_text="info",
        severity_number=SeverityNumber.INFO,
        body=walk.attribute("body", body),
        attributes=present,
        event_name="a.b",
    )
    assert ours(record) == official(record)


@pytest.mark.parametrize("severity", list(SeverityNumber))
def test_every_severity_means_the_same(severity: SeverityNumber) -> None:
    """Each severity number decodes to the same from our bytes and from the official ones."""
    record = LogRecord(timestamp=1, observed_timestamp=2, severity_number=severity, severity_text="x", body="b")
    assert ours(record) == official(record)


@needs("opentelemetry-sdk", "1.43")  # before, the encoder left out a body of `None`
def test_a_record_without_anything_means_the_same() -> None:
    """A record of which nothing is known decodes to the same from our bytes and from the official ones."""
    record = LogRecord(observed_timestamp=2, severity_number=SeverityNumber.UNSPECIFIED)
    assert ours(record) == official(record)


@needs("opentelemetry-api", "1.42")
def test_an_exception_of_the_api_becomes_attributes() -> None:
    """An exception that is given with the record means the same, in type and message, as in the official pipeline."""
    exc = KeyError("outer", 2)
    record = LogRecord(
        observed_timestamp=2, severity_number=SeverityNumber.ERROR, body="b", exception=exc, attributes={"k": "v"}
    )
    (found,) = ours(record).resource_logs[0].scope_logs[0].log_records
    attributes = {pair.key: pair.value.string_value for pair in found.attributes}
    assert attributes["exception.type"] == "KeyError"
    assert attributes["exception.message"] == "('outer', 2)"
    assert attributes["exception.stacktrace"].endswith("KeyError: ('outer', 2)")
    assert attributes["k"] == "v"
