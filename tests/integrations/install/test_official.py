"""OpenTelemetry's own ways: `opentelemetry-instrument`, and its instrumentations of structlog and logging."""

from pathlib import Path
from typing import Final

import pytest

from tests.integrations.install.project import run
from tests.otlp import HttpReceiver, flattened
from tests.peers import needs

# The newest instrumentations are put beside what is installed, without what they depend on.
pytestmark = needs("opentelemetry-instrumentation", "0.66b0")

PROGRAM: Final = """
import logging.config
import structlog

structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
)
console = {"class": "logging.StreamHandler"}
logging.config.dictConfig(
    {"version": 1, "handlers": {"console": console}, "root": {"handlers": ["console"], "level": "INFO"}}
)
structlog.get_logger("app").info("of structlog", bsn="123456782")
logging.getLogger("library").info("of a library")
"""
INSTRUMENT: Final = (
    "from opentelemetry.instrumentation.auto_instrumentation import run; "
    "import sys; sys.argv[1:1] = [sys.executable]; run()"
)
"""What the command `opentelemetry-instrument` does."""


def instrumented(image: Path, peers: Path, tmp_path: Path, receiver: HttpReceiver, **environ: str) -> str:
    """Run the program under `opentelemetry-instrument`, and return what it wrote to stderr."""
    (tmp_path / "program.py").write_text(PROGRAM)
    defaults = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "django",
        "OTEL_TRACES_EXPORTER": "none",
        "PYTHONPATH": str(peers),
    }
    command = [image, "-c", INSTRUMENT, str(tmp_path / "program.py")]
    return str(run(command, **{**defaults, **environ}).stderr)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED": "true"},
        {"OTEL_PYTHON_LOGGER_PROVIDER": "otel_bridge"},
        {"OTEL_BRIDGE_AUTO": "true"},
        {"OTEL_BRIDGE_AUTO": "true", "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "django,otel_bridge"},
        {"OTEL_BRIDGE_AUTO": "true", "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED": "true"},
    ],
    ids=lambda environ: " ".join(environ) or "by its entry point",
)
def test_each_record_is_sent_once_and_by_the_bridge(
    image: Path, peers: Path, tmp_path: Path, receiver: HttpReceiver, environ: dict[str, str]
) -> None:
    """Whoever comes first: ours is redacted and has a uid."""
    instrumented(image, peers, tmp_path, receiver, **environ)
    records = {record.scope: record for record in receiver.records if record.scope in ("app", "library")}
    assert len(records) == sum(record.scope in records for record in receiver.records) == 2
    assert records["app"].attributes["bsn"] == "[redacted: bsn]"
    assert all("log.record.uid" in record.attributes for record in records.values())
    assert sum("LoggingHandler is switched off" in record.body for record in receiver.records) == 1


@pytest.mark.parametrize("auto", ["", "true"])
def test_the_exporter_can_be_ours(image: Path, peers: Path, tmp_path: Path, receiver: HttpReceiver, auto: str) -> None:
    """`OTEL_PYTHON_LOGGER_PROVIDER=otel_bridge` holds although the SDK has set a provider without asking for it."""
    environ = {"OTEL_PYTHON_LOGGER_PROVIDER": "otel_bridge", "OTEL_BRIDGE_AUTO": auto}
    instrumented(image, peers, tmp_path, receiver, **environ)
    senders = {
        record.body: one.get("user-agent", "").partition("/")[0]
        for one, request in zip(receiver.metadata, receiver.requests, strict=True)
        for record in flattened(request)
        if record.scope in ("app", "library")
    }
    assert senders == {"of structlog": "otel-bridge", "of a library": "otel-bridge"}


def test_the_provider_for_every_use_of_the_api(image: Path, receiver: HttpReceiver) -> None:
    """By its entry point, without `opentelemetry-instrument`: whoever asks the API gets the default provider."""
    code = """if True:
    from opentelemetry._logs import LogRecord, get_logger
    get_logger("direct").emit(LogRecord(body="by the API"))
    """
    run([image, "-c", code], OTEL_PYTHON_LOGGER_PROVIDER="otel_bridge", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    assert [record.body for record in receiver.records] == ["by the API"]


def test_disabled_the_entry_point_does_nothing(image: Path) -> None:
    """`OTEL_SDK_DISABLED=true`: a provider that does nothing."""
    code = "from opentelemetry._logs import get_logger_provider; print(type(get_logger_provider()).__name__)"
    done = run([image, "-c", code], OTEL_PYTHON_LOGGER_PROVIDER="otel_bridge", OTEL_SDK_DISABLED="true")
    assert done.stdout == "NoOpLoggerProvider\n"


@pytest.mark.parametrize("order", ["before", "after"])
def test_instrumented_by_hand(image: Path, peers: Path, receiver: HttpReceiver, order: str) -> None:
    """`StructlogInstrumentor().instrument()` and `install()`, in either order, around two configurations."""
    calls = ["otel_bridge.install()", "StructlogInstrumentor().instrument()"]
    first, second = calls if order == "before" else calls[::-1]
    code = f"""if True:
    import otel_bridge, structlog
    from opentelemetry._logs import set_logger_provider
    from opentelemetry.instrumentation.structlog import StructlogInstrumentor
    set_logger_provider(otel_bridge.LoggerProvider())
    structlog.configure(processors=[structlog.processors.JSONRenderer()])
    {first}
    {second}
    structlog.get_logger().info("one")
    structlog.configure(processors=[structlog.processors.KeyValueRenderer()])
    structlog.get_logger().info("two")
    """
    run([image, "-c", code], PYTHONPATH=str(peers), OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    said = [record.body for record in receiver.records if record.scope != "otel_bridge"]
    assert said == ["one", "two"]
    assert all("log.record.uid" in record.attributes for record in receiver.records)


def test_a_way_to_another_provider_stays(image: Path, peers: Path) -> None:
    """A handler that the application gave a provider of its own sends to somewhere else, and goes on doing so."""
    code = """if True:
    import logging, otel_bridge
    from opentelemetry.instrumentation.logging.handler import LoggingHandler
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
    exporter = InMemoryLogRecordExporter()
    other = LoggerProvider()
    other.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logging.getLogger().addHandler(LoggingHandler(logger_provider=other))
    otel_bridge.install()
    logging.warning("elsewhere")
    print([data.log_record.body for data in exporter.get_finished_logs()])
    """
    done = run([image, "-c", code], PYTHONPATH=str(peers), OTEL_LOGS_EXPORTER="none")
    assert done.stdout == "['elsewhere']\n"


def test_in_the_settings_ours_takes_its_place(image: Path, receiver: HttpReceiver) -> None:
    """The SDK's handler in `LOGGING`: its records are sent by ours, at its level."""
    code = """if True:
    import logging.config, otel_bridge, warnings
    from opentelemetry._logs import set_logger_provider
    warnings.simplefilter("ignore")
    set_logger_provider(otel_bridge.LoggerProvider())
    theirs = {"class": "opentelemetry.sdk._logs.LoggingHandler", "level": "WARNING"}
    LOGGING = {"version": 1, "handlers": {"otlp": theirs}, "root": {"handlers": ["otlp"], "level": "INFO"}}
    logging.config.dictConfig(otel_bridge.install(LOGGING))
    logging.warning("sent")
    logging.info("below its level")
    """
    run([image, "-c", code], OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    [record] = receiver.records
    assert (record.body, "log.record.uid" in record.attributes) == ("sent", True)
