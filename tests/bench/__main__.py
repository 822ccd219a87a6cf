"""
What otel-bridge costs beside the official pipelines: `python -m tests.bench`, one table.

Every line compares what was measured in the same run, variants in turns, because a shared machine is now fast and now
slow. A cell has the least of all rounds, which is what the code costs, and the median; where chance is in every round,
the median, the least and the most. The ratios are those of otel-bridge without a spool.
"""

import argparse
import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from tempfile import TemporaryDirectory

from rich.console import Console

from tests.bench import application, instructions, latency
from tests.bench.receiver import receiving
from tests.bench.rows import Scale, rows
from tests.bench.table import table

FULL = Scale(
    rounds=5,
    calls=10,
    events=300,
    records=20_000,
    sizes=(10, 1_000, 100_000, 1_000_000),
    burst=100_000,
    waiting=100_000,
    timeout=10,
    requests=1_000,
    turns=8,
    outage=20,
)
QUICK = Scale(
    rounds=1,
    calls=2,
    events=50,
    records=1_000,
    sizes=(10, 1_000),
    burst=4_000,
    waiting=2_000,
    timeout=1,
    requests=40,
    turns=1,
    outage=1,
)
VERSIONS = (
    "opentelemetry-sdk",
    "opentelemetry-instrumentation-structlog",
    "structlog",
    "django",
    "uwsgi",
)


def main() -> None:
    """Measure every row and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few events and one round: to see that it runs")
    parser.add_argument("--no-instructions", action="store_true", help="without valgrind, which takes minutes")
    chosen = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        del os.environ[name]
    counts = instructions.is_there() and not chosen.no_instructions
    variants = [name for name in application.VARIANTS if name != application.OFFICIAL or application.is_installed()]
    progress = Console(stderr=True, highlight=False)
    began = time.monotonic()
    with TemporaryDirectory() as folder, receiving() as receiver:
        os.environ["TMPDIR"] = folder
        found = []
        for row in rows(receiver, variants, QUICK if chosen.quick else FULL, counts=counts):
            found.append(row)
            progress.print(f"{time.monotonic() - began:4.0f} s  {row.name}")
    # As wide as the table is, also where there is no terminal.
    console = Console(width=300, highlight=False)
    console.print(table(found))
    console.print(", ".join(map(_version, VERSIONS)), f"CPython {platform.python_version()}")
    for missing in _missing(variants):
        console.print(missing)


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"


def _missing(variants: list[str]) -> list[str]:
    """Say what was left out, and why."""
    absent = {
        "The column of the official structlog instrumentation is empty": application.OFFICIAL not in variants,
        "No site was measured: there is no uWSGI": not latency.is_there(),
    }
    said = [f"{what}; `make bench` has it." for what, is_absent in absent.items() if is_absent]
    return said if instructions.is_there() else [*said, "Instructions were not counted: that needs valgrind."]


if __name__ == "__main__":
    main()
