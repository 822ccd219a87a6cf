"""
What surprises in the logs of the five systems, and what becomes of it.

What needs no running system is tested elsewhere: the CloudEvents that bind `source`, `id`, `type` and `subject` anew in
`tests/bridge/test_mapping.py`; uWSGI's own lines, which the Collector reads, in `tests/stack/test_servers_files.py`;
that the audit log is the last to be dropped in `tests/export/faults/test_counts.py`; that `klantcontact_created` is
another event in each of two systems in `tests/catalogue/test_reading.py`.
"""

from collections import Counter
from typing import Final

import pytest

from otel_bridge.demo.expected import Line
from tests.otlp import HttpReceiver, Record
from tests.systems.catalogue import SYSTEMS, System
from tests.systems.conftest import RunOf
from tests.systems.running import WAYS, Request
from tests.systems.visit import ROUNDS
from tests.systems.workshop import Workshop

KLANT, ZAAK, NOTIFICATIES, LIJSTEN, _ = SYSTEMS
ONE_LINE, AUTO = WAYS
SECRET: Final = "Bearer ZGllIGlzIGdlaGVpbQ"  # noqa: S105 - it opens nothing


def records(run_of: RunOf, system: System, event: str) -> list[Record]:
    """Return the records of an event, or of all whose message begins like that."""
    found = [record for record in run_of(system, ONE_LINE).records if record.body.startswith(event)]
    assert found, f"{system.name} logged no {event}"
    return found


def lines(run_of: RunOf, system: System, event: str) -> list[Line]:
    """Return what was printed of an event, or of all whose message begins like that."""
    printed = run_of(system, ONE_LINE).project.printed().values()
    return [line for of_process in printed for line in of_process if line.event.startswith(event)]


def outgoing(found: list[Record]) -> list[Record]:
    """Return what django-log-outgoing-requests logged."""
    return [record for record in found if record.body.startswith("outgoing_request")]


def test_01_source_is_on_the_first_request_only(run_of: RunOf) -> None:
    """`clear_contextvars` takes it away; every record has it all the same."""
    printed = Counter("source" in line.printed for line in lines(run_of, KLANT, "request_started"))
    assert printed[False] > printed[True] > 0
    assert {record.attributes["source"] for record in records(run_of, KLANT, "request_")} == {"app"}


def test_02_code_is_a_number_here_and_a_text_there(run_of: RunOf) -> None:
    """The status of a response and the type of an error have names of their own; `code` is a text always."""
    finished = records(run_of, KLANT, "request_finished")
    assert {type(record.attributes["http.response.status_code"]) for record in finished} == {int}
    handled = records(run_of, KLANT, "api.handled_exception")
    assert {"invalid", "not_found"} <= {record.attributes["error.type"] for record in handled}
    assert {type(record.attributes["code"]) for record in handled} == {str}


def test_03_title_is_a_lazy_translation(run_of: RunOf) -> None:
    """Stdout has its `repr`, the record its text."""
    [title, *_] = [
        record.attributes["title"]
        for record in records(run_of, KLANT, "api.handled_exception")
        if record.attributes["error.type"] == "not_found"
    ]
    assert title.isprintable()
    assert title[0] not in "'\"_"
    assert any(title in line.printed["title"] != title for line in lines(run_of, KLANT, "api.handled_exception"))


def test_03_invalid_params_are_maps(run_of: RunOf) -> None:
    """Their values are Django REST framework's own kind of text."""
    found = [record.attributes["invalid_params"] for record in records(run_of, KLANT, "api.handled_exception")]
    assert {"name": "code", "code": "required", "reason": "Dit veld is vereist."} in [
        one for params in found for one in params
    ]


def test_03_exc_info_is_an_instance(run_of: RunOf) -> None:
    """`notification_delivery_failed` is logged with `exc_info=exc`, where the exception is no longer handled."""
    for record in records(run_of, KLANT, "notification_delivery_failed"):
        assert record.attributes["exception.type"] == "requests.exceptions.HTTPError"
        assert "raise_for_status" in record.attributes["exception.stacktrace"]


def test_03_a_failed_task_has_the_exception_itself(run_of: RunOf) -> None:
    """Under `exception`, when Celery has handled it already; its cause and traceback are there."""
    failed = {record.attributes["exception.type"]: record for record in records(run_of, KLANT, "task_failed")}
    trace = failed["project.tasks.NotDeliverableError"].attributes["exception.stacktrace"]
    assert "ZeroDivisionError" in trace
    assert "in fail" in trace


def test_05_warnings_of_a_4xx_have_no_request(run_of: RunOf) -> None:
    """Django logs them behind its middleware; a 500 outside the API is logged before, and has id and trace."""
    for record in records(run_of, KLANT, "Not Found: /nowhere/"):
        assert "request_id" not in record.attributes
        assert not record.trace_id
    for record in records(run_of, KLANT, "Internal Server Error: /broken/"):
        assert record.attributes["request_id"]
        assert record.trace_id
        assert record.attributes["exception.type"] == "KeyError"


def test_06_open_zaak_has_no_request_ids(run_of: RunOf) -> None:
    """Its events are correlated by their trace alone."""
    run = run_of(ZAAK, ONE_LINE)
    assert not [record for record in run.records if record.body.startswith("request_")]
    assert not [record for record in run.records if "request_id" in record.attributes]
    created = records(run_of, ZAAK, "zaak_created")
    assert len({record.trace_id for record in created} - {""}) == len(created) == ROUNDS
    [of_request] = [record for record in run.records if record.trace_id == created[0].trace_id][:1]
    assert of_request.resource["service.name"] == "openzaak"


def test_07_referentielijsten_logs_from_signals(run_of: RunOf) -> None:
    """`id` is a number there, and `code` a text; there is no Celery, and nobody asks for one."""
    printed = lines(run_of, LIJSTEN, "tabel_created")
    assert {type(line.printed["id"]) for line in printed} == {int}
    created = records(run_of, LIJSTEN, "tabel_created")
    assert {one.attributes["id"] for one in created} == {str(line.printed["id"]) for line in printed}
    assert {one.scope for one in created} == {"referentielijsten.api.signals"}
    run = run_of(LIJSTEN, ONE_LINE)
    assert not [record for record in run.records if record.body.startswith("task_")]
    assert "celery" not in run.project.output().lower()


def test_08_the_lines_of_uwsgi_are_no_records(run_of: RunOf) -> None:
    """They never pass Python."""
    run = run_of(KLANT, ONE_LINE)
    assert "spawned uWSGI worker" in run.project.output()
    assert not [record for record in run.records if "uWSGI" in record.body or record.body.startswith("[pid: ")]


def test_09_an_export_logs_nothing_that_is_exported(workshop: Workshop, receiver: HttpReceiver) -> None:
    """At DEBUG django-log-outgoing-requests logs each request of `requests`; ours are none, and no header is seen."""
    headers = {"OTEL_EXPORTER_OTLP_LOGS_HEADERS": f"authorization={SECRET.replace(' ', '%20')}"}
    environ = {"LOG_LEVEL": "DEBUG", "OTEL_BLRP_SCHEDULE_DELAY": "50", **headers}
    project = workshop.make(LIJSTEN, receiver.endpoint, WAYS[ONE_LINE], environ)
    with project.running():
        for number in range(1, 6):
            project.ask([Request("GET", f"/outgoing/?url={workshop.outside.url}", 200)])
            receiver.wait(lambda found, number=number: len(outgoing(found)) >= number)  # type: ignore[misc]  # its default
    assert {sent["authorization"] for sent in receiver.metadata} == {SECRET}
    assert len(outgoing(receiver.records)) == 5
    assert f"{receiver.endpoint}/v1/logs" not in project.output()
    assert SECRET not in project.output()
    assert SECRET not in str(receiver.records)


def test_10_no_citizen_service_number_leaves(run_of: RunOf) -> None:
    """Stdout has it in the request's query."""
    run = run_of(KLANT, ONE_LINE)
    assert "inpBsn=123456782" in run.project.output()
    assert "123456782" not in str(run.records)


def test_13_operators_cannot_edit_settings(run_of: RunOf) -> None:
    """The settings are the vendor's; one variable of the environment is enough, also in Celery's processes."""
    run = run_of(NOTIFICATIES, AUTO)
    settings = (run.project.folder / "src" / "nrc" / "settings.py").read_text()
    assert "otel_bridge" not in settings
    assert {"request_finished", "task_succeeded"} <= {record.body for record in run.records}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_said(way: str, run_of: RunOf) -> None:
    """otel-bridge itself has nothing to complain about."""
    run = run_of(NOTIFICATIES, way)
    assert '"logger": "otel_bridge' not in run.project.output()
    assert not [record for record in run.records if record.scope.startswith("otel_bridge")]
