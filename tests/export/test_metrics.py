"""What the exporter says of itself to the application's MeterProvider: each test in a process of its own."""

import json
from typing import Any, Final

import pytest
from opentelemetry.semconv._incubating.metrics import otel_metrics

from otel_bridge.export.instruments import COUNTERS, DURATION, UP_DOWN_COUNTERS
from tests.conftest import Run
from tests.export.faults.receiver import HttpReceiver as Scripted
from tests.export.faults.receiver import no_poison, silence, status
from tests.otlp import GrpcReceiver, HttpReceiver

Metrics = dict[str, list[tuple[dict[str, Any], float]]]
"""For each name its attributes and values; of a histogram, how many."""

START: Final = """
    import json, logging, os, sys, threading, time
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from otel_bridge import LogBridge, LoggerProvider, force_flush, shutdown, statistics

    logging.getLogger("otel_bridge").addHandler(logging.NullHandler())
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    bridge = LogBridge()

    def log(**keys):
        bridge(None, "info", {"event": "zaak_created", **keys})

    def value(point):
        return point.count if hasattr(point, "count") else point.value

    def collected():
        data = reader.get_metrics_data()
        found = [scope for resource in (data.resource_metrics if data else []) for scope in resource.scope_metrics]
        return {
            metric.name: [(dict(point.attributes), value(point)) for point in metric.data.data_points]
            for scope in found if scope.scope.name == "otel_bridge" for metric in scope.metrics
        }

    def tell(enough=lambda found: "otel.sdk.exporter.operation.duration" in found):
        deadline = time.monotonic() + 10
        while not enough(found := collected()) and time.monotonic() < deadline:
            time.sleep(0.01)
        print(json.dumps(found), flush=True)
"""
SET: Final = "metrics.set_meter_provider(provider)\n"


def metrics(told: str) -> Metrics:
    """Read what `tell` printed."""
    return {name: [tuple(point) for point in points] for name, points in json.loads(told.splitlines()[-1]).items()}


def values(found: Metrics, name: str) -> dict[str, float]:
    """Return the values of one metric by their `error.type`."""
    return {attributes.get("error.type", ""): value for attributes, value in found[name]}


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_delivered_records_are_counted(
    run: Run, receiver: HttpReceiver, grpc_receiver: GrpcReceiver, protocol: str
) -> None:
    """At each of the places that the conventions name, and each request has a duration."""
    used = grpc_receiver if protocol == "grpc" else receiver
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": used.endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
    found = metrics(run(START, SET + "for _ in range(3): log()\nforce_flush(); tell()", **environ))
    assert values(found, "otel.sdk.log.created") == {"": 3}
    assert values(found, "otel.sdk.processor.log.queue.size") == {"": 0}
    assert values(found, "otel.sdk.processor.log.processed") == {"": 3, "queue_full": 0, "already_shutdown": 0}
    assert values(found, "otel.sdk.exporter.log.exported") == {"": 3, "rejected": 0}
    assert values(found, "otel.sdk.exporter.log.inflight") == {"": 0}
    assert values(found, "otel.sdk.exporter.operation.duration") == {"": len(used.requests)}


def test_the_exporter_is_named(run: Run, receiver: HttpReceiver) -> None:
    """By what it is, which of those, and where it sends to."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
    found = metrics(run(START, SET + "log(); force_flush(); tell()", **environ))
    for name in ("otel.sdk.exporter.log.exported", "otel.sdk.exporter.operation.duration"):
        assert found[name][0][0] == {
            "otel.component.type": "otlp_http_log_exporter",
            "otel.component.name": "otlp_http_log_exporter/0",
            "server.address": "127.0.0.1",
            "server.port": int(receiver.endpoint.rpartition(":")[2]),
        }


def test_two_providers_are_told_apart(run: Run, receiver: HttpReceiver) -> None:
    """By their names; what was created is the sum."""
    code = """
    loggers = [LoggerProvider(endpoint=os.environ["URL"]) for _ in range(2)]
    for number, logger in enumerate(loggers):
        for _ in range(number + 1):
            logger.get_logger("x").emit(body="y")
        logger.force_flush()
    tell()
    """
    found = metrics(run(START, SET, code, URL=f"{receiver.endpoint}/v1/logs"))
    assert values(found, "otel.sdk.log.created") == {"": 3}
    exported = found["otel.sdk.exporter.log.exported"]
    names = {
        attributes["otel.component.name"]: value for attributes, value in exported if "error.type" not in attributes
    }
    assert names == {"otlp_http_log_exporter/0": 1, "otlp_http_log_exporter/1": 2}


def test_refused_records_are_failures(run: Run) -> None:
    """With `error.type`, and the status that was answered."""
    with Scripted(always=no_poison) as receiver:
        code = 'log(poison="yes"); force_flush(); log(); force_flush(); tell()'
        environ = {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": receiver.endpoint}
        found = metrics(run(START, SET + code, **environ))
    assert values(found, "otel.sdk.exporter.log.exported") == {"": 1, "rejected": 1}
    duration = found["otel.sdk.exporter.operation.duration"]
    assert [
        attributes.get("http.response.status_code") for attributes, _ in duration if "error.type" in attributes
    ] == [400]
    assert values(found, "otel.sdk.exporter.operation.duration") == {"": 1, "400": 1}


def test_requests_that_fail_are_told_while_their_records_wait(run: Run) -> None:
    """A record is exported once, however often it had to be sent."""
    with Scripted(status(503), status(503)) as receiver:
        environ = {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": receiver.endpoint}
        found = metrics(run(START, SET + "log(); force_flush(); tell()", **environ))
    assert values(found, "otel.sdk.exporter.operation.duration") == {"": 1, "503": 2}
    assert values(found, "otel.sdk.exporter.log.exported") == {"": 1, "rejected": 0}


def test_a_status_of_grpc(run: Run, grpc_receiver: GrpcReceiver) -> None:
    """It stands under the name that gRPC has for it."""
    grpc_receiver.status = type(grpc_receiver.status).UNAVAILABLE
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": grpc_receiver.endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    found = metrics(run(START, SET + "log(); force_flush(0.5); tell(); os._exit(0)", **environ))
    [(attributes, number)] = found["otel.sdk.exporter.operation.duration"]
    assert (attributes["error.type"], attributes["rpc.response.status_code"]) == ("UNAVAILABLE", "UNAVAILABLE")
    assert number == len(grpc_receiver.requests)


def test_an_error_of_the_connection(run: Run) -> None:
    """It is named by its class, and has no status; the record waits in the queue."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    found = metrics(run(START, SET + "log(); force_flush(0.5); tell(); os._exit(0)", **environ))
    [(attributes, _)] = found["otel.sdk.exporter.operation.duration"]
    assert attributes["error.type"] == "ConnectionRefusedError"
    assert not [name for name in attributes if "status" in name]
    assert values(found, "otel.sdk.processor.log.queue.size") == {"": 1}


def test_records_in_flight(run: Run) -> None:
    """What is on its way is in flight, and in no queue."""
    code = """
    for _ in range(5): log()
    threading.Thread(target=force_flush, daemon=True).start()
    tell(lambda found: [point[1] for point in found.get("otel.sdk.exporter.log.inflight", [])] == [5])
    os._exit(0)
    """
    with Scripted(always=silence) as receiver:
        found = metrics(run(START, SET, code, OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=receiver.endpoint))
    assert values(found, "otel.sdk.exporter.log.inflight") == {"": 5}
    assert values(found, "otel.sdk.processor.log.queue.size") == {"": 0}


def test_dropped_records(run: Run, receiver: HttpReceiver) -> None:
    """Each reason has the name that the conventions give it."""
    code = """
    logs = LoggerProvider(endpoint=os.environ["URL"], max_buffer_bytes=4000)
    logger = logs.get_logger("x")
    for _ in range(100): logger.emit(body="x" * 100)
    logs.shutdown()
    for _ in range(2): logger.emit(body="y")
    tell()
    found = logs.statistics().dropped
    print(json.dumps({reason.replace(" ", "_"): number for (reason, _), number in found.items()}))
    """
    told = run(START, SET, code, URL=f"{receiver.endpoint}/v1/logs").splitlines()
    dropped = json.loads(told[-1])
    processed = values(metrics(told[-2]), "otel.sdk.processor.log.processed")
    assert (processed["queue_full"], processed["already_shutdown"]) == (dropped["buffer_full"], 2)
    assert processed[""] + sum(dropped.values()) == 102


def test_the_provider_may_be_set_late(run: Run, receiver: HttpReceiver) -> None:
    """Settings modules log before they set up metrics: nothing is missing then but durations."""
    code = "log(); force_flush(); time.sleep(0.2)\n" + SET + "log(); force_flush(); tell()"
    found = metrics(run(START, code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint))
    assert values(found, "otel.sdk.log.created") == {"": 2}
    assert values(found, "otel.sdk.exporter.log.exported") == {"": 2, "rejected": 0}


def test_without_a_provider_nothing_is_measured(run: Run, receiver: HttpReceiver) -> None:
    """The API alone is enough: neither the SDK's metrics are imported, nor is anything said."""
    code = """
    import logging, sys
    sys.modules["opentelemetry.sdk.metrics"] = None
    logging.basicConfig(stream=sys.stdout)
    from otel_bridge import LogBridge, force_flush, statistics
    LogBridge()(None, "info", {"event": "x"})
    print(force_flush(), statistics().exported)
    """
    assert run(code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint) == "True 1\n"


def test_a_forked_child_is_measured_by_itself(run: Run, receiver: HttpReceiver) -> None:
    """It has the instruments of its parent, and its own figures in them; durations of its parent are not told twice."""
    code = """
    for _ in range(3): log()
    force_flush()
    time.sleep(0.2)
    if not os.fork():
        log()
        force_flush()
        tell()
        os._exit(0)
    os.wait()
    tell()
    """
    told = run(START, SET, code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint).splitlines()
    child, parent = metrics(told[0]), metrics(told[1])
    for found, number in ((child, 1), (parent, 3)):
        assert values(found, "otel.sdk.log.created") == {"": number}
        assert values(found, "otel.sdk.exporter.log.exported") == {"": number, "rejected": 0}
        assert values(found, "otel.sdk.exporter.operation.duration") == {"": 1}


@pytest.mark.parametrize("first", ["", "log(); force_flush(); time.sleep(0.2)"], ids=["first record", "later"])
def test_a_fork_during_a_collection_delays_nothing(run: Run, receiver: HttpReceiver, first: str) -> None:
    """The locks of the MeterProvider are never released in the child: nothing there may wait for them."""
    code = f"""
    collecting, done = threading.Event(), threading.Event()
    def slow(_):
        collecting.set()
        done.wait(10)
        return []
    provider.get_meter("x").create_observable_counter("slow", [slow])
    {first}
    threading.Thread(target=reader.collect).start()
    collecting.wait()
    if not os.fork():
        log()
        print(force_flush(5), flush=True)
        os._exit(0)
    os.wait()
    done.set()
    """
    assert run(START, SET, code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint) == "True\n"


def test_a_provider_that_raises_breaks_nothing(run: Run, receiver: HttpReceiver) -> None:
    """It is said once, and the records go on."""
    code = """
    class Broken(metrics.NoOpMeterProvider):
        def get_meter(self, *_, **__):
            raise RuntimeError("out of order")
    metrics.set_meter_provider(Broken())
    logging.getLogger("otel_bridge").addHandler(logging.StreamHandler(sys.stdout))
    for _ in range(2):
        log()
        print(force_flush())
    time.sleep(0.2)
    """
    told = run(START, code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint).splitlines()
    assert sorted(told) == ["True", "True", "otel-bridge measures nothing of itself: out of order."]


def test_what_nobody_collects_is_bounded(run: Run, receiver: HttpReceiver) -> None:
    """Of more requests than are kept, the newest remain."""
    code = """
    from otel_bridge.export.metrics import Metrics
    from otel_bridge.export.transport import Answer, Outcome
    measured = Metrics(statistics, None)
    for _ in range(5000):
        measured.measure(1, lambda: Answer(Outcome.ACCEPTED))
    print(len(measured.here.operations))
    """
    assert run(START, code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint) == "4096\n"


@pytest.mark.parametrize("name", [*COUNTERS, *UP_DOWN_COUNTERS, DURATION])
def test_names_are_the_conventions_own(name: str) -> None:
    """Dashboards for other languages' SDKs fit."""
    assert getattr(otel_metrics, name.upper().replace(".", "_")) == name
