"""Where the demo's records go: how each stack is started, and stopped or left running."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from urllib3.exceptions import HTTPError

from otel_bridge.demo.application import stop
from otel_bridge.demo.elasticsearch import ElasticsearchStore
from otel_bridge.demo.loki import LokiStore
from otel_bridge.demo.stores import HTTP, EmbeddedStore, Store

POLL_SECONDS: Final = 0.2
NATIVE_SECONDS: Final = 120.0
"""How long the native servers may take to stop; each takes up to 40 s."""


class StackError(Exception):
    """A stack was asked for that cannot run here, or did not start; the message says which and what to do."""


class Stack(NamedTuple):
    """A running stack."""

    description: str
    otlp: str
    """OTLP over HTTP, without `/v1/logs`."""
    stores: tuple[Store, ...]
    grafana: str | None = None
    leave: str | None = None
    """How to stop what was left running; `None` for what this demo did not start."""


Start: TypeAlias = Callable[[bool, int], AbstractContextManager[Stack]]
"""Starts a stack, given whether to leave it running and when (in nanoseconds) the run began."""


@contextmanager
def embedded(keep: bool, _since: int) -> Iterator[Stack]:  # noqa: FBT001
    """Run the embedded receiver on a free port."""
    command = [sys.executable, "-m", "otel_bridge.demo.receiver", "--port", "0"]
    # What is left running must not hold on to a pipe that this demo's output may go to.
    child = subprocess.Popen(  # noqa: S603 - this package's own
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if keep else None,
        text=True,
        start_new_session=keep,
    )
    with ExitStack() as undo:
        undo.callback(stop, child)
        url = child.stdout.readline().strip() if child.stdout else ""
        if not url:
            raise StackError("The embedded receiver did not start.")
        description = "Embedded: an OTLP receiver that keeps records in memory"
        yield Stack(description, url, (EmbeddedStore(url),), leave=f"kill {child.pid}")
        if keep:
            undo.pop_all()


def containers(root: Path) -> Start:
    """Return what runs the servers of the checkout's docker-compose.yml, and leaves them if they ran before."""

    @contextmanager
    def start(keep: bool, since: int) -> Iterator[Stack]:  # noqa: FBT001
        with ExitStack() as undo:
            running = ["docker", "compose", "ps", "--quiet"]
            asked = subprocess.run(running, cwd=root, stdout=subprocess.PIPE, check=False)  # noqa: S603 - a fixed command
            ran_before = bool(asked.stdout.strip())
            if not ran_before:
                undo.callback(subprocess.run, ["docker", "compose", "down"], cwd=root, check=False)
            up = ["docker", "compose", "up", "--detach", "--build", "--wait"]
            if subprocess.run(up, cwd=root, check=False).returncode != 0:  # noqa: S603 - a fixed command
                raise StackError("`docker compose up` failed, as said above; `STACK=embedded` needs no containers.")
            yield _real(
                "Containers: Collector, Loki, Elasticsearch, Grafana",
                {
                    "otlp_http": "http://127.0.0.1:4318",
                    "loki": "http://127.0.0.1:3100",
                    "elasticsearch": "http://127.0.0.1:9200",
                    "grafana": "http://127.0.0.1:3000",
                },
                since,
                None if ran_before else "docker compose down",
            )
            if keep:
                undo.pop_all()

    return start


def native(root: Path) -> Start:
    """Return what runs the real servers without containers, or takes those that an earlier run has left."""
    file = root / ".stack" / "endpoints.json"

    @contextmanager
    def start(keep: bool, since: int) -> Iterator[Stack]:  # noqa: FBT001
        if (left := _left(file)) is not None:
            description = f"Native: Collector, Loki, Elasticsearch, left running earlier, until `kill {left['pid']}`"
            yield _real(description, left, since, None)
            return
        # Says what it does, for minutes the first time.
        build = [sys.executable, "-m", "stack", "build"]
        if subprocess.run(build, cwd=root, stdout=subprocess.DEVNULL, check=False).returncode != 0:  # noqa: S603 - this project's own
            raise StackError("The native servers were not built, as said above; `STACK=embedded` needs none.")
        file.parent.mkdir(exist_ok=True)
        log = file.with_name("up.log")
        command = [sys.executable, "-m", "stack", "up", "--endpoints", str(file)]
        with log.open("wb") as output:
            # A session of its own: it may be left running, and Ctrl-C here must not reach it before its turn.
            child = subprocess.Popen(  # noqa: S603 - this project's own
                command, cwd=root, stdout=output, stderr=output, start_new_session=True
            )
        with ExitStack() as undo:
            undo.callback(stop, child, NATIVE_SECONDS)
            while (endpoints := _left(file)) is None:
                if child.poll() is not None:
                    raise StackError(f"The native servers did not start: {log.read_text(errors='replace').strip()}")
                time.sleep(POLL_SECONDS)
            description = "Native: Collector, Loki, Elasticsearch, built on this machine"
            yield _real(description, endpoints, since, f"kill {child.pid}")
            if keep:
                undo.pop_all()

    return start


def given(otlp: str, loki: str | None, elasticsearch: str | None) -> Start:
    """Return what uses servers that run already."""

    @contextmanager
    def start(_keep: bool, since: int) -> Iterator[Stack]:  # noqa: FBT001
        endpoints = {"otlp_http": otlp, "loki": loki, "elasticsearch": elasticsearch}
        yield _real("Servers of your own", {name: url for name, url in endpoints.items() if url}, since, None)

    return start


def _left(file: Path) -> dict[str, str] | None:
    """Return the endpoints of a native stack that runs; `None` if there is none."""
    try:
        endpoints: dict[str, str] = json.loads(file.read_text())
        os.kill(int(endpoints["pid"]), 0)
        HTTP.request("GET", endpoints["collector_health"])
    except (OSError, LookupError, ValueError, HTTPError):
        return None
    return endpoints


def _real(description: str, endpoints: dict[str, str], since: int, leave: str | None) -> Stack:
    stores: list[Store] = []
    if "loki" in endpoints:
        stores.append(LokiStore(endpoints["loki"], since))
    if "elasticsearch" in endpoints:
        stores.append(ElasticsearchStore(endpoints["elasticsearch"], since))
    return Stack(description, endpoints["otlp_http"], tuple(stores), endpoints.get("grafana"), leave)
