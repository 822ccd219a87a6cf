"""The default provider of a process, built from the standard environment at its first record."""

import atexit
import os
import threading
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from opentelemetry import trace
from opentelemetry._logs import LoggerProvider

from otel_bridge.diagnostics import diagnostics

if TYPE_CHECKING:
    import opentelemetry.sdk._logs as sdk_logs
    from opentelemetry.sdk._logs.export import LogRecordExporter
    from opentelemetry.sdk.resources import Resource

QUEUE_SIZE: Final = "32768"
"""Records that wait at most, where `OTEL_BLRP_MAX_QUEUE_SIZE` says nothing: a burst overflows the SDK's 2,048."""

EXPORTERS: Final = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}
"""Protocols of https://opentelemetry.io/docs/specs/otel/protocol/exporter/ to the entry points of their exporters."""
PROTOCOL_VARIABLES: Final = ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")

_lock = threading.Lock()
_pid = -1
_provider: "sdk_logs.LoggerProvider | None" = None


def default_provider() -> LoggerProvider | None:
    """
    Return this process's default provider, building it at the first call in each process.

    It is configured by the variables of
    https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/, and has the resource of the
    application's tracer provider where there is one, so that logs and traces name the same instance.

    Returns:
        The provider; `None` where `OTEL_SDK_DISABLED` is true, `OTEL_LOGS_EXPORTER` is `none`, or what the
        environment asks for cannot be built, which is said once on logger `otel_bridge`.
    """
    if _pid != os.getpid():
        _build_for_this_process()
    return _provider


def _build_for_this_process() -> None:
    global _pid, _provider  # noqa: PLW0603 - one default provider a process
    with _lock:
        if _pid == os.getpid():
            return
        _provider = None
        try:
            _provider = _build()
        except Exception as exc:  # noqa: BLE001 - a wrong environment must not break the application
            diagnostics.say(f"Log records are not exported: {exc}")
        _pid = os.getpid()


def _after_fork_in_child() -> None:
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _build() -> "sdk_logs.LoggerProvider | None":
    # Imported at the first record only: an import of otel_bridge stays light.
    from opentelemetry.sdk._logs import LoggerProvider as SdkLoggerProvider  # noqa: PLC0415
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor  # noqa: PLC0415

    exporter = None if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" else _exporter()
    if exporter is None:
        return None
    provider = SdkLoggerProvider(resource=_resource(), shutdown_on_exit=False)
    size = int(os.environ.get("OTEL_BLRP_MAX_QUEUE_SIZE") or QUEUE_SIZE)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_queue_size=size))
    return provider


def _resource() -> "Resource":
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415

    resource = getattr(trace.get_tracer_provider(), "resource", None)
    return resource if isinstance(resource, Resource) else Resource.create()


def _exporter() -> "LogRecordExporter | None":
    name = os.environ.get("OTEL_LOGS_EXPORTER", "").strip() or "otlp"
    if name == "none":
        return None
    if name == "otlp":
        variable, protocol = next(
            ((name, os.environ[name]) for name in PROTOCOL_VARIABLES if os.environ.get(name)), ("", "http/protobuf")
        )
        if protocol not in EXPORTERS:
            raise ValueError(f"{variable}={protocol!r} is not known; set it to {' or '.join(EXPORTERS)}.")
        name = EXPORTERS[protocol]
    found = next(iter(entry_points(group="opentelemetry_logs_exporter", name=name)), None)
    if found is None:
        raise ValueError(f"OTEL_LOGS_EXPORTER={name!r} is not installed; set it to otlp, console or none.")
    exporter: LogRecordExporter = found.load()()
    return exporter


def force_flush(timeout: float = 5.0) -> bool:
    """
    Wait until the default provider of this process has handed everything to the exporter.

    Args:
        timeout: Seconds to wait at most.

    Returns:
        Whether that was done in time, as the SDK tells it: it does not say whether the receiver took the records.
        True where there is no provider. Never raises.
    """
    provider = _provider if _pid == os.getpid() else None
    return provider is None or _within(timeout, provider.force_flush)


def shutdown(timeout: float = 5.0) -> bool:
    """
    Flush the default provider of this process and stop it; what is logged afterwards is not exported.

    Args:
        timeout: Seconds to wait at most.

    Returns:
        Whether that was done in time. True where there is no provider. Never raises.
    """
    provider = _provider if _pid == os.getpid() else None
    if provider is None:
        return True

    def flush_and_stop() -> bool:
        is_flushed = provider.force_flush()
        provider.shutdown()
        return is_flushed

    return _within(timeout, flush_and_stop)


def _within(timeout: float, work: Callable[[], bool]) -> bool:
    """Do *work* on a thread of its own, because the SDK keeps no deadline."""
    done: list[bool] = []
    thread = threading.Thread(target=lambda: done.append(work()), name="otel-bridge-flush", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        # At exit Python starts no more threads: https://docs.python.org/3/library/atexit.html
        return work()
    thread.join(timeout)
    return bool(done) and done[0]


# At import, so that hooks which the application registers later, and which run earlier, may still log.
atexit.register(shutdown)
