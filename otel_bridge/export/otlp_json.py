"""
OTLP requests, which are protobuf, as OTLP's JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.

The tables below are all that it takes. Protobuf's own `json_format` would need `opentelemetry-proto` at run time, and
then each identifier to be written anew, because OTLP has them in hexadecimal.
"""

import base64
import math
from collections.abc import Callable, Mapping
from struct import unpack
from typing import Any, Final

from otel_bridge.export.decoding import fields, message, number, text

MESSAGES: Final[Mapping[str, Mapping[int, tuple[str, str]]]] = {
    "ExportLogsServiceRequest": {1: ("resourceLogs[]", "ResourceLogs")},
    "ResourceLogs": {1: ("resource", "Resource"), 2: ("scopeLogs[]", "ScopeLogs"), 3: ("schemaUrl", "string")},
    "ScopeLogs": {1: ("scope", "InstrumentationScope"), 2: ("logRecords[]", "LogRecord"), 3: ("schemaUrl", "string")},
    "Resource": {1: ("attributes[]", "KeyValue"), 2: ("droppedAttributesCount", "uint32")},
    "InstrumentationScope": {
        1: ("name", "string"),
        2: ("version", "string"),
        3: ("attributes[]", "KeyValue"),
        4: ("droppedAttributesCount", "uint32"),
    },
    "LogRecord": {
        1: ("timeUnixNano", "fixed64"),
        2: ("severityNumber", "enum"),
        3: ("severityText", "string"),
        5: ("body", "AnyValue"),
        6: ("attributes[]", "KeyValue"),
        7: ("droppedAttributesCount", "uint32"),
        8: ("flags", "fixed32"),
        9: ("traceId", "id"),
        10: ("spanId", "id"),
        11: ("observedTimeUnixNano", "fixed64"),
        12: ("eventName", "string"),
    },
    "KeyValue": {1: ("key", "string"), 2: ("value", "AnyValue")},
    "AnyValue": {
        1: ("stringValue", "string"),
        2: ("boolValue", "bool"),
        3: ("intValue", "int64"),
        4: ("doubleValue", "double"),
        5: ("arrayValue", "ArrayValue"),
        6: ("kvlistValue", "KeyValueList"),
        7: ("bytesValue", "bytes"),
    },
    "ArrayValue": {1: ("values[]", "AnyValue")},
    "KeyValueList": {1: ("values[]", "KeyValue")},
}
"""Fields by number: name in JSON (with brackets where it is repeated) and type.
https://github.com/open-telemetry/opentelemetry-proto: `common/v1`, `resource/v1`, `logs/v1`"""


def _double(value: int | bytes) -> float | str:
    found: float = unpack("<d", message(value))[0]
    if math.isnan(found):
        return "NaN"
    return found if math.isfinite(found) else "Infinity" if found > 0 else "-Infinity"


SCALARS: Final[Mapping[str, Callable[[int | bytes], Any]]] = {
    "string": text,
    "bool": bool,
    "int64": lambda value: str(number(value)),
    "fixed64": lambda value: str(int.from_bytes(message(value), "little")),
    "uint32": number,
    "enum": number,
    "fixed32": lambda value: int.from_bytes(message(value), "little"),
    "double": _double,
    "bytes": lambda value: base64.b64encode(message(value)).decode(),
    "id": lambda value: message(value).hex(),
}
"""Types to their JSON: https://protobuf.dev/programming-guides/json/, but for what OTLP changes:
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding"""


def as_json(encoded: bytes, kind: str = "ExportLogsServiceRequest") -> dict[str, Any]:
    """
    Convert an encoded message to what OTLP writes of it in JSON.

    Args:
        encoded: The message.
        kind: Which of `MESSAGES` it is. Fields that are not in its table are left out.

    Raises:
        ValueError: It is none.
    """
    written: dict[str, Any] = {}
    for field, value in fields(encoded):
        name, of = MESSAGES[kind].get(field, ("", ""))
        if not name:
            continue
        item = SCALARS[of](value) if of in SCALARS else as_json(message(value), of)
        if name.endswith("[]"):
            written.setdefault(name[:-2], []).append(item)
        else:
            written[name] = item
    return written
