"""The embedded receiver, running."""

import threading
from collections.abc import Iterator

import pytest

from otel_bridge.demo.receiver import Receiver


@pytest.fixture
def embedded() -> Iterator[Receiver]:
    """An embedded receiver on a free port."""
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever)
        thread.start()
        yield receiver
        receiver.shutdown()
        thread.join()
