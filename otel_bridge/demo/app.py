"""
What the demo application answers and logs.

`/one-request/` logs one event of each system and lets a foreign library warn, `/events/<system>/` logs every event
that a system's manual names, `/broken/` raises, and anything else is a 404.
"""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Final

import structlog
import urllib3
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from otel_bridge.catalogue import Event, System, shipped

USER: Final = SimpleNamespace(pk=7)

ONE_OF_EACH: Final = {
    "open-klant": "klantcontact_created",
    "open-zaak": "zaak_created",
    "open-notificaties": "notification_received",
    "referentielijsten": "item_created",
    "open-organisatie": "medewerker_created",
}
"""Systems to the event of theirs that `/one-request/` logs."""

NOBODY_LISTENS: Final = "http://127.0.0.1:9/callback"
"""The port of the discard service (RFC 863), which nobody runs any more."""


class ZaakNotClosableError(Exception):
    """Stands for what goes wrong in an application and is handled nowhere."""


def demo_user(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Log a user in, as a middleware: django-structlog binds `user_id`."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.user = USER
        return get_response(request)

    return middleware


def one_request(_request: HttpRequest) -> HttpResponse:
    """Log one event of each system; then urllib3, which knows nothing of structlog, warns that it tries again."""
    for name, event in ONE_OF_EACH.items():
        system = shipped().system(name)
        log(system, system.event(event))
    try:
        urllib3.PoolManager().request("POST", NOBODY_LISTENS, retries=urllib3.Retry(1, backoff_factor=0))
    except urllib3.exceptions.MaxRetryError:
        return JsonResponse({"logged": [*ONE_OF_EACH.values()]})
    raise RuntimeError(f"Somebody listens on {NOBODY_LISTENS}, and should not.")


def every_event(_request: HttpRequest, system: str) -> HttpResponse:
    """Log every event that the manual of *system* names."""
    described = shipped().system(system)
    for event in described.documented:
        log(described, event)
    return JsonResponse({"logged": [event.name for event in described.documented]})


def broken(_request: HttpRequest) -> HttpResponse:
    """Raise, with a cause."""
    zaak: dict[str, str] = {}
    try:
        return HttpResponse(zaak["resultaat"])
    except KeyError as exc:
        raise ZaakNotClosableError("ZAAK-2025-0000000001 has no resultaat") from exc


def log(system: System, event: Event) -> None:
    """Log *event* as *system* documents it: its logger, its level, its keys; with an exception where it has one."""
    logger = structlog.stdlib.get_logger(event.logger or system.service_name)
    write = getattr(logger, event.level or "info")
    if not event.has_exception:
        write(event.name, **event.example())
        return
    try:
        answer: str = json.loads("<html>502 Bad Gateway</html>")
    except ValueError:
        write(event.name, **event.example(), exc_info=True)
    else:
        raise RuntimeError(f"{answer} is JSON, and should not be.")


urlpatterns = [
    path("one-request/", one_request),
    path("events/<system>/", every_event),
    path("broken/", broken),
]
