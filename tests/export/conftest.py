"""What the tests of the exporter have."""

import logging
from collections.abc import Iterator

import pytest

from otel_bridge.export import setting
from tests.export.receivers import Certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority and what it signed."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What logger `otel_bridge` warns of in this test, as if it had never said anything before."""
    monkeypatch.setattr(setting, "_said", {})
    sentences: list[str] = []

    class Said(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            sentences.append(record.getMessage())

    logger, handler = logging.getLogger("otel_bridge"), Said()
    logger.addHandler(handler)
    yield sentences
    logger.removeHandler(handler)
