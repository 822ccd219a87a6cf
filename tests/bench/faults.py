"""What is lost, and what comes twice, with the receivers of the tests of faults."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from tempfile import mkdtemp
from typing import Final

from tests.bench.application import SPOOL
from tests.bench.processes import run, side_by_side
from tests.export.faults.receiver import HttpReceiver, Ledger, part_of_a_response

RATE: Final = 500
BEFORE: Final = 2.0
"""Seconds before an outage, and after it."""
CUT_OFF: Final = 4
"""Answers that are cut off after the receiver has taken the records."""


def lost_in_an_outage(variants: Sequence[str], seconds: float) -> dict[str, list[float]]:
    """Return how many records never come, of 500 a second, when the receiver is down for some seconds."""

    def measure(variant: str) -> float:
        records = int(RATE * (seconds + 2 * BEFORE))
        with HttpReceiver() as receiver, ThreadPoolExecutor(1) as pool:
            log = partial(run, "numbered", endpoint=base(receiver), variant=variant, numbers=(0, records), rate=RATE)
            task = pool.submit(log)
            receiver.wait(lambda ledger: ledger.order != [], 60)
            time.sleep(BEFORE)
            receiver.down()
            time.sleep(seconds)
            receiver.up()
            task.result()
            return records - len(receiver.serials)

    return side_by_side(measure, variants)


def lost_at_the_end(variants: Sequence[str], way: str, records: int) -> dict[str, list[float]]:
    """Return how many records never come when the process ends so, after all calls have returned."""

    def measure(variant: str) -> float:
        with HttpReceiver() as receiver:
            spool = mkdtemp(prefix="spool-") if variant == SPOOL else None
            log = partial(run, "numbered", endpoint=base(receiver), variant=variant, spool=spool)
            log(numbers=(0, records), way=way)
            if spool:
                # The next process delivers what this one left.
                log(numbers=(records, records + 1))
            return len({f"{number}" for number in range(records)} - receiver.serials)

    return side_by_side(measure, variants)


def twice(variants: Sequence[str], records: int) -> dict[str, list[float]]:
    """Return how many documents Elasticsearch has too many when the receiver takes records and its answer is cut."""

    def measure(variant: str) -> float:
        with HttpReceiver(*[part_of_a_response(b"")] * CUT_OFF) as receiver:
            run("numbered", endpoint=base(receiver), variant=variant, numbers=(0, records), rate=RATE * 10)
            return documents(receiver) - len(receiver.serials)

    return side_by_side(measure, variants)


def documents(ledger: Ledger) -> int:
    """Return how many documents the records are: one for each uid, and one each time for what has none."""
    return len([uid for uid in ledger.uids if uid]) + ledger.uids[""]


def base(receiver: HttpReceiver) -> str:
    """Return its endpoint as `OTEL_EXPORTER_OTLP_ENDPOINT` has it."""
    return receiver.endpoint.removesuffix("/v1/logs")
