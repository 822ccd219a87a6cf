"""What else lives in such an application: `setup_otel`, Sentry, Elastic APM, and the log of outgoing requests."""

from pathlib import Path
from typing import Final

import pytest

from tests.integrations.install.project import INSTALL, SET_UP, SETTINGS, Project, needs_open_api_framework
from tests.otlp import GrpcReceiver, HttpReceiver

pytestmark = needs_open_api_framework

SETUP_OTEL: Final = "from maykin_common.otel import setup_otel; setup_otel()"
LOG: Final = """
structlog.stdlib.get_logger("openzaak").info("zaak_created")
logging.getLogger("django.request").warning("Not Found: /x")
"""
SHOW: Final = """
import otel_bridge
from opentelemetry import trace
otel_bridge.force_flush()
print(trace.get_tracer_provider().resource.attributes["service.instance.id"])
os._exit(0)  # its exporters of traces and metrics would wait for theirs
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [(SETUP_OTEL, ""), ("", SETUP_OTEL), (SETUP_OTEL, SETUP_OTEL)],
    ids=["before", "after", "twice"],
)
def test_setup_otel(
    tmp_path: Path, instrumentations: Path, grpc_receiver: GrpcReceiver, before: str, after: str
) -> None:
    """Logs go where its traces go, over gRPC as it does without being told, and have the same `service.instance.id`."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": grpc_receiver.endpoint, "OTEL_EXPORTER_OTLP_INSECURE": "true"}
    done = Project(tmp_path, SETTINGS + INSTALL).run(before, SET_UP, after, LOG, SHOW, path=instrumentations, **environ)
    assert sorted(record.body for record in grpc_receiver.records) == ["Not Found: /x", "zaak_created"]
    instances = {record.resource["service.instance.id"] for record in grpc_receiver.records}
    assert instances == {done.stdout.strip()}


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL"])
def test_setup_otel_with_a_protocol(tmp_path: Path, instrumentations: Path, receiver: HttpReceiver, name: str) -> None:
    """The protocol that is named holds."""
    environ = {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": f"{receiver.endpoint}/v1/logs", name: "http/protobuf"}
    Project(tmp_path, SETTINGS + INSTALL).run(SETUP_OTEL, SET_UP, LOG, SHOW, path=instrumentations, **environ)
    assert len(receiver.records) == 2


def test_outgoing_requests(tmp_path: Path, receiver: HttpReceiver) -> None:
    """Each request of the application is logged once, an export is none, and no header leaves the process."""
    request = """
    import otel_bridge, requests
    from django.core.management import call_command
    call_command("migrate", verbosity=0)
    requests.get(os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], headers={"Authorization": "Bearer abcdefgh"})
    for _ in range(3):
        structlog.stdlib.get_logger("openzaak").info("zaak_created")
        otel_bridge.force_flush()
    """
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "OTEL_EXPORTER_OTLP_HEADERS": "x-secret=ijklmnop"}
    done = Project(tmp_path, SETTINGS + INSTALL).run(SET_UP, request, **environ)
    of_requests = [record for record in receiver.records if record.scope == "log_outgoing_requests"]
    assert [record.body for record in of_requests] == ["outgoing_request_response_received"]
    assert "abcdefgh" not in repr(receiver.records)
    assert "ijklmnop" not in done.stdout + done.stderr + repr(receiver.records)
    assert sum(record.body == "zaak_created" for record in receiver.records) == 3


SENTRY: Final = """
import sentry_sdk
from sentry_sdk.transport import Transport

class Kept(Transport):
    events = []
    def capture_envelope(self, envelope):
        self.events += [item.payload.json["logentry"]["message"] for item in envelope.items if item.type == "event"]

sentry_sdk.init(dsn="http://key@127.0.0.1:1/1", transport=Kept, default_integrations=True)
"""
ELASTIC: Final = """
from elasticapm import Client
from elasticapm.handlers.logging import LoggingHandler

class Kept(LoggingHandler):
    events = []
    def _emit(self, record, **_):
        self.events.append(record.getMessage())

LOGGING["handlers"]["elastic"] = {"()": Kept, "level": "ERROR"}
LOGGING["loggers"][""]["handlers"] = ["console", "elastic"]
"""


@pytest.mark.parametrize(
    "settings",
    [SENTRY, ELASTIC],
    ids=["Sentry", "Elastic APM"],
)
def test_others_that_listen(tmp_path: Path, receiver: HttpReceiver, settings: str) -> None:
    """They get what they got, once, and so do we."""
    log = 'logging.getLogger("celery.worker").error("failed"); print(settings.Kept.events)'
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "ELASTIC_APM_DISABLE_SEND": "true"}
    kept = "from openzaak.conf import settings"
    printed = [
        Project(tmp_path, SETTINGS + settings + line).run(SET_UP, kept, log, **environ).stdout for line in ("", INSTALL)
    ]
    assert printed == ["['failed']\n"] * 2
    assert [record.body for record in receiver.records] == ["failed"]


def test_a_settings_module_never_fails(tmp_path: Path) -> None:
    """Whatever is wrong with the call or with `LOGGING`: Django starts, and it is said."""
    wrong = """
    import otel_bridge
    otel_bridge.install(LOGGING, levels={"": "loud"})
    otel_bridge.install({"handlers": 1}, unknown=2)
    otel_bridge.install("console")
    """
    done = Project(tmp_path, SETTINGS + "\n".join(map(str.strip, wrong.splitlines()))).run(SET_UP, LOG)
    for what in ("levels['']='loud'", "unknown", "LOGGING is of type str"):
        assert what in done.stderr


@pytest.mark.parametrize(
    ("name", "value"), [("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"), ("OTEL_BLRP_SCHEDULE_DELAY", "soon")]
)
def test_a_wrong_variable_is_said_once(tmp_path: Path, name: str, value: str) -> None:
    """With its name, its value and what to write, although the root logger's level is ERROR."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", name: value}
    done = Project(tmp_path, SETTINGS + INSTALL).run(SET_UP, LOG, LOG, **environ)
    assert done.stderr.count(f"{name}='{value}'") == 1
    assert done.stderr.count("zaak_created") == 2
