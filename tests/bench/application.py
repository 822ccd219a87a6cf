"""The application that is measured: the chain of the five systems, and one event with a request's context bound."""

import importlib
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final, NamedTuple, Protocol

import structlog
from opentelemetry.sdk._logs import LoggerProvider as OfficialProvider
from opentelemetry.sdk._logs import LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from structlog.typing import Processor

from otel_bridge import LogBridge, LoggerProvider
from tests.chains import older

KEYS: Final = {
    "uuid": "20d23f12-6743-486c-a1f2-c31c5c6a86f9",
    "identificatie": "ZAAK-2025-0000000001",
    "vertrouwelijkheidaanduiding": "openbaar",
}
CONTEXT: Final = {"request_id": "2f9e9a5b-d549-4faa-a411-594aa8a52eee", "user_id": "42", "source": "app"}
EVENT: Final = {
    "event": "zaak_created",
    "timestamp": "2025-05-19T14:09:20.339166Z",
    "logger": "openzaak.components.zaken.api.viewsets",
    "level": "info",
    **KEYS,
    **CONTEXT,
}
"""What the chain has made of it when it comes to the bridge."""

BARE: Final = "bare chain"
OURS: Final = "otel-bridge"
SPOOL: Final = "with a spool"
OFFICIAL: Final = "official structlog"
HANDLER: Final = "official logging"
VARIANTS: Final = (BARE, OURS, SPOOL, OFFICIAL, HANDLER)

INSTRUMENTATION: Final = "opentelemetry.instrumentation.structlog"
MISSING: Final = (
    "The official structlog instrumentation is not installed, so its column is empty: "
    "pip install --pre opentelemetry-instrumentation-structlog"
)


class Provider(Protocol):
    """What both providers have."""

    def force_flush(self, timeout_millis: int = ...) -> bool:
        """Deliver what was emitted."""


class Application(NamedTuple):
    """One variant, ready to log."""

    log: Callable[[], object]
    """Logs the event through the whole chain."""
    process: Callable[[], object] | None
    """Gives the event to the processor alone; `None` where the variant has none."""
    provider: Provider | None

    def flush(self) -> bool:
        """Deliver what was logged; tell whether that is claimed."""
        return self.provider is None or self.provider.force_flush(120_000)


class Nowhere:
    """A stream that keeps nothing."""

    def write(self, text: str) -> int:
        """Forget *text*."""
        return len(text)

    def flush(self) -> None:
        """Do nothing."""


def is_installed() -> bool:
    """Tell whether the official structlog instrumentation is there."""
    try:
        importlib.import_module(INSTRUMENTATION)
    except ModuleNotFoundError:
        return False
    return True


def application(variant: str, queue: int | None = None) -> Application:
    """
    Set up one variant, configured by the environment as both pipelines read it.

    Args:
        variant: One of `VARIANTS`.
        queue: How many records the official pipeline may queue; its default (2,048) if not given.
    """
    logger = logging.getLogger(f"openzaak.{variant}")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    console: logging.Handler = logging.StreamHandler(Nowhere())
    console.setFormatter(structlog.stdlib.ProcessorFormatter(processor=structlog.processors.JSONRenderer()))
    logger.addHandler(console)
    structlog.contextvars.bind_contextvars(**CONTEXT)
    # Its warnings about attributes that it leaves out would be counted as its cost.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
    provider = _provider(variant, queue)
    processor = _processor(variant, provider)
    if variant == HANDLER:
        logger.addHandler(LoggingHandler(logger_provider=provider))
    chain = older()
    processors = [*chain[:-3], *([processor] if processor else ()), *chain[-3:]]
    bound = structlog.wrap_logger(logger, processors, structlog.stdlib.BoundLogger).bind()
    alone = (lambda: processor(logger, "info", dict(EVENT))) if processor else None
    return Application(lambda: bound.info("zaak_created", **KEYS), alone, provider)


def _provider(variant: str, queue: int | None) -> Any:
    if variant == BARE:
        return None
    if variant in {OURS, SPOOL}:
        return LoggerProvider(spool_dir=Path(mkdtemp(prefix="spool-")) if variant == SPOOL else None)
    over = "grpc._log_exporter" if os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") == "grpc" else "http._log_exporter"
    exporter = importlib.import_module(f"opentelemetry.exporter.otlp.proto.{over}").OTLPLogExporter()
    provider = OfficialProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_queue_size=queue))
    return provider


def _processor(variant: str, provider: Any) -> Processor | None:
    if variant in {OURS, SPOOL}:
        return LogBridge(provider)
    if variant == OFFICIAL:
        made: Processor = importlib.import_module(INSTRUMENTATION).StructlogProcessor(provider)
        return made
    return None


def in_threads(call: Callable[[], object], times: int, threads: int) -> None:
    """Call *call* so many times, shared out among threads."""

    def work() -> None:
        for _ in range(times // threads):
            call()

    if threads == 1:
        work()
        return
    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
