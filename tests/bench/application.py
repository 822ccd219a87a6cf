"""The application that is measured: the chain of the five systems, with one way to export or none."""

import importlib
import logging
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final, NamedTuple, Protocol

import structlog
from opentelemetry.sdk._logs import LoggerProvider as OfficialProvider
from opentelemetry.sdk._logs import LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from structlog.typing import Processor

from otel_bridge import LogBridge, LoggerProvider
from tests.bench.events import CONTEXT, CREATED, EVENTS, IN_THE_CHAIN
from tests.chains import older

BARE: Final = "bare chain"
OURS: Final = "otel-bridge"
UNREDACTED: Final = "otel-bridge, redaction=None"
SPOOL: Final = "with a spool"
OFFICIAL: Final = "official structlog"
HANDLER: Final = "official logging"
VARIANTS: Final = (BARE, OURS, SPOOL, OFFICIAL, HANDLER)
"""What most rows compare."""

INSTRUMENTATION: Final = "opentelemetry.instrumentation.structlog"


class Provider(Protocol):
    """What both providers have."""

    def force_flush(self, timeout_millis: int = ...) -> bool:
        """Deliver what was emitted."""


class Export(NamedTuple):
    """One way to export, ready to be put into an application; all `None` where nothing is exported."""

    processor: Processor | None
    """What goes into the chain."""
    handler: logging.Handler | None
    """What goes beside the console handler."""
    provider: Provider | None

    def flush(self) -> bool:
        """Deliver what was logged; tell whether that is claimed."""
        return self.provider is None or self.provider.force_flush(120_000)

    def chain(self) -> list[Processor]:
        """Return the chain of the five systems with the processor in its slot: where an exception is still whole."""
        before, after = older()[:-3], older()[-3:]
        return [*before, *([self.processor] if self.processor else ()), *after]

    def handlers(self) -> list[logging.Handler]:
        """Return a console handler that prints JSON nowhere, and what goes beside it."""
        console: logging.Handler = logging.StreamHandler(Nowhere())
        console.setFormatter(structlog.stdlib.ProcessorFormatter(processor=structlog.processors.JSONRenderer()))
        return [console, *([self.handler] if self.handler else ())]


class Application(NamedTuple):
    """One variant, ready to log."""

    logger: Any
    """A bound logger with a request's context."""
    log: Callable[[], object]
    """Logs `zaak_created` through the whole chain."""
    process: Callable[[], object] | None
    """Gives `zaak_created` to the processor alone; `None` where the variant has none."""
    flush: Callable[[], bool]

    def logs(self, event: str) -> Callable[[], object]:
        """Return what logs an event of `EVENTS`."""
        level, keys = EVENTS[event]
        return partial(getattr(self.logger, level), event, **keys)


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


def application(variant: str, queue: int | None = None, spool: str | None = None) -> Application:
    """
    Set up one variant, configured by the environment as both pipelines read it.

    Args:
        variant: One of `VARIANTS`, or `UNREDACTED`.
        queue: How many records the official pipeline may queue; its default (2,048) if not given.
        spool: The folder of the variant with a spool; a new one if not given.
    """
    export = exporting(variant, queue, spool)
    logger = logging.getLogger(f"openzaak.{variant}")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers = export.handlers()
    structlog.contextvars.bind_contextvars(**CONTEXT)
    bound = structlog.wrap_logger(logger, export.chain(), structlog.stdlib.BoundLogger).bind()
    keys, processor = EVENTS[CREATED].keys, export.processor
    alone = (lambda: processor(logger, "info", dict(IN_THE_CHAIN))) if processor else None
    return Application(bound, lambda: bound.info(CREATED, **keys), alone, export.flush)


def exporting(variant: str, queue: int | None = None, spool: str | None = None) -> Export:
    """Make one way to export, as `application` takes it."""
    # Its warnings about attributes that it leaves out would be counted as its cost.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
    if variant == BARE:
        return Export(None, None, None)
    if variant in {OURS, UNREDACTED}:
        ours = LoggerProvider()
        return Export(LogBridge(ours) if variant == OURS else LogBridge(ours, redaction=None), None, ours)
    if variant == SPOOL:
        spooling = LoggerProvider(spool_dir=Path(spool or mkdtemp(prefix="spool-")))
        return Export(LogBridge(spooling), None, spooling)
    official = _official(queue)
    if variant == HANDLER:
        return Export(None, LoggingHandler(logger_provider=official), official)
    return Export(importlib.import_module(INSTRUMENTATION).StructlogProcessor(official), None, official)


def _official(queue: int | None) -> OfficialProvider:
    over = "grpc._log_exporter" if os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") == "grpc" else "http._log_exporter"
    exporter = importlib.import_module(f"opentelemetry.exporter.otlp.proto.{over}").OTLPLogExporter()
    provider = OfficialProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_queue_size=queue))
    return provider


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
