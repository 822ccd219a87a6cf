"""Runs tasks of `tests.bench.subject`, each in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

HTTP: Final = "http/protobuf"
GRPC: Final = "grpc"
FAILED: Final = 1
"""What Python returns after an exception."""


def run(task: str, *, endpoint: str, protocol: Any = HTTP, environ: Any = None, **arguments: Any) -> Any:
    """
    Run a task, and return what it found; `None` if the task was to end its process before.

    Args:
        task: Its name.
        endpoint: Where it exports to.
        protocol: Over what: `HTTP` or `GRPC`.
        environ: Further variables of its environment.
        arguments: Its own.
    """
    configured = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-m", "tests.bench.subject", task, json.dumps(arguments)],
        env={**os.environ, **configured, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if arguments.get("way"):
        assert done.returncode != FAILED, done.stderr
        return None
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def side_by_side(measure: Callable[[str], float], variants: Sequence[str]) -> dict[str, list[float]]:
    """Measure all variants at once, which changes nothing where they mostly wait."""
    with ThreadPoolExecutor(len(variants)) as pool:
        return {variant: [found] for variant, found in zip(variants, pool.map(measure, variants), strict=True)}
