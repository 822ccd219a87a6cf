"""The demo application's server."""

import os
import signal
from socketserver import ThreadingMixIn
from types import FrameType
from typing import Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.core.wsgi import get_wsgi_application
from opentelemetry import trace
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.sdk.trace import TracerProvider

import otel_bridge
from otel_bridge.demo.stores import SERVICE

SETTINGS: Final = "otel_bridge.demo.settings"


class Server(ThreadingMixIn, WSGIServer):
    """Answers each request on a thread of its own, as uWSGI does in the five systems."""

    daemon_threads = True


class Handler(WSGIRequestHandler):
    """Leaves the log to the application: `wsgiref` has an access log of its own."""

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def serve(host: str, port: int) -> None:
    """
    Run the application until SIGTERM or Ctrl-C, with a trace for each request; what it logged is delivered first.

    Raises:
        OSError: Nothing can listen on *host* and *port*.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    os.environ.setdefault("OTEL_SERVICE_NAME", SERVICE)
    # Without an exporter: the traces are there for their ids.
    trace.set_tracer_provider(TracerProvider())
    DjangoInstrumentor().instrument()
    signal.signal(signal.SIGTERM, _interrupt)
    with make_server(host, port, get_wsgi_application(), server_class=Server, handler_class=Handler) as server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            otel_bridge.shutdown()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
