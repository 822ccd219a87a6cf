"""Who waits until records are settled: any thread asks, and the one that sends answers."""

import queue
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple


class Flush(NamedTuple):
    """Somebody waits until no record up to a number waits any longer, or until the deadline."""

    number: int
    deadline: float
    answer: "queue.SimpleQueue[bool]"

    @property
    def left(self) -> float:
        """Seconds until the deadline, not less than none."""
        return max(0.0, self.deadline - time.monotonic())

    def wait(self) -> bool:
        """Return the answer; false where none comes in time."""
        with suppress(queue.Empty):
            return self.answer.get(timeout=self.left)
        return False


class Flushes:
    """The flushes that are not answered, and what wakes the thread that answers."""

    def __init__(self) -> None:
        # Reentrant, so that a signal handler may ask while its thread is in here. Looked up now, because gevent may
        # have replaced it since this module was imported.
        self._asked: queue.SimpleQueue[Flush | None] = queue.SimpleQueue()
        self._open: list[Flush] = []

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, flush: Flush) -> bool:
        return flush in self._open

    def until(self, number: int, deadline: float) -> Flush:
        """Make a flush, to be asked for."""
        # Its queue is of the kind that the thread knows which answers: gevent may have replaced threads since that was
        # started, and a queue of gevent's wakes nobody when another thread puts.
        answer: queue.SimpleQueue[Any] = type(self._asked)()
        return Flush(number, deadline, answer)

    def ask(self, flush: Flush | None) -> None:
        """Wake the thread that answers, and let it answer *flush* if there is one; on any thread."""
        self._asked.put(flush)

    def hear(self, timeout: float) -> bool:
        """Wait *timeout* seconds at most for somebody to ask; tell whether somebody did."""
        try:
            flush = self._asked.get(timeout=timeout)
        except queue.Empty:
            return False
        if flush is not None:
            self._open.append(flush)
        return True

    def hear_all(self) -> None:
        """Take in what was asked already."""
        while self.hear(0):
            pass

    def answer(self, holds: Callable[[int], bool], *, is_over: bool = False) -> None:
        """
        Answer those that are done, and those whose time is up.

        Args:
            holds: Tells whether a record up to a number waits.
            is_over: Whether nothing is sent any more: then everybody is answered.
        """
        for flush in self._open[:]:
            is_done = not holds(flush.number)
            if is_done or is_over or not flush.left:
                self._open.remove(flush)
                flush.answer.put(is_done)
