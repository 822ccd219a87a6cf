"""The requests that the application is sent."""

import secrets
from typing import Final, NamedTuple

from otel_bridge.catalogue import shipped

CITIZEN: Final = "inpBsn=123456782"
"""A citizen service number, as Open Zaak's clients send them in queries; it must reach no store."""


class Request(NamedTuple):
    """A request, with the ids by which its records are found."""

    path: str
    status: int
    """What is answered if all is as it should be."""
    correlation_id: str
    """One for all requests of a run."""
    request_id: str
    trace_id: str


def requests(run: str) -> list[Request]:
    """
    Return what is sent: documented events of all systems, a 4xx, an unhandled exception, a foreign library's warning.

    Args:
        run: What makes the paths of this run its own.
    """
    visits = [
        (f"/one-request/?{CITIZEN}", 200),
        *((f"/events/{system.name}/", 200) for system in shipped().systems),
        (f"/missing/{run}/", 404),
        ("/broken/", 500),
    ]
    return [
        Request(path, status, f"demo-{run}", f"demo-{run}-{number}", secrets.token_hex(16))
        for number, (path, status) in enumerate(visits, 1)
    ]
