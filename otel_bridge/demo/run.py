"""The demo from start to exit status."""

import secrets
import signal
import time
from collections.abc import Sequence
from types import FrameType
from typing import Final

from rich.console import Console

from otel_bridge.demo import report, stacks, visit
from otel_bridge.demo.application import application
from otel_bridge.demo.expected import Line, lines
from otel_bridge.demo.stores import Store, StoreError
from otel_bridge.demo.verdict import Verdict, ask

TIMEOUT: Final = 60.0
POLL_SECONDS: Final = 0.3


def run(start: stacks.Start, why: str, *, keep: bool = False, timeout: float = TIMEOUT) -> int:
    """
    Run the demo and print what it finds.

    Args:
        start: What starts the stack.
        why: Why it is this one: the end of a sentence.
        keep: Whether to leave the stack running.
        timeout: Seconds to wait at most until every store holds everything.

    Returns:
        The exit status: 0 if everything that was logged was found in each store, else 1.

    Raises:
        StackError: The stack did not start.
        ApplicationError: The application did not start, or not answer as it should.
        StoreError: A store could not be asked.
    """
    began = time.time_ns()
    console = Console()
    signal.signal(signal.SIGTERM, _interrupt)
    report.starting(console, why)
    with start(keep, began) as stack:
        report.started(console, stack, _seconds_since(began))
        with application(stack.otlp) as running:
            sent = visit.requests(secrets.token_hex(3))
            for request in sent:
                running.send(request)
            printed = lines(running.printed())
            report.sent(console, running.url, sent, printed)
            deadline = time.monotonic() + timeout
            with console.status("Asking the stores …"):
                verdicts = [_until_found(store, sent, printed, deadline) for store in stack.stores]
        report.found(console, sent, printed, verdicts)
        report.one_request(console, sent[0], printed, stack.stores)
        report.how_to_go_on(console, sent[0], stack, keep=keep)
        return report.conclusion(console, printed, verdicts, _seconds_since(began))


def _until_found(store: Store, sent: Sequence[visit.Request], printed: Sequence[Line], deadline: float) -> Verdict:
    """Ask until everything is there; after *deadline* (of the monotonic clock) take what is."""
    while True:
        is_last = time.monotonic() > deadline
        try:
            verdict = ask(store, sent, printed)
        except StoreError:
            if is_last:
                raise
        else:
            if is_last or not verdict.problems:
                return verdict
        time.sleep(POLL_SECONDS)


def _seconds_since(began: int) -> float:
    return (time.time_ns() - began) / 1e9


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
