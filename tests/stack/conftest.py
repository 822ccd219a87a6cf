"""The real servers, started once for a whole test run."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import Stack
from stack.build import missing

REQUIRED = "CI", "OTEL_BRIDGE_REQUIRE_STACK"
"""Where one of these is set, servers that cannot run fail the tests instead of skipping them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test below this folder, so that `-m "not stack"` leaves them out."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.stack)
            item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The Collector, Loki and Elasticsearch, built if need be; skipped where they cannot be built."""
    if sentence := missing():
        if any(os.environ.get(name, "").lower() not in {"", "0", "false"} for name in REQUIRED):
            pytest.fail(sentence)
        pytest.skip(sentence)
    with Stack() as running:
        yield running


@pytest.fixture
def request_id() -> str:
    """Name a request that no other test has."""
    return uuid.uuid4().hex
