"""Records of one shape as bytes: everything but what differs is encoded once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from otel_bridge.bridge.values import SHORT, AnyValue
from otel_bridge.export import protobuf as pb
from otel_bridge.export.protobuf import TIMES_LENGTH, field, text_field, varint

UID: Final = "log.record.uid"
UID_LENGTH: Final = 26


class Template:
    """
    Encodes records that differ in some attributes, times, span and `log.record.uid` only.

    Args:
        severity_number: 0 to 24.
        severity_text: As the application wrote it.
        body: The event.
        event_name: The event again where it is a name.
        attributes: Those that are the same on each record.
        names: Those that differ.
    """

    def __init__(
        self,
        *,
        severity_number: int,
        severity_text: str,
        body: str,
        event_name: str | None,
        attributes: Mapping[str, AnyValue],
        names: Sequence[str],
    ) -> None:
        self._differing = [(name, headers(name)) for name in names]
        self._head = (
            pb.RECORD_SEVERITY_NUMBER
            + varint(severity_number)
            + text_field(pb.RECORD_SEVERITY_TEXT, severity_text)
            + field(pb.RECORD_BODY, pb.any_value(body))
            + pb.attributes(pb.RECORD_ATTRIBUTES, attributes.items())
            + text_field(pb.RECORD_EVENT_NAME, event_name)
        )
        # A pair, so that a thread never reads one half of what another has written.
        self._head_of_span = b"", self._head
        self._uid = headers(UID)[UID_LENGTH]
        self._attributes = _joiner(len(names))(self._uid, *map(headers, names))

    def encode(self, texts: Sequence[str], timestamp: int, observed_timestamp: int, span: bytes, uid: str) -> bytes:
        """
        Encode one record that has a text in each attribute that differs.

        The texts are ASCII, so that a text's length is that of its bytes, and one `encode` does for all of them.

        Args:
            texts: ASCII, as many as there are names, each of `SHORT` characters at most.
            timestamp: Nanoseconds since the UNIX epoch, as *observed_timestamp*.
            observed_timestamp: When it was seen.
            span: What `protobuf.span_fields` returned.
            uid: 26 characters.

        Returns:
            Tag, length and message of one `log_records` field.

        Raises:
            IndexError: A text is longer.
        """
        return self._record(self._attributes(uid, *texts).encode("latin-1"), timestamp, observed_timestamp, span)

    def encode_values(
        self,
        values: Sequence[AnyValue],
        further: Iterable[tuple[str, AnyValue]],
        timestamp: int,
        observed_timestamp: int,
        span: bytes,
        uid: str,
    ) -> bytes:
        """
        Encode one record of any values; otherwise as `encode`.

        Args:
            values: As `otel_bridge.bridge.values` makes them, as many as there are names; `None` is left out.
            further: Attributes that the template does not know.
            timestamp: As for `encode`.
            observed_timestamp: As for `encode`.
            span: As for `encode`.
            uid: As for `encode`.
        """
        texts, others = [self._uid, uid], list(further)
        for (name, header), value in zip(self._differing, values, strict=True):
            if type(value) is str and len(value) <= SHORT and value.isascii():
                texts += header[len(value)], value
            elif value is not None:
                others.append((name, value))
        attributes = "".join(texts).encode("latin-1") + pb.attributes(pb.RECORD_ATTRIBUTES, others)
        return self._record(attributes, timestamp, observed_timestamp, span)

    def _record(self, attributes: bytes, timestamp: int, observed_timestamp: int, span: bytes) -> bytes:
        known, head = self._head_of_span
        if known is not span:
            head = self._head + span
            self._head_of_span = span, head
        times = pb.times(pb.TIME, timestamp, pb.OBSERVED_TIME, observed_timestamp)
        return b"".join(
            (pb.SCOPE_LOGS_LOG_RECORDS, varint(len(attributes) + len(head) + TIMES_LENGTH), times, head, attributes)
        )


@lru_cache(maxsize=64)
def _joiner(count: int) -> Callable[..., Callable[..., str]]:
    """
    Make what joins *count* texts and a uid with the headers of their attributes.

    It is written out for each number of texts, as `collections.namedtuple` writes its classes: measured, a quarter of
    what a loop over the texts costs, which was the largest part of a record's cost.
    """
    numbers = range(count)
    headers = "".join(f", h{n}" for n in numbers)
    texts = "".join(f", t{n}" for n in numbers)
    joined = "".join(f"{{h{n}[len(t{n})]}}{{t{n}}}" for n in numbers)
    made: dict[str, Any] = {}
    exec(f"def joiner(h{headers}): return lambda t{texts}: f'{{h}}{{t}}{joined}'", made)  # noqa: S102 - numbers alone
    joiner: Callable[..., Callable[..., str]] = made["joiner"]
    return joiner


@lru_cache(maxsize=1024)
def headers(name: str) -> tuple[str, ...]:
    """Return what stands before a text of 0, 1, … `SHORT` characters in an attribute, a character for each byte."""
    return tuple(_header(name.encode(), length).decode("latin-1") for length in range(SHORT + 1))


def _header(name: bytes, length: int) -> bytes:
    text = pb.STRING + varint(length)
    pair = field(pb.KEY, name) + pb.VALUE + varint(len(text) + length) + text
    return pb.RECORD_ATTRIBUTES + varint(len(pair) + length) + pair
