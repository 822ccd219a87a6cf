"""Records of one shape as bytes: everything but their texts is encoded once."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from otel_bridge.bridge.values import SHORT, AnyValue
from otel_bridge.export import protobuf as pb
from otel_bridge.export.protobuf import field, text_field, varint

UID: Final = "log.record.uid"
UID_LENGTH: Final = 26


class Template:
    """
    Encodes records that differ in texts, times, span and `log.record.uid` only.

    All of its texts are ASCII, so that a text's length is that of its bytes, and one `encode` does for all of them:
    measured, half of the cost.

    Args:
        severity_number: 0 to 24.
        severity_text: As the application wrote it.
        body: The event.
        event_name: The event again where it is a name.
        attributes: Those that are the same on each record.
        names: Those that take the texts.
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
        self._head = (
            pb.RECORD_SEVERITY_NUMBER
            + varint(severity_number)
            + text_field(pb.RECORD_SEVERITY_TEXT, severity_text)
            + field(pb.RECORD_BODY, pb.any_value(body))
            + pb.attributes(pb.RECORD_ATTRIBUTES, attributes.items())
            + text_field(pb.RECORD_EVENT_NAME, event_name)
        )
        self._headers = [headers(name) for name in names]
        self._uid = headers(UID)[UID_LENGTH]

    def encode(self, texts: Sequence[str], timestamp: int, observed_timestamp: int, span: bytes, uid: str) -> bytes:
        """
        Encode one record.

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
        parts = [self._uid, uid]
        for header, text in zip(self._headers, texts, strict=False):
            parts += header[len(text)], text
        message = b"%b%b%b%b" % (
            pb.times(pb.TIME, timestamp, pb.OBSERVED_TIME, observed_timestamp),
            self._head,
            span,
            "".join(parts).encode("latin-1"),
        )
        return b"%b%b%b" % (pb.SCOPE_LOGS_LOG_RECORDS, varint(len(message)), message)


@lru_cache(maxsize=1024)
def headers(name: str) -> tuple[str, ...]:
    """Return what stands before a text of 0, 1, … `SHORT` characters in an attribute, a character for each byte."""
    return tuple(_header(name.encode(), length).decode("latin-1") for length in range(SHORT + 1))


def _header(name: bytes, length: int) -> bytes:
    text = pb.STRING + varint(length)
    pair = field(pb.KEY, name) + pb.VALUE + varint(len(text) + length) + text
    return pb.RECORD_ATTRIBUTES + varint(len(pair) + length) + pair
