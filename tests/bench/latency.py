"""What a Django application under uWSGI adds to its slowest requests: the same users, variant after variant."""

import json
import os
import socket
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Final
from urllib.request import urlopen

from stack.process import Command, Process
from tests.bench.application import BARE
from tests.bench.load import USERS

UWSGI: Final = Path(sys.executable).parent / "uwsgi"
ROOT: Final = Path(__file__).parents[2]
THREADS: Final = 4
BUSY: Final = 0.3
"""How much of what the application without export can answer is asked: little enough that few requests meet."""
START: Final = 30.0


def is_there() -> bool:
    """Tell whether uWSGI is installed beside this Python."""
    return UWSGI.exists()


def p99(endpoint: str, variants: Sequence[str], rounds: int, requests: int) -> Mapping[str, Sequence[float]]:
    """
    Return the ms that one request in a hundred takes longer than, of each round, by variant.

    All applications run all the time, and have nothing to do until it is their turn. In each round all have the same
    users.
    """
    found: dict[str, list[float]] = defaultdict(list)
    with ExitStack() as stack:
        ports = {variant: stack.enter_context(_site(variant, endpoint)) for variant in variants}
        for port in ports.values():
            _load(port, 0, requests // 2, 0)
        rate = round(BUSY * _capacity(ports[BARE], requests))
        for seed in range(rounds):
            for variant, port in ports.items():
                took = _load(port, rate, requests, seed)
                found[variant].append(statistics.quantiles(took, n=100)[98])
                # What it has not delivered yet would be done in another one's turn.
                with urlopen(f"http://127.0.0.1:{port}/flush/") as answer:
                    assert json.load(answer)["flushed"], f"{variant} did not deliver"
    return found


def ratios(found: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Return the figures of each round over those without export of the same round."""
    bare = found[BARE]
    return {
        variant: [figure / without for figure, without in zip(figures, bare, strict=True)]
        for variant, figures in found.items()
        if variant != BARE
    }


@contextmanager
def _site(variant: str, endpoint: str) -> Iterator[int]:
    """Run the application, and return its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    arguments = {
        "http-socket": f"127.0.0.1:{port}",
        "module": "tests.bench.site:application",
        "virtualenv": sys.prefix,
        "threads": f"{THREADS}",
        "listen": "100",
    }
    switches = ("master", "lazy-apps", "need-app", "die-on-term", "disable-logging")
    command = [f"{UWSGI}", *(f"--{name}={value}" for name, value in arguments.items()), *(f"--{on}" for on in switches)]
    environ = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "BENCH_VARIANT": variant}
    log = Path(mkdtemp(prefix="uwsgi-")) / "log"
    process = Process(f"uWSGI ({variant})", Command(command, environ, ROOT), log)
    process.start(lambda: _listens(port), timeout=START)
    try:
        yield port
    finally:
        process.stop()


def _listens(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/flush/", timeout=START):
            return True
    except OSError:
        return False


def _capacity(port: int, requests: int) -> float:
    """Return how many requests a second are answered when users press: by Little's law, from the time of each."""
    return USERS * 1000 / statistics.mean(_load(port, 0, requests, 0))


def _load(port: int, rate: int, requests: int, seed: int) -> list[float]:
    command = [sys.executable, "-m", "tests.bench.load", *(f"{number}" for number in (port, rate, requests, seed))]
    took: list[float] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)  # noqa: S603 - our own
    return took
