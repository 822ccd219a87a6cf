"""The application, running in a process of its own."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import urllib3

from otel_bridge.demo.stores import SERVICE
from otel_bridge.demo.visit import Request

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 15.0

WAITS: Final = {"OTEL_BLRP_SCHEDULE_DELAY": "500"}
"""Milliseconds that a record may wait for others: whoever runs a demo waits too."""


class ApplicationError(Exception):
    """The demo application did not start, or did not answer as it should; the message shows the end of its log."""


class Application:
    """
    The running application.

    Args:
        url: Its address.
        log: The file that its standard output and error go to.
    """

    def __init__(self, url: str, log: Path) -> None:
        self.url = url
        self.log = log

    def printed(self) -> str:
        """Return everything that it has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def tail(self) -> str:
        """Return the last lines of it, ready to be appended to a message."""
        return "".join(f"\n    {line[:400]}" for line in self.printed().splitlines()[-10:])

    def send(self, request: Request) -> None:
        """
        Send *request* and read the answer.

        Raises:
            ApplicationError: It was answered otherwise, or not at all.
        """
        headers = {
            "traceparent": f"00-{request.trace_id}-{request.trace_id[16:]}-01",
            "X-Request-ID": request.request_id,
            "X-Correlation-ID": request.correlation_id,
            "User-Agent": SERVICE,
        }
        try:
            answer = urllib3.request("GET", self.url + request.path, headers=headers, retries=False, timeout=30.0)
        except urllib3.exceptions.HTTPError as exc:
            raise ApplicationError(f"{request.path} was not answered: {exc}{self.tail()}") from exc
        if answer.status != request.status:
            raise ApplicationError(f"{request.path} was answered with {answer.status}{self.tail()}")


@contextmanager
def application(endpoint: str) -> Iterator[Application]:
    """
    Run the application with the bridge, which sends its records to *endpoint*, an address of OTLP over HTTP.

    Raises:
        ApplicationError: It ended, or did not listen in time.
    """
    # What is set for the exporter here is meant for another application.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_EXPORTER_OTLP_")}
    own = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_SERVICE_NAME": SERVICE,
    }
    with running(("-m", "otel_bridge.cli", "demo", "--serve", "--port"), {**WAITS, **environment, **own}) as started:
        yield started


@contextmanager
def running(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[Application]:
    """
    Run Python with *arguments* and a free port of the loopback after them, until it listens there and as long as asked.

    Raises:
        ApplicationError: It ended, or did not listen in time.
    """
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="otel-bridge-demo-") as folder:
        log = Path(folder) / "application.log"
        with log.open("wb") as output:
            child = subprocess.Popen(  # noqa: S603 - this package's own
                [sys.executable, *arguments, str(port)], env=environment, stdout=output, stderr=output
            )
        started = Application(f"http://127.0.0.1:{port}", log)
        try:
            _await_listening(child, port, started)
            yield started
        finally:
            stop(child)


def _await_listening(child: subprocess.Popen[bytes], port: int, started: Application) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if child.poll() is not None or time.monotonic() > deadline:
                raise ApplicationError(f"The demo application does not run{started.tail()}") from None
            time.sleep(0.05)


def stop(child: subprocess.Popen[Any], timeout: float = STOP_SECONDS) -> None:
    """End a child process in order, or after *timeout* seconds at once."""
    child.terminate()
    try:
        child.wait(timeout)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
