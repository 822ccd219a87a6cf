"""The events that are measured, as an application of the five systems logs them, with a request's context bound."""

from typing import Any, Final, NamedTuple

CREATED: Final = "zaak_created"
REQUEST: Final = "request_started"
SHAPELESS: Final = "zaak_updated"
FAILED: Final = "zaak_failed"


class Event(NamedTuple):
    """One event."""

    level: str
    keys: dict[str, Any]
    """What is logged with it."""


def _close(zaak: dict[str, str]) -> str:
    try:
        return zaak["resultaat"]
    except KeyError as exc:
        raise ValueError("ZAAK-2025-0000000001 has no resultaat") from exc


def _error() -> Exception | None:
    """Return an exception with a cause, as who catches it has it."""
    try:
        _close({})
    except ValueError as exc:
        return exc
    return None


EVENTS: Final = {
    CREATED: Event(
        "info",
        {
            "uuid": "20d23f12-6743-486c-a1f2-c31c5c6a86f9",
            "identificatie": "ZAAK-2025-0000000001",
            "vertrouwelijkheidaanduiding": "openbaar",
        },
    ),
    REQUEST: Event(
        "info",
        {
            "request": "GET /zaken/api/v1/zaken?identificatie=ZAAK-2025-0000000001&page=2&pageSize=100",
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "ip": "192.0.2.17",
        },
    ),
    SHAPELESS: Event(
        "info",
        {
            "uuid": "20d23f12-6743-486c-a1f2-c31c5c6a86f9",
            "version": 17,
            "changed": ["omschrijving", "toelichting"],
            "before": {"omschrijving": "Aanvraag", "deelzaken": 2},
        },
    ),
    FAILED: Event("error", {"uuid": "20d23f12-6743-486c-a1f2-c31c5c6a86f9", "exc_info": _error()}),
}
"""By name: texts only; texts that a rule of redaction must look at; values of other types; an exception."""

CONTEXT: Final = {"request_id": "2f9e9a5b-d549-4faa-a411-594aa8a52eee", "user_id": "42", "source": "app"}
IN_THE_CHAIN: Final = {
    "event": CREATED,
    "timestamp": "2025-05-19T14:09:20.339166Z",
    "logger": "openzaak.components.zaken.api.viewsets",
    "level": "info",
    **EVENTS[CREATED].keys,
    **CONTEXT,
}
"""What the chain has made of the first when it comes to the bridge."""
