"""`OTEL_BRIDGE_AUTO`, from the installed wheel: the application knows nothing of the bridge."""

import json
from pathlib import Path
from typing import Final

import pytest

from tests.integrations.install.project import SET_UP, SETTINGS, Project, needs_open_api_framework, run
from tests.otlp import HttpReceiver


def bodies(receiver: HttpReceiver) -> list[str]:
    """Return what was said, in the order of time."""
    return [one.body for one in sorted(receiver.records, key=lambda one: one.attributes["log.record.uid"])]


@pytest.mark.parametrize("value", ["", "false", " False"])
def test_unset_it_changes_nothing(image: Path, value: str) -> None:
    """Where the variable is not true, structlog and logging are what they are without the bridge."""
    code = "import sys, structlog, logging.config; print([name for name in sys.modules if 'otel' in name])"
    printed = run([image, "-c", code + "; print(sys.meta_path[0], structlog.configure)"], OTEL_BRIDGE_AUTO=value).stdout
    assert printed.startswith("['otel_bridge_auto']\n" if value.strip() else "[]\n")
    assert "_Finder" not in printed
    assert "configured" not in printed


def test_nothing_is_imported_at_start(image: Path) -> None:
    """Neither structlog nor OpenTelemetry nor anything else is loaded before the application asks for it."""
    code = "import sys; print(*sorted(sys.modules))"
    without, set_ = (set(run([image, "-c", code], OTEL_BRIDGE_AUTO=value).stdout.split()) for value in ("", "true"))
    assert set_ - without == {"otel_bridge_auto", "__future__"}


def test_disabled_it_does_nothing(image: Path) -> None:
    """`OTEL_SDK_DISABLED=true`, as for migrations."""
    code = "import structlog, sys; print([name for name in sys.modules if 'otel_bridge' in name], sys.meta_path[0])"
    printed = run([image, "-c", code], OTEL_BRIDGE_AUTO="true", OTEL_SDK_DISABLED="true").stdout
    assert printed.startswith("['otel_bridge_auto'] ")
    assert "_Finder" not in printed


def test_a_wrong_value_is_said(image: Path) -> None:
    """With the variable, its value, and what is used instead; the interpreter starts."""
    done = run([image, "-c", "print('started')"], OTEL_BRIDGE_AUTO="yes")
    assert done.stdout == "started\n"
    assert done.stderr == "OTEL_BRIDGE_AUTO='yes' is not known, and taken as false; set it to true or false.\n"


def test_a_bridge_that_cannot_be_imported_is_said(image: Path, tmp_path: Path) -> None:
    """The application's import of structlog does not fail for it."""
    (tmp_path / "opentelemetry.py").write_text("raise ImportError('an older one')")
    code = "import structlog; structlog.get_logger().info('printed')"
    done = run([image, "-c", code], OTEL_BRIDGE_AUTO="true", PYTHONPATH=str(tmp_path))
    assert "printed" in done.stdout
    assert done.stderr == "otel-bridge is not installed: ImportError: an older one.\n"


@needs_open_api_framework
def test_an_unmodified_project(image: Path, tmp_path: Path, receiver: HttpReceiver) -> None:
    """What the five systems print arrives, once, from structlog and from other libraries."""
    log = """
    structlog.stdlib.get_logger("openzaak").info("zaak_created")
    logging.getLogger("django.request").warning("Not Found: /x")
    """
    environ = {"OTEL_BRIDGE_AUTO": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
    done = Project(tmp_path, SETTINGS).run(SET_UP, log, executable=image, **environ)
    printed = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert bodies(receiver) == printed == ["zaak_created", "Not Found: /x"]


CONFIGURATIONS: Final = {
    "not at all": "",
    "a list": "structlog.configure(processors=[structlog.processors.JSONRenderer()])",
    "a tuple": "structlog.configure_once(processors=(structlog.processors.JSONRenderer(),))",
    "bytes": """structlog.configure(
        processors=[structlog.processors.JSONRenderer(serializer=lambda *_, **__: b"{}")],
        logger_factory=structlog.BytesLoggerFactory(),
    )""",
    "another logger": "structlog.configure(logger_factory=structlog.WriteLoggerFactory())",
    "logging": "structlog.stdlib.recreate_defaults()",
    "by name": "from structlog import configure; configure(processors=[structlog.processors.LogfmtRenderer()])",
}
BEFORE: Final = {
    "nothing": "",
    "the bridge": "import otel_bridge",
    "a look for it": "import importlib.util; importlib.util.find_spec('structlog')",
}


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
@pytest.mark.parametrize("before", BEFORE)
def test_any_structlog(image: Path, receiver: HttpReceiver, before: str, configuration: str) -> None:
    """Configured or not, based on logging or not, imported by whomever: what is logged arrives once."""
    code = f"{BEFORE[before]}\nimport structlog\n{CONFIGURATIONS[configuration]}\nstructlog.get_logger().info('logged')"
    run([image, "-c", code], OTEL_BRIDGE_AUTO="true", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    assert bodies(receiver) == ["logged"]


def test_logging_that_is_configured_later(image: Path, receiver: HttpReceiver) -> None:
    """Each `dictConfig` takes the handlers away, and gets its own; a record of a logger and its parent is sent once."""
    code = """if True:
    import logging
    from logging.config import dictConfig
    import structlog
    console = {"class": "logging.StreamHandler", "level": "WARNING"}
    for number in range(3):
        loggers = {"a": {"handlers": ["console"]}, "a.b": {"handlers": ["console"], "level": "DEBUG"}}
        dictConfig({"version": 1, "handlers": {"console": console}, "loggers": loggers})
        logging.getLogger("a.b").warning("%d", number)
        logging.getLogger("a.b").info("below the level of its handler")
    """
    run([image, "-c", code], OTEL_BRIDGE_AUTO="true", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    assert bodies(receiver) == ["0", "1", "2"]


def test_the_module_keeps_its_loader(image: Path) -> None:
    """Whoever asks structlog for its resources finds what would be there without the bridge."""
    code = "import structlog; print(structlog.__loader__, structlog.__spec__.loader is structlog.__loader__)"
    printed = run([image, "-c", code], OTEL_BRIDGE_AUTO="true").stdout
    assert "SourceFileLoader" in printed
    assert printed.endswith("True\n")


@needs_open_api_framework
def test_what_the_application_says_wins(image: Path, tmp_path: Path, receiver: HttpReceiver) -> None:
    """Its own `install()` with options replaces what was installed at start, for libraries too."""
    log = """
    try:
        1 / 0
    except ZeroDivisionError:
        structlog.stdlib.get_logger("openzaak").exception("of structlog")
        logging.getLogger("django.request").exception("of a library")
    """
    settings = f'{SETTINGS}\nimport otel_bridge\notel_bridge.install(LOGGING, stacktrace="none")\n'
    environ = {"OTEL_BRIDGE_AUTO": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
    Project(tmp_path, settings).run(SET_UP, log, executable=image, **environ)
    assert bodies(receiver) == ["of structlog", "of a library"]
    assert not any("exception.stacktrace" in record.attributes for record in receiver.records)
