"""Where the demo's records go: which stack, why, how it is started and stopped."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from urllib3.exceptions import HTTPError

from otel_bridge.demo.stores import HTTP, ElasticsearchStore, EmbeddedStore, LokiStore, Store
from otel_bridge.demo.visit import stop

KINDS: Final = ("containers", "native", "embedded")
ENGINE_SECONDS: Final = 15.0
"""How long a container engine may take to answer."""
NATIVE_SECONDS: Final = 120.0
"""How long the native servers may take to stop; each takes up to 40 s."""
NOTHING_ELSE: Final = "it needs nothing but Python"


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


def checkout() -> Path | None:
    """Return the folder of the checkout that this package runs from; `None` for an installed wheel."""
    folder = Path(__file__).resolve().parents[2]
    return folder if (folder / "stack" / "build.py").is_file() and (folder / "collector").is_dir() else None


def choose(asked: str | None) -> tuple[Start, str]:
    """
    Choose a stack: containers where an engine answers, else the native servers where they are built, else embedded.

    Args:
        asked: One of `KINDS`, which is then taken without looking further; `None` or empty to look.

    Returns:
        What starts it, and why it was chosen: the end of a sentence.

    Raises:
        StackError: *asked* is not known, or needs a checkout and there is none.
    """
    root = checkout()
    if asked:
        return _asked_for(asked, root), f"STACK={asked} asks for it"
    if root is None:
        return embedded, NOTHING_ELSE
    no_engine = _no_engine(root)
    if no_engine is None:
        return containers(root), "a container engine answers"
    if _is_built():
        return native(root), f"{no_engine}, and the native servers are built"
    return embedded, f"{no_engine}, and the native servers are not built"


def _asked_for(asked: str, root: Path | None) -> Start:
    if asked not in KINDS:
        raise StackError(f"STACK={asked} is not known; set it to {', '.join(KINDS)}, or leave it out.")
    if asked == "embedded":
        return embedded
    if root is None:
        raise StackError(f"STACK={asked} needs a checkout of otel-bridge; the installed package has `embedded`.")
    return containers(root) if asked == "containers" else native(root)


def real_ones() -> list[str]:
    """Say how to get the real servers here, and how long that takes, to whoever has seen the embedded one."""
    command = "make demo STACK=native   (13 minutes the first time, which builds them; then half a minute)"
    if checkout() is None:
        return [f"in a checkout of otel-bridge: {command}"]
    from stack import build  # noqa: PLC0415 - only a checkout has it

    missing = build.missing()
    return [command, missing] if missing else [command]


def _no_engine(root: Path) -> str | None:
    """Say why containers cannot run; `None` if they can."""
    if not (root / "docker-compose.yml").is_file():
        return "there is no docker-compose.yml"
    if shutil.which("docker") is None:
        return "there is no `docker`"
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        try:
            done = subprocess.run(command, capture_output=True, timeout=ENGINE_SECONDS, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired):
            return f"`{' '.join(command)}` does not answer"
        if done.returncode != 0:
            return f"`{' '.join(command)}` fails"
    return None


def _is_built() -> bool:
    from stack import build  # noqa: PLC0415 - only a checkout has it

    wanted = {
        "otelcol": build._collector_key(),
        "loki": build._loki_key(),
        "elasticsearch": build.ELASTICSEARCH_VERSION,
    }
    return build.missing() is None and all(build._find(name, key) is not None for name, key in wanted.items())


@contextmanager
def embedded(keep: bool, _since: int) -> Iterator[Stack]:  # noqa: FBT001
    """Run the embedded receiver on a free port."""
    command = [sys.executable, "-m", "otel_bridge.demo.receiver", "--port", "0"]
    child = subprocess.Popen(  # noqa: S603 - this package's own
        command, stdout=subprocess.PIPE, text=True, start_new_session=keep
    )
    try:
        url = child.stdout.readline().strip() if child.stdout else ""
        if not url:
            raise StackError("The embedded receiver did not start; what it said is above.")
        description = "Embedded: an OTLP receiver that keeps records in memory"
        yield Stack(description, url, (EmbeddedStore(url),), leave=f"kill {child.pid}")
    finally:
        if not keep:
            stop(child)


def containers(root: Path) -> Start:
    """Return what runs the servers of the checkout's docker-compose.yml."""

    @contextmanager
    def start(keep: bool, since: int) -> Iterator[Stack]:  # noqa: FBT001
        compose = ["docker", "compose", "--project-directory", str(root)]
        try:
            up = [*compose, "up", "--detach", "--build", "--wait"]
            if subprocess.run(up, check=False).returncode != 0:  # noqa: S603 - a fixed command
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
                "docker compose down",
            )
        finally:
            if not keep:
                subprocess.run([*compose, "down"], check=False)  # noqa: S603 - a fixed command

    return start


def native(root: Path) -> Start:
    """Return what runs the real servers without containers, or takes those that an earlier run has left."""
    file = root / ".stack" / "endpoints.json"

    @contextmanager
    def start(keep: bool, since: int) -> Iterator[Stack]:  # noqa: FBT001
        if (left := _left(file)) is not None:
            yield _real("Native: Collector, Loki, Elasticsearch, left running by an earlier run", left, since, None)
            return
        command = [sys.executable, "-m", "stack", "up", "--endpoints", str(file)]
        # A session of its own: Ctrl-C here must not reach it before its turn, and it may be left running.
        child = subprocess.Popen(  # noqa: S603 - this project's own
            command, cwd=root, stdout=subprocess.DEVNULL, start_new_session=True
        )
        try:
            while _left(file) is None:
                if child.poll() is not None:
                    raise StackError("The native servers did not start, as said above; `STACK=embedded` needs none.")
                time.sleep(0.2)
            yield _real(
                "Native: Collector, Loki, Elasticsearch, built on this machine",
                json.loads(file.read_text()),
                since,
                f"kill {child.pid}",
            )
        finally:
            if not keep:
                stop(child, NATIVE_SECONDS)

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
        HTTP.request("GET", endpoints["collector_health"])
    except (OSError, ValueError, HTTPError):
        return None
    return endpoints


def _real(description: str, endpoints: dict[str, str], since: int, leave: str | None) -> Stack:
    stores: list[Store] = []
    if "loki" in endpoints:
        stores.append(LokiStore(endpoints["loki"], since))
    if "elasticsearch" in endpoints:
        stores.append(ElasticsearchStore(endpoints["elasticsearch"], since))
    return Stack(description, endpoints["otlp_http"], tuple(stores), endpoints.get("grafana"), leave)
