"""
OTLP as lines of JSON, in a file or on standard output.

https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/: each line is a request. Requests come as protobuf, and
the tables below are all that it takes to write them as OTLP's JSON. Protobuf's own `json_format` would need
`opentelemetry-proto` at run time, and then each identifier to be written anew, because OTLP has them in hexadecimal.
"""

import base64
import json
import math
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from struct import unpack
from typing import Any, Final

from otel_bridge.export.decoding import fields, message, number, text
from otel_bridge.export.transport import Answer, Outcome

MODE: Final = 0o600
"""Logs are for the application's own user."""
STDOUT: Final = 1
"""Not `sys.stdout`, which Celery sends to its loggers."""

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


class FileTransport:
    """
    Appends requests to a file, a line each; the contract is that of `Transport`.

    Several processes may append to one file. It is opened for each line, so that it may be moved away meanwhile.

    Args:
        path: The file, made with mode 0600 where it is missing; `None` for standard output, whose reader must keep up:
            a pipe that nobody empties holds the sender as it holds every other writer.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def send(self, request: bytes, timeout: float) -> Answer:  # noqa: ARG002 - a local file keeps no one waiting
        """Write one `ExportLogsServiceRequest`; see `Transport`."""
        where = self._path or "standard output"
        try:
            written = json.dumps(as_json(request), ensure_ascii=False, separators=(",", ":"))
        except Exception as exc:  # noqa: BLE001 - it would be the same each time
            return Answer(
                Outcome.REFUSED, error_type=type(exc).__qualname__, message=f"{where}: no JSON for a request."
            )
        try:
            self._append(f"{written}\n".encode())
        except OSError as exc:
            message = f"{where} cannot be written ({exc.strerror})."
            return Answer(Outcome.UNAVAILABLE, error_type=type(exc).__qualname__, message=message)
        return Answer(Outcome.ACCEPTED)

    def close(self) -> None:
        """Do nothing: no file is kept open."""

    def _append(self, line: bytes) -> None:
        if self._path is None:
            return _write(STDOUT, line)
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), MODE)
        try:
            _append(file, line)
        finally:
            os.close(file)
        return None


def _append(file: int, line: bytes) -> None:
    """Append *line*, or nothing; what a process that was killed left unfinished stays a line of its own."""
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode):
        return _write(file, line)
    end = status.st_size
    if end and _read(file, end - 1) != b"\n":
        line = b"\n" + line
    try:
        return _write(file, line)
    except OSError:
        if line.startswith(_read(file, end)):
            os.ftruncate(file, end)
        raise


def _read(file: int, start: int) -> bytes:
    os.lseek(file, start, os.SEEK_SET)
    return os.read(file, os.fstat(file).st_size - start)


def _write(file: int, line: bytes) -> None:
    """Write all of *line*: at once, as long as there is room, so that others' lines do not come between."""
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(file, rest) :]
