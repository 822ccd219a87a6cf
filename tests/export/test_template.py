"""A record that a template encodes is the record that is encoded field by field."""

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.logs.v1.logs_pb2 import ScopeLogs

from otel_bridge.bridge.values import SHORT, AnyValue
from otel_bridge.export.protobuf import span_fields
from otel_bridge.export.record import encode
from otel_bridge.export.template import Template

ASCII = st.text(st.characters(max_codepoint=127), max_size=SHORT)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=300)


@given(st.dictionaries(NAMES, ASCII, max_size=6), st.integers(1, 24), ASCII, st.integers(0, 2**63 - 1))
def test_it_means_what_the_fields_mean(texts: dict[str, str], severity: int, body: str, timestamp: int) -> None:
    """For any names and texts, both ways decode to the same record."""
    texts.pop("log.record.uid", None)
    span = span_fields(1, 2, 1)
    constant: dict[str, AnyValue] = {"source": "app", "flag": True, "status": 200}
    template = Template(
        severity_number=severity,
        severity_text="info",
        body=body,
        event_name="a.b",
        attributes=constant,
        names=list(texts),
    )
    uid = "0" * 26
    further: list[tuple[str, AnyValue]] = [("\0", "é"), ("\0\0", [1, None, {"a": 2.5}])]
    fast = template.encode(list(texts.values()), further, timestamp, 2, span, uid)
    slow = encode(
        timestamp=timestamp,
        observed_timestamp=2,
        severity_number=severity,
        severity_text="info",
        body=body,
        attributes=[*constant.items(), ("log.record.uid", uid), *texts.items(), *further],
        event_name="a.b",
        span=span,
        dropped_attributes_count=0,
    )
    assert ScopeLogs.FromString(fast) == ScopeLogs.FromString(slow)
