"""
What otel-bridge costs beside the official pipelines: `python -m tests.bench`, one table.

Every line compares what was measured in the same run, variants in turns, because a shared machine is now fast and now
slow. A cell has the least of all rounds, which is what the code costs, and the median.
"""

import argparse
import os
from tempfile import TemporaryDirectory

from rich.console import Console

from tests.bench import application, instructions
from tests.bench.receiver import receiving
from tests.bench.rows import Scale, rows
from tests.bench.table import table

FULL = Scale(rounds=5, calls=10, events=500, records=30_000, burst=100_000, waiting=100_000, timeout=10)
QUICK = Scale(rounds=1, calls=2, events=50, records=1_000, burst=4_000, waiting=2_000, timeout=1)


def main() -> None:
    """Measure every row and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few events and one round: to see that it runs")
    parser.add_argument("--no-instructions", action="store_true", help="without valgrind, which takes minutes")
    chosen = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        del os.environ[name]
    counts = instructions.is_there() and not chosen.no_instructions
    console = Console()
    # As wide as the table is, also where there is no terminal.
    console.width = max(console.width, 165)
    variants = [name for name in application.VARIANTS if name != application.OFFICIAL or application.is_installed()]
    with TemporaryDirectory() as folder, receiving() as receiver, console.status("Measuring") as status:
        os.environ["TMPDIR"] = folder
        found = []
        for row in rows(receiver, variants, QUICK if chosen.quick else FULL, counts=counts):
            found.append(row)
            status.update(f"Measured: {row.name}")
    console.print(table(found))
    if application.OFFICIAL not in variants:
        console.print(application.MISSING)
    if not instructions.is_there():
        console.print("Instructions were not counted: that needs valgrind.")


if __name__ == "__main__":
    main()
