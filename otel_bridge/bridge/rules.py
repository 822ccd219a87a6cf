"""The table of documented keys: where the value of each goes."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from otel_bridge.bridge.trace import BOUND_KEYS
from otel_bridge.bridge.values import is_a, safe_text

CLOUD_EVENTS: Final = ("cloudevent_", "incoming_cloud_event_")
COMPONENTS: Final = ("app", "uwsgi")
"""What the five systems document as values of `source`."""
REQUEST: Final = re.compile(r"([A-Z]+) (/\S*)")
HTTP_REQUEST: Final = ("django.http.request", "HttpRequest")


class Event(NamedTuple):
    """What the rule of one key may look at: the event's name and the keys beside it."""

    name: str
    keys: Mapping[str, Any]

    @property
    def is_cloud_event(self) -> bool:
        """Whether `source`, `id`, `type` and `subject` are those of a CloudEvent."""
        bound = _is_foreign(self.keys.get("source")) and {"type", "id"} <= self.keys.keys()
        return bound or self.name.startswith(CLOUD_EVENTS)


Attributes = Iterable[tuple[str, object]]
Rule = str | Callable[[Event, str, object], Attributes] | None
"""Where the value of a key goes: to the attribute of this name, to those that a function names, or (`None`) nowhere."""


def as_text(_event: Event, key: str, value: object) -> Attributes:
    """Keep the key, always as a text: some systems log a number, others a string."""
    yield key, text_of(value)


def user_id(_event: Event, _key: str, value: object) -> Attributes:
    """Name the user as the semantic conventions do: https://opentelemetry.io/docs/specs/semconv/registry/attributes/user/."""
    yield "user.id", text_of(value)


def source(event: Event, key: str, value: object) -> Attributes:
    """Tell the component of the application stack from the source of a CloudEvent."""
    if _is_foreign(value) and event.is_cloud_event:
        yield "cloudevents.event_source", value
    else:
        yield key, value


def cloud_event(event: Event, key: str, value: object) -> Attributes:
    """Name `id`, `type`, `subject` of a CloudEvent: https://opentelemetry.io/docs/specs/semconv/registry/attributes/cloudevents/."""
    value = text_of(value) if key == "id" else value
    yield (f"cloudevents.event_{key}" if event.is_cloud_event else key), value


def code(event: Event, key: str, value: object) -> Attributes:
    """Tell the three meanings of `code` apart: a response's status, an API error's type, and a text of the domain."""
    if event.name in ("request_finished", "request_failed") and _is_status(value):
        yield "http.response.status_code", value
        return
    if event.name == "api.handled_exception" and isinstance(value, str):
        yield "error.type", value
    yield key, text_of(value)


def status(_event: Event, key: str, value: object) -> Attributes:
    """Take the status of a response; what is no status keeps its key."""
    yield ("http.response.status_code", value) if _is_status(value) else (key, text_of(value))


def other_status(_event: Event, key: str, value: object) -> Attributes:
    """Take the status that another server answered, and keep the key that says so."""
    if _is_status(value):
        yield "http.response.status_code", value
    yield key, value


def method(event: Event, key: str, value: object) -> Attributes:
    """Take the method of a request, where a path stands beside it."""
    if isinstance(value, str) and isinstance(event.keys.get("path"), str):
        yield "http.request.method", value
    yield key, value


def path(event: Event, key: str, value: object) -> Attributes:
    """Take path and query of a request, where a method stands beside it."""
    if isinstance(value, str) and isinstance(event.keys.get("method"), str):
        yield from _url(value)
    yield key, value


def endpoint(_event: Event, key: str, value: object) -> Attributes:
    """Take the path of a deprecated endpoint."""
    if isinstance(value, str):
        yield from _url(value)
    yield key, value


def request(_event: Event, key: str, value: object) -> Attributes:
    """Read django-structlog's `GET /path?query`, or the request itself that Django adds to records of its own."""
    kind: type = type(value)
    if is_a(kind, HTTP_REQUEST):
        value = f"{value.method} {value.get_full_path()}"  # type: ignore[attr-defined]  # Django's own class
    if isinstance(value, str) and (line := REQUEST.fullmatch(value)):
        yield "http.request.method", line[1]
        yield from _url(line[2])
    yield key, value


def stack(_event: Event, _key: str, value: object) -> Attributes:
    """Take the stack that structlog or `logging` rendered; before that was done there is only a flag."""
    if isinstance(value, str):
        yield "code.stacktrace", value


def nowhere(_event: Event, _key: str, _value: object) -> Attributes:
    """Take a key that the application does not want."""
    return ()


RULES: Final[Mapping[str, Rule]] = {
    "request_id": as_text,
    "correlation_id": as_text,
    "user_id": user_id,
    "source": source,
    "id": cloud_event,
    "type": cloud_event,
    "subject": cloud_event,
    "code": code,
    "status": status,
    "http_status_code": other_status,
    "method": method,
    "path": path,
    "endpoint": endpoint,
    "request": request,
    "user_agent": "user_agent.original",
    "ip": "client.address",
    "stack": stack,
    "stack_info": stack,
    "pathname": "code.file.path",
    "func_name": "code.function.name",
    "lineno": "code.line.number",
    "thread": "thread.id",
    "thread_name": "thread.name",
    "process": "process.pid",
    "event": None,
    "level": None,
    "timestamp": None,
    "logger": None,
    "logger_name": None,
    "otel.event.name": None,
    "positional_args": None,
    "exc_info": None,
    "exception": None,
    **dict.fromkeys(BOUND_KEYS),
    "_record": None,
    "_from_structlog": None,
    "_logger": None,
    "_name": None,
}
"""The documented keys that do not simply keep their name and value: the five systems' manuals, django-structlog, and
`structlog.processors.CallsiteParameterAdder`. Names on the right are those of the semantic conventions. Keys that go
nowhere are structlog's own, or become fields of the record."""

NAMING: Final = (as_text, user_id, cloud_event)
"""Rules that do not look into a text, but only say where it goes."""
STATUSES: Final = (code, status, other_status)

DERIVED: Final = frozenset(
    {
        "client.address",
        "cloudevents.event_id",
        "cloudevents.event_source",
        "cloudevents.event_subject",
        "cloudevents.event_type",
        "code.file.path",
        "code.function.name",
        "code.line.number",
        "code.stacktrace",
        "error.type",
        "exception.message",
        "exception.stacktrace",
        "exception.type",
        "http.request.method",
        "http.response.status_code",
        "process.pid",
        "thread.id",
        "thread.name",
        "url.path",
        "url.query",
        "user.id",
        "user_agent.original",
    }
)
"""Every semantic-convention name that the rules can write. One that the application gave itself wins over these, and
these are the last to go where a record has too many attributes."""


def _is_foreign(source: object) -> bool:
    return isinstance(source, str) and source not in COMPONENTS


def text_of(value: object) -> str:
    """Return the text of any value; that of a text is itself. Never raises."""
    return value if type(value) is str else safe_text(value)


def _is_status(value: object) -> bool:
    return type(value) is int and 100 <= value <= 599


def _url(target: str) -> Attributes:
    url_path, _, query = target.partition("?")
    yield "url.path", url_path
    if query:
        yield "url.query", query
