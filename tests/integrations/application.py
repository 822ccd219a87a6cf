"""A small application, for WSGI and ASGI, that logs at its import and in each request."""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

import structlog

import otel_bridge
from tests.integrations import serials

serials.configure()
otel_bridge.install()
logger = structlog.get_logger("application")
logger.info("application_loaded")


def work(query: str) -> bytes:
    """Log `count` records, the first by `logging`, and take some `seconds` after that; return how many they were."""
    asked = {name: float(values[0]) for name, values in parse_qs(query).items()}
    count = int(asked["count"])
    logging.getLogger("library").warning("a request of %s", query)
    for number in range(1, count):
        logger.info("zaak_created", number=number)
    time.sleep(asked["seconds"])
    return b"%d" % count


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answer a request of WSGI."""
    body = work(environ["QUERY_STRING"])
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


async def asgi(scope: dict[str, Any], _receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    """Answer a request of ASGI."""
    assert scope["type"] == "http"
    body = work(scope["query_string"].decode())
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
