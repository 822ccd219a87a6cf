"""The seam to OpenTelemetry's Logs API: which provider gets a record, and as which class."""

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry._logs import Logger, LoggerProvider, LogRecord, NoOpLogger, get_logger_provider
from opentelemetry.sdk import _logs as sdk

from otel_bridge import LogBridge, LogBridgeHandler
from otel_bridge.bridge import provider as seam
from otel_bridge.bridge.provider import Target, no_default, resolve
from tests.conftest import Run
from tests.otlp import Memory


class Vendor(LoggerProvider):
    """A provider of the API that is not the SDK's."""

    def __init__(self) -> None:
        self.emitted: list[LogRecord] = []
        self.names: list[str] = []

    def get_logger(self, name: str, *_: Any, **__: Any) -> Logger:
        """Return a logger that keeps records here."""
        vendor = self
        vendor.names.append(name)

        class VendorLogger(NoOpLogger):
            def emit(self, record: Any = None, **_: Any) -> None:
                vendor.emitted.append(record)

        return VendorLogger(name)


@pytest.fixture
def default() -> Iterator[Memory]:
    """A default provider that keeps what it gets."""
    memory, before = Memory(), seam.default
    seam.default = lambda: memory.provider
    yield memory
    seam.default = before


def test_the_given_provider_is_used(memory: Memory, default: Memory) -> None:
    """And no other."""
    LogBridge(memory.provider)(None, "info", {"event": "x"})
    assert (memory.record.body, default.records) == ("x", [])


def test_without_one_the_default_is_used(default: Memory) -> None:
    """Where the application has set none either."""
    LogBridge()(None, "info", {"event": "x"})
    assert default.record.body == "x"


def test_the_default_does_not_become_global(default: Memory) -> None:
    """Unless somebody asks for it."""
    LogBridge()(None, "info", {"event": "x"})
    assert resolve() is default.provider
    assert get_logger_provider() is not default.provider


def test_without_any_provider_nothing_happens() -> None:
    """Not even an error."""
    before, seam.default = seam.default, no_default
    try:
        assert LogBridge()(None, "info", {"event": "x"}) == {"event": "x"}
    finally:
        seam.default = before


def test_any_provider_of_the_api_will_do() -> None:
    """It gets the API's records, each by the logger of its scope."""
    vendor = Vendor()
    for _ in range(2):
        LogBridge(vendor)(None, "warning", {"event": "zaak_created", "logger": "openzaak", "a": 1})
    record = vendor.emitted[0]
    assert (type(record), record.body, record.severity_text) == (LogRecord, "zaak_created", "warning")
    assert vendor.names[-1] == "openzaak"


def test_a_scope_is_looked_up_once() -> None:
    """Loggers of a provider are costly to make."""
    vendor = Vendor()
    bridge = LogBridge(vendor)
    for _ in range(3):
        bridge(None, "info", {"event": "x", "logger": "openzaak"})
    assert (vendor.names.count("openzaak"), len(vendor.emitted)) == (1, 3)


def test_a_provider_without_a_resource_has_no_attributes() -> None:
    """Nothing of the record is left out for it."""
    assert Target(Vendor()).resource == {}


GLOBAL = """
    from opentelemetry._logs import set_logger_provider
    from otel_bridge import LogBridge, LogBridgeHandler
    from tests.otlp import Memory
    import logging
    memory = Memory()
    bridge, handler = LogBridge(), LogBridgeHandler()
"""
"""In a process of its own, because a global provider is set once."""


def test_the_application_s_provider_is_used(run: Run) -> None:
    """The global one, where it has set one."""
    code = (
        GLOBAL
        + """
    set_logger_provider(memory.provider)
    bridge(None, "info", {"event": "x"})
    handler.handle(logging.makeLogRecord({"msg": "y"}))
    print([record.body for record in memory.records])
    """
    )
    assert run(code) == "['x', 'y']\n"


def test_a_provider_that_is_set_late_gets_what_comes_after(run: Run) -> None:
    """Applications set theirs after the first record."""
    code = (
        GLOBAL
        + """
    bridge(None, "info", {"event": "before"})
    set_logger_provider(memory.provider)
    bridge(None, "info", {"event": "after"})
    print([record.body for record in memory.records])
    """
    )
    assert run(code, OTEL_LOGS_EXPORTER="none") == "['after']\n"


def test_a_given_provider_wins_over_the_application_s(run: Run) -> None:
    """It was given to this bridge."""
    code = (
        GLOBAL
        + """
    set_logger_provider(memory.provider)
    own = Memory()
    LogBridge(own.provider)(None, "info", {"event": "x"})
    LogBridgeHandler(logger_provider=own.provider).handle(logging.makeLogRecord({"msg": "y"}))
    print(memory.records, [record.body for record in own.records])
    """
    )
    assert run(code) == "[] ['x', 'y']\n"


def test_the_bridge_half_needs_no_exporter(run: Run) -> None:
    """It does not import the other half, nor the SDK."""
    code = """
    import sys
    import otel_bridge.bridge.processor, otel_bridge.bridge.handler
    bridge = [name for name in sys.modules if name.startswith("otel_bridge.bridge")]
    from pathlib import Path
    import otel_bridge.bridge
    sources = "".join(path.read_text() for path in Path(otel_bridge.bridge.__file__).parent.glob("*.py"))
    print("otel_bridge.export" in sources, "opentelemetry.sdk" in sys.modules, "grpc" in sys.modules)
    """
    assert run(code) == "False False False\n"


def test_an_sdk_before_1_38_gets_its_own_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its encoder reads fields that the API's record lacks."""
    emitted: list[Any] = []

    class OldRecord:
        def __init__(self, **fields: Any) -> None:
            vars(self).update(fields)

    class OldLogger:
        def emit(self, record: OldRecord) -> None:
            emitted.append(record)

    provider = Memory({"service.name": "openklant"}).provider
    monkeypatch.setattr(sdk, "Logger", OldLogger)
    monkeypatch.setattr(sdk, "LogRecord", OldRecord, raising=False)
    monkeypatch.setattr(provider, "get_logger", lambda _: OldLogger())
    LogBridge(provider)(None, "info", {"event": "x"})
    [record] = emitted
    assert (type(record), record.body, record.resource) == (OldRecord, "x", provider.resource)


@pytest.mark.parametrize("door", [LogBridge, LogBridgeHandler])
def test_making_a_bridge_starts_nothing(door: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything begins at the first record, in whatever process that is."""
    called: list[int] = []
    monkeypatch.setattr(seam, "default", lambda: called.append(1))
    door()
    assert called == []
