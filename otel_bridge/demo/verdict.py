"""What a store says to the questions of one run."""

from collections.abc import Sequence
from typing import NamedTuple

from otel_bridge.demo.comparison import problems
from otel_bridge.demo.expected import Line
from otel_bridge.demo.stores import Store
from otel_bridge.demo.visit import Request


class Answers(NamedTuple):
    """What is wrong with the records of one request."""

    by_request_id: list[str]
    by_trace_id: list[str]


class Verdict(NamedTuple):
    """What is wrong with what one store holds of a run."""

    store: Store
    requests: list[Answers]
    elsewhere: list[str]
    """With the records that belong to no request."""

    @property
    def problems(self) -> list[str]:
        """All of it, each sentence once; empty if the store holds everything."""
        found = [sentence for answers in self.requests for kind in answers for sentence in kind]
        return list(dict.fromkeys([*found, *self.elsewhere]))


def ask(store: Store, sent: Sequence[Request], printed: Sequence[Line]) -> Verdict:
    """
    Ask for the records of each request, by `request_id` and by `trace_id`, and for those of none by their text.

    Raises:
        StoreError: The store could not be asked.
    """
    return Verdict(
        store,
        [
            Answers(
                _problems(
                    store, "request_id", request.request_id, [x for x in printed if x.request_id == request.request_id]
                ),
                _problems(store, "trace_id", request.trace_id, [x for x in printed if x.trace_id == request.trace_id]),
            )
            for request in sent
        ],
        [
            sentence
            for line in printed
            if line.request_id is None
            for sentence in _problems(store, "event", line.event, [line])
        ],
    )


def _problems(store: Store, key: str, value: str, expected: Sequence[Line]) -> list[str]:
    return problems(expected, store.find(key, value), store.name_of)
