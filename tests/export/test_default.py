"""The default provider of a process: each test in a process of its own, against real receivers."""

import json
import re
import socket
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from otel_bridge.export.environment import AttributeLimits
from otel_bridge.export.provider import LoggerProvider
from otel_bridge.export.statistics import Statistics
from otel_bridge.export.transport import Nowhere
from tests.conftest import Run
from tests.otlp import GrpcReceiver, HttpReceiver, flattened

START = """
    import logging, os, sys, threading, time
    from opentelemetry import trace
    from otel_bridge import LogBridge, LogBridgeHandler, force_flush, shutdown, statistics
    from otel_bridge.export.default import default_provider

    class Said(logging.Handler):
        def emit(self, record):
            print(record.name, record.getMessage())

    logging.getLogger("otel_bridge").addHandler(Said())
    bridge = LogBridge()

    def log(event="zaak_created", **keys):
        bridge(None, "info", {"event": event, **keys})
"""


@pytest.fixture
def silent() -> Iterator[str]:
    """The endpoint of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def closed() -> str:
    """An endpoint where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_record_is_sent_over_http(run: Run, receiver: HttpReceiver) -> None:
    """By default, to the path of logs."""
    code = "log(a=1); print(force_flush())"
    assert run(START, code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint) == "True\n"
    [record] = receiver.records
    assert (record.event_name, record.attributes["a"], receiver.metadata[0]["path"]) == ("zaak_created", 1, "/v1/logs")


@pytest.mark.parametrize(
    "variable", ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL"], ids=["general", "logs"]
)
def test_a_record_is_sent_over_grpc(run: Run, grpc_receiver: GrpcReceiver, variable: str) -> None:
    """Where the environment says so."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": grpc_receiver.endpoint, variable: "grpc"}
    assert run(START, "log(a=1); print(force_flush())", **environ) == "True\n"
    [record] = grpc_receiver.records
    assert (record.event_name, record.attributes["a"]) == ("zaak_created", 1)


def test_the_protocol_of_logs_wins(run: Run, receiver: HttpReceiver) -> None:
    """Over the general one."""
    run(
        START,
        "log(); force_flush()",
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OTEL_EXPORTER_OTLP_PROTOCOL="grpc",
        OTEL_EXPORTER_OTLP_LOGS_PROTOCOL="http/protobuf",
    )
    assert len(receiver.records) == 1


def test_the_endpoint_of_logs_is_taken_as_it_stands(run: Run, receiver: HttpReceiver, closed: str) -> None:
    """And wins over the general one."""
    run(
        START,
        "log(); force_flush()",
        OTEL_EXPORTER_OTLP_ENDPOINT=closed,
        OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=f"{receiver.endpoint}/otlp/v1/logs",
    )
    assert receiver.metadata[0]["path"] == "/otlp/v1/logs"


def test_headers_are_sent(run: Run, receiver: HttpReceiver) -> None:
    """Receivers want credentials."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=a"}
    run(START, "log(); force_flush()", **environ)
    headers = {name.lower(): value for name, value in receiver.metadata[0].items()}
    assert headers["x-tenant"] == "a"


def test_records_are_sent_without_being_asked(run: Run, receiver: HttpReceiver) -> None:
    """At the end of the process, too."""
    run(START, "log()", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    assert len(receiver.records) == 1


def test_nothing_is_built_before_the_first_record(run: Run) -> None:
    """No thread, no connection, not even the SDK's import."""
    code = "LogBridgeHandler(); print(threading.active_count(), 'opentelemetry.sdk._logs' in sys.modules)"
    assert run(START, code) == "1 False\n"


def test_it_is_built_once(run: Run, receiver: HttpReceiver) -> None:
    """By whichever thread comes first."""
    code = (
        START
        + """
    providers = []
    threads = [threading.Thread(target=lambda: providers.append(default_provider())) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print(len(set(map(id, providers))), providers[0] is not None)
    """
    )
    assert run(START, code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint) == "1 True\n"


def test_the_resource_is_that_of_the_traces(run: Run, receiver: HttpReceiver) -> None:
    """So that both name the same instance."""
    code = (
        START
        + """
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    resource = Resource({"service.name": "openzaak", "service.instance.id": "7"})
    trace.set_tracer_provider(TracerProvider(resource=resource))
    log(); force_flush()
    """
    )
    run(START, code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    assert receiver.records[0].resource == {"service.name": "openzaak", "service.instance.id": "7"}


def test_without_traces_the_resource_is_the_environment_s(run: Run, receiver: HttpReceiver) -> None:
    """Service name and attributes."""
    run(
        START,
        "log(); force_flush()",
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OTEL_SERVICE_NAME="openklant",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test",
    )
    resource = receiver.records[0].resource
    assert (resource["service.name"], resource["deployment.environment.name"]) == ("openklant", "test")


def test_a_forked_child_sends_its_own_records_only(run: Run, receiver: HttpReceiver) -> None:
    """What its parent had queued is its parent's to send."""
    code = (
        START
        + """
    log("parent_before")
    if not (child := os.fork()):
        log("child")
        print(force_flush(), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    log("parent_after")
    print(force_flush())
    """
    )
    assert run(START, code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint) == "True\nTrue\n"
    assert sorted(record.body for record in receiver.records) == ["child", "parent_after", "parent_before"]


def test_a_forked_child_that_logs_nothing_sends_nothing(run: Run, receiver: HttpReceiver) -> None:
    """Nor does it build anything."""
    code = (
        START
        + """
    log("parent")
    if not (child := os.fork()):
        print(force_flush(), shutdown(), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    force_flush()
    """
    )
    assert run(START, code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint) == "True True\n"
    assert [record.body for record in receiver.records] == ["parent"]


def test_a_fork_before_the_first_record_is_nothing_special(run: Run, receiver: HttpReceiver) -> None:
    """As in a uWSGI master that logs nothing."""
    code = (
        START
        + """
    for number in range(3):
        if not os.fork():
            log(f"child_{number}")
            force_flush()
            os._exit(0)
    for _ in range(3): os.wait()
    """
    )
    run(START, code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    assert sorted(record.body for record in receiver.records) == ["child_0", "child_1", "child_2"]


@pytest.mark.parametrize(
    "environ",
    [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_SDK_DISABLED": " TRUE "}, {"OTEL_LOGS_EXPORTER": "none"}],
    ids=["disabled", "in capitals", "no exporter"],
)
def test_what_is_switched_off_exports_nothing_and_says_nothing(
    run: Run, receiver: HttpReceiver, environ: dict[str, str]
) -> None:
    """During migrations, for example."""
    code = "log(); print(default_provider(), force_flush(), shutdown())"
    assert run(START, code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, **environ) == "None True True\n"
    assert receiver.requests == []


def bodies(lines: str) -> list[str]:
    """Return the bodies of the records in lines of OTLP's JSON, among others."""
    return [
        record["body"]["stringValue"]
        for line in lines.splitlines()
        if line.startswith("{")
        for logs in json.loads(line)["resourceLogs"]
        for scope in logs["scopeLogs"]
        for record in scope["logRecords"]
    ]


@pytest.mark.parametrize("exporter", ["console", "otlp/stdout", " Console "])
def test_the_console_exporter_prints(run: Run, receiver: HttpReceiver, exporter: str) -> None:
    """Lines of OTLP's JSON, as the specification has it for `otlp/stdout`, and nothing is sent."""
    environ = {"OTEL_LOGS_EXPORTER": exporter, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
    assert bodies(run(START, "log('a'); log('b'); force_flush()", **environ)) == ["a", "b"]
    assert receiver.requests == []


def test_two_exporters_get_each_record(run: Run, receiver: HttpReceiver) -> None:
    """`otlp,console`, in either order."""
    environ = {"OTEL_LOGS_EXPORTER": "console, otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
    code = "log('a'); force_flush(); log('b'); log('c'); force_flush(); print(statistics().exported)"
    printed = run(START, code, **environ)
    assert bodies(printed) == ["a", "b", "c"]
    assert printed.splitlines()[-1] == "3"
    assert [record.body for record in receiver.records] == ["a", "b", "c"]


def test_the_console_shows_once_what_is_sent_again_and_again(run: Run, receiver: HttpReceiver) -> None:
    """Also what a receiver does not take: what becomes of a record is told by the receiver alone."""
    receiver.status = 503
    environ = {"OTEL_LOGS_EXPORTER": "otlp,console", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
    code = "log('a'); force_flush(1); log('b'); force_flush(1); print(statistics().waiting); shutdown(0); os._exit(0)"
    printed = run(START, code, **environ)
    assert bodies(printed) == ["a", "b"]
    assert "2" in printed.splitlines()
    assert len(receiver.requests) > 2


def test_a_console_that_is_closed_keeps_nothing_from_the_receiver(run: Run, receiver: HttpReceiver) -> None:
    """It is said once, and the console is tried again."""
    environ = {"OTEL_LOGS_EXPORTER": "otlp,console", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
    code = """
    output = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 1)
    said = []
    logging.getLogger("otel_bridge").handlers[0].emit = lambda record: said.append(record.getMessage())
    for event in ("a", "b"):
        log(event)
        force_flush()
    os.dup2(output, 1)
    log("c")
    force_flush()
    print(said)
    """
    printed = run(START, code, **environ)
    assert printed.splitlines()[-1] == (
        "['Log records are not shown: standard output cannot be written (Bad file descriptor).']"
    )
    assert bodies(printed) == ["c"]
    assert [record.body for record in receiver.records] == ["a", "b", "c"]


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"])
def test_a_file_gets_lines_of_json(run: Run, tmp_path: Path, variable: str) -> None:
    """Where the endpoint is the URL of one; several processes append to it."""
    file = tmp_path / "app logs.jsonl"
    code = "log('a'); print(force_flush(), statistics().exported)"
    for _ in range(2):
        assert run(START, code, **{variable: file.as_uri()}) == "True 1\n"
    assert bodies(file.read_text()) == ["a", "a"]


def test_a_file_and_the_console_are_two(run: Run, tmp_path: Path) -> None:
    """`otlp` is whatever the endpoint is."""
    file = tmp_path / "logs.jsonl"
    environ = {"OTEL_LOGS_EXPORTER": "otlp,console", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": file.as_uri()}
    assert bodies(run(START, "log('a'); force_flush()", **environ)) == bodies(file.read_text()) == ["a"]


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"OTEL_LOGS_EXPORTER": "carrier-pigeon"}, "OTEL_LOGS_EXPORTER='carrier-pigeon'"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json2"}, "OTEL_EXPORTER_OTLP_PROTOCOL='http/json2'"),
        ({"OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "x"}, "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL='x'"),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "soon"}, "OTEL_EXPORTER_OTLP_TIMEOUT='soon'"),
        ({"OTEL_BLRP_SCHEDULE_DELAY": "soon"}, "OTEL_BLRP_SCHEDULE_DELAY='soon'"),
        ({"OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "0"}, "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE='0'"),
        ({"OTEL_ATTRIBUTE_COUNT_LIMIT": "many"}, "OTEL_ATTRIBUTE_COUNT_LIMIT='many'"),
        ({"OTEL_SDK_DISABLED": "yes"}, "OTEL_SDK_DISABLED='yes'"),
    ],
)
def test_a_wrong_variable_is_said_once_and_has_its_default_instead(
    run: Run, receiver: HttpReceiver, environ: dict[str, str], sentence: str
) -> None:
    """With its value and what is used; and every record arrives."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, **environ}
    said, answer = run(START, "log('a'); log('b'); print(force_flush())", **environ).splitlines()
    assert said.startswith(f"otel_bridge {sentence} is no")
    assert said.endswith(" is used instead.")
    assert answer == "True"
    assert [record.body for record in receiver.records] == ["a", "b"]


WITHOUT_H2 = "import sys; sys.modules['h2'] = None"


@pytest.mark.parametrize(
    ("before", "environ", "sentence"),
    [
        ("", {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector"}, "OTEL_EXPORTER_OTLP_ENDPOINT='collector' is no URL of "),
        ("", {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "file:x"}, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT='file:x' is no URL of "),
        (WITHOUT_H2, {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTLP over gRPC needs h2: pip install "),
        (WITHOUT_H2, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317"}, "OTLP over gRPC needs h2: pip install "),
    ],
)
def test_where_nothing_can_be_sent_records_are_counted_as_dropped(
    run: Run, before: str, environ: dict[str, str], sentence: str
) -> None:
    """One warning says why, and nobody waits: neither a flush nor the end of the process."""
    code = """
    log(); log()
    bridge(None, "error", {"event": "x"})
    started = time.monotonic()
    print(force_flush(), time.monotonic() - started < 0.1)
    print(statistics())
    print(threading.active_count())
    """
    said, *answers = run(before, START, code, **environ).splitlines()
    assert said.startswith(f"otel_bridge 1 log records were dropped: {sentence}")
    dropped = {("no receiver", "INFO"): 2, ("no receiver", "ERROR"): 1}
    assert answers == ["True True", str(Statistics(created=3, dropped=dropped)), "1"]


@pytest.mark.parametrize("argument", ["protocol='grpc'", "endpoint='http://collector:4317'"])
def test_a_program_that_asks_for_grpc_learns_at_once_that_it_needs_h2(run: Run, argument: str) -> None:
    """Unlike an operator, it can do something about it."""
    code = f"""
    from otel_bridge import LoggerProvider
    try:
        LoggerProvider({argument})
    except ModuleNotFoundError as exc:
        print(exc.name, exc)
    """
    assert run(WITHOUT_H2, code).startswith("h2 OTLP over gRPC needs h2: pip install 'otel-bridge[grpc]', or ")


def test_where_nothing_can_be_sent_a_spool_keeps_the_records(run: Run, receiver: HttpReceiver, tmp_path: Path) -> None:
    """For a process whose environment is mended."""
    spool = {"OTEL_BRIDGE_SPOOL_DIR": str(tmp_path / "spool")}
    code = "log('kept'); print(force_flush(0.5), statistics().waiting, statistics().spooled); os._exit(0)"
    printed = run(START, code, OTEL_EXPORTER_OTLP_ENDPOINT="collector", **spool).splitlines()
    assert printed[-1] == "False 1 1"
    assert "log records wait: no receiver OTEL_EXPORTER_OTLP_ENDPOINT='collector' is no URL" in printed[0]
    run(START, "log('later'); force_flush()", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, **spool)
    assert {record.body for record in receiver.records} == {"kept", "later"}


def test_where_nothing_can_be_sent_the_console_is_used_alone(run: Run) -> None:
    """And that is said."""
    environ = {"OTEL_LOGS_EXPORTER": "otlp,console", "OTEL_EXPORTER_OTLP_ENDPOINT": "collector"}
    printed = run(START, "log('a'); print(force_flush(), statistics().exported)", **environ)
    assert bodies(printed) == ["a"]
    assert "True 1" in printed.splitlines()
    assert "otel_bridge OTEL_EXPORTER_OTLP_ENDPOINT='collector' is no URL of" in printed
    assert "Log records go to standard output alone." in printed


@pytest.mark.parametrize(
    "environ",
    [
        {"OTEL_LOGS_EXPORTER": "abc"},
        {"OTEL_BLRP_SCHEDULE_DELAY": "abc"},
        {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "abc"},
        {"OTEL_LOGS_EXPORTER": "otlp,console", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "abc"},
    ],
)
def test_a_warning_that_is_a_record_itself_is_said_once(
    run: Run, receiver: HttpReceiver, environ: dict[str, str]
) -> None:
    """The bridge's handler on the root logger gets it while the provider is being built."""
    code = """
    logging.getLogger().addHandler(LogBridgeHandler())
    logging.getLogger("application").warning("x")
    force_flush()
    found = statistics()
    print(found.created, found.exported + found.rejected + sum(found.dropped.values()) + found.waiting)
    """
    printed = run(START, code, **{"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, **environ})
    assert printed.count("otel_bridge ") - printed.count('"otel_bridge ') == 1
    assert "2 2" in printed.splitlines()


def test_a_request_holds_as_many_records_as_are_asked_for(run: Run, receiver: HttpReceiver) -> None:
    """At most; and so many are sent at once, without waiting for the delay."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "128",
        "OTEL_BLRP_SCHEDULE_DELAY": "60000",
    }
    code = """
    for number in range(300): log(f"record_{number}")
    until = time.monotonic() + 10
    while statistics().exported < 256 and time.monotonic() < until: time.sleep(0.01)
    print(statistics().exported >= 256)
    """
    assert run(START, code, **environ) == "True\n"
    sizes = [len(flattened(request)) for request in receiver.requests]
    assert (max(sizes), sum(sizes)) == (128, 300)


def test_a_request_may_hold_one_record(run: Run, receiver: HttpReceiver) -> None:
    """The least number that can be asked for."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "1"}
    run(START, "log('a'); log('b'); log('c'); force_flush()", **environ)
    assert [[record.body for record in flattened(request)] for request in receiver.requests] == [["a"], ["b"], ["c"]]


def test_an_export_is_given_up_after_the_time_that_is_asked_for(run: Run, silent: str) -> None:
    """The processor's time, where it is shorter than the exporter's."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": silent, "OTEL_BLRP_EXPORT_TIMEOUT": "200"}
    code = "log(); force_flush(2); os._exit(0)"
    [said] = run(START, code, **environ).splitlines()
    assert said.endswith("it did not answer in time.")


def test_beside_traces_over_grpc_logs_go_over_grpc(run: Run, grpc_receiver: GrpcReceiver) -> None:
    """The five systems send theirs so where nobody names a protocol."""
    if find_spec("maykin_common") is None:
        pytest.skip("maykin-common needs Python 3.12")
    code = "import maykin_common.otel; log('a'); print(force_flush())"
    assert run(START, code, OTEL_EXPORTER_OTLP_ENDPOINT=grpc_receiver.endpoint) == "True\n"
    assert [record.body for record in grpc_receiver.records] == ["a"]


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ({"endpoint": "collector:4318"}, "endpoint='collector:4318' is no URL of"),
        ({"protocol": "http/json"}, "protocol='http/json' is not"),
        ({"compression": "zip"}, "compression='zip' is not"),
        ({"timeout": 0}, "timeout='0' is no number of seconds above 0"),
        ({"headers": {"a b": "c"}}, "headers: pair 1 is no header"),
    ],
)
def test_a_wrong_argument_raises(argument: dict[str, Any], sentence: str) -> None:
    """It is the program's, and its author reads the message."""
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        LoggerProvider(**argument)


def test_a_provider_knows_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of attributes, by the environment."""
    monkeypatch.setenv("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "7")
    assert LoggerProvider(connect=lambda: Nowhere("")).limits == AttributeLimits(7, None)


@pytest.mark.parametrize("work", ["force_flush", "shutdown"])
def test_a_deadline_is_kept_when_nothing_answers(run: Run, silent: str, work: str) -> None:
    """And what is answered is the truth."""
    code = (
        START
        + f"""
    log()
    started = time.monotonic()
    print({work}(0.5), time.monotonic() - started < 1)
    os._exit(0)
    """
    )
    assert run(START, code, OTEL_EXPORTER_OTLP_ENDPOINT=silent).splitlines()[-1] == "False True"


def test_the_process_ends_in_time_when_nothing_answers(run: Run, silent: str) -> None:
    """A container must stop within the seconds that its orchestrator gives it."""
    started = time.monotonic()
    run(START, "log()", OTEL_EXPORTER_OTLP_ENDPOINT=silent)
    assert time.monotonic() - started < 7


def test_what_is_logged_after_shutdown_raises_nothing(run: Run, receiver: HttpReceiver) -> None:
    """It is not exported."""
    code = (
        START
        + """
    log("before")
    print(shutdown(), flush=True)
    log("after")
    shutdown()
    """
    )
    assert run(START, code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint).splitlines()[0] == "True"
    assert [record.body for record in receiver.records] == ["before"]


@pytest.mark.parametrize("work", ["force_flush", "shutdown"])
def test_the_application_may_flush_at_exit(run: Run, receiver: HttpReceiver, work: str) -> None:
    """In a hook of its own, where Python starts no more threads."""
    code = f"""
    import atexit
    log()
    atexit.register(lambda: print({work}()))
    """
    assert run(START, code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint).splitlines() == ["True"]
    assert len(receiver.records) == 1


def test_what_is_logged_at_exit_arrives(run: Run, receiver: HttpReceiver) -> None:
    """In a hook that was registered before or after the first record."""
    code = """
    import atexit
    atexit.register(lambda: log("last"))
    log("first")
    atexit.register(lambda: log("last_but_one"))
    """
    run(START, code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    assert [record.body for record in receiver.records] == ["first", "last_but_one", "last"]


def test_without_a_record_there_is_nothing_to_flush(run: Run) -> None:
    """Nothing is built for it either."""
    code = "print(force_flush(), shutdown(), 'opentelemetry.sdk._logs' in sys.modules)"
    assert run(START, code) == "True True False\n"


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_receiver_that_refuses_breaks_nothing(run: Run, receiver: HttpReceiver, status: int) -> None:
    """The application does not notice."""
    receiver.status = status
    code = "log(); force_flush(1); shutdown(1); print('on'); sys.stdout.flush(); os._exit(0)"
    assert run(START, code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint).splitlines()[-1] == "on"


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_an_export_does_not_feed_itself(
    run: Run, receiver: HttpReceiver, grpc_receiver: GrpcReceiver, protocol: str
) -> None:
    """With everything at DEBUG, and the bridge's handler on the root logger, one record is one record."""
    used = grpc_receiver if protocol == "grpc" else receiver
    code = (
        START
        + """
    logging.getLogger().addHandler(LogBridgeHandler())
    logging.getLogger().setLevel(logging.DEBUG)
    logging.getLogger("application").info("x")
    for _ in range(20):
        force_flush()
    """
    )
    run(START, code, OTEL_EXPORTER_OTLP_ENDPOINT=used.endpoint, OTEL_EXPORTER_OTLP_PROTOCOL=protocol)
    assert [record.body for record in used.records if record.scope == "application"] == ["x"]
    assert len(used.records) < 5


def test_import_is_light(run: Run) -> None:
    """Settings modules import it: nothing but structlog, the API and the standard library."""
    code = """
    import sys
    import structlog, opentelemetry._logs, opentelemetry.trace
    before = set(sys.modules)
    import otel_bridge
    new = {name.partition(".")[0] for name in set(sys.modules) - before} - {"otel_bridge", "opentelemetry"}
    print(sorted(new - set(sys.stdlib_module_names)), "opentelemetry.sdk" in sys.modules)
    """
    assert run(code) == "[] False\n"
