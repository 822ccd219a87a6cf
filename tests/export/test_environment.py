"""What the environment says beside where records go."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings

from otel_bridge.export.environment import (
    AttributeLimits,
    attribute_limits,
    batch_size,
    exporters,
    is_disabled,
    schedule_delay,
    timeout,
)
from tests.export.environments import anything

COUNT, LENGTH = "ATTRIBUTE_COUNT_LIMIT", "ATTRIBUTE_VALUE_LENGTH_LIMIT"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {"otlp"}),
        ("otlp", {"otlp"}),
        ("none", set()),
        (" None ", set()),
        ("console", {"console"}),
        ("otlp/stdout", {"console"}),
        ("otlp,console", {"otlp", "console"}),
        (" console , OTLP,, ", {"otlp", "console"}),
        ("otlp,otlp", {"otlp"}),
        ("otlp_proto_http,console", {"otlp", "console"}),
        (",", {"otlp"}),
    ],
)
def test_exporters_are_a_list(said: list[str], text: str, found: set[str]) -> None:
    """In any order and case, with spaces; `none` is nothing, and nothing is OTLP."""
    assert exporters({"OTEL_LOGS_EXPORTER": text}) == found
    assert said == []


@pytest.mark.parametrize(
    ("text", "found", "used"),
    [
        ("abc", {"otlp"}, "otlp"),
        ("console,abc", {"console"}, "console"),
        ("abc,otlp,console", {"otlp", "console"}, "console,otlp"),
        ("none,console", {"console"}, "console"),
    ],
)
def test_what_is_no_exporter_is_left_out(said: list[str], text: str, found: set[str], used: str) -> None:
    """And said, with what is left; `none` is one by itself only."""
    for _ in range(2):
        assert exporters({"OTEL_LOGS_EXPORTER": text}) == found
    assert said == [
        f"OTEL_LOGS_EXPORTER={text!r} is no list of otlp, console and otlp/stdout, or none; {used} is used instead."
    ]


@pytest.mark.parametrize(("text", "found"), [("true", True), (" TRUE", True), ("false", False), ("", False)])
def test_only_true_disables(said: list[str], text: str, *, found: bool) -> None:
    """In any case."""
    assert is_disabled({"OTEL_SDK_DISABLED": text}) is found
    assert said == []


def test_what_is_no_truth_disables_nothing(said: list[str]) -> None:
    """As the specification has it, which wants a warning too."""
    assert not is_disabled({"OTEL_SDK_DISABLED": "1"})
    assert said == ["OTEL_SDK_DISABLED='1' is not true or false; false is used instead."]


@pytest.mark.parametrize(
    ("text", "seconds", "is_wrong"),
    [
        ("", 1.0, False),
        ("250", 0.25, False),
        ("0", 0.01, False),
        ("-1", 1.0, True),
        ("inf", 1.0, True),
        ("nan", 1.0, True),
        ("soon", 1.0, True),
        ("1e300", 1.0, True),
    ],
)
def test_the_delay_is_one_that_a_thread_can_wait(said: list[str], text: str, seconds: float, *, is_wrong: bool) -> None:
    """Neither spins nor ends the sender, whatever the variable says."""
    assert schedule_delay({"OTEL_BLRP_SCHEDULE_DELAY": text}) == seconds
    sentence = f"OTEL_BLRP_SCHEDULE_DELAY={text!r} is no number of milliseconds; 1000 is used instead."
    assert said == [sentence] * is_wrong


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, 10.0),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "20"}, 20.0),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "20", "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT": "2"}, 2.0),
        ({"OTEL_BLRP_EXPORT_TIMEOUT": "30000"}, 10.0),
        ({"OTEL_BLRP_EXPORT_TIMEOUT": "1500"}, 1.5),
        ({"OTEL_BLRP_EXPORT_TIMEOUT": "1500", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}, 1.0),
        ({"OTEL_BLRP_EXPORT_TIMEOUT": "0"}, 10.0),
    ],
)
def test_a_request_keeps_both_timeouts(said: list[str], environ: dict[str, str], seconds: float) -> None:
    """The exporter's is in seconds, as OpenTelemetry Python reads it; the processor's in milliseconds, 0 for none."""
    assert timeout(environ) == seconds
    assert timeout(environ, 7) == 7.0
    assert said == []


@pytest.mark.parametrize("text", ["0", "-1", "soon", "inf", "nan", "1e300"])
def test_a_timeout_is_one_that_a_socket_can_wait(said: list[str], text: str) -> None:
    """Above 0, and no more than the operating system takes."""
    environ = {"OTEL_EXPORTER_OTLP_TIMEOUT": text}
    assert timeout(environ) == 10.0
    assert said == [f"OTEL_EXPORTER_OTLP_TIMEOUT={text!r} is no number of seconds above 0; 10 is used instead."]
    with pytest.raises(ValueError, match=r"^timeout='.*' is no number of seconds above 0\.$"):
        timeout({}, float(text) if text != "soon" else -2.0)


@pytest.mark.parametrize(("text", "size"), [("", 512), ("1", 1), ("4096", 4096)])
def test_a_batch_has_the_size_that_is_asked_for(said: list[str], text: str, size: int) -> None:
    """Any number of records from one on."""
    assert batch_size({"OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": text}, 512) == size
    assert said == []


@pytest.mark.parametrize("text", ["0", "-5", "1.5", "many", "\u0661", "9" * 5000])
def test_a_batch_is_not_empty(said: list[str], text: str) -> None:
    """What is no such number is said."""
    assert batch_size({"OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": text}, 512) == 512
    [sentence] = said
    assert sentence.startswith("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE=")
    assert sentence.endswith(" is no whole number from 1 on; 512 is used instead.")
    assert len(sentence) < 250


def test_a_bound_in_records_has_no_effect_and_is_said(said: list[str]) -> None:
    """The queue is bounded in bytes."""
    assert batch_size({"OTEL_BLRP_MAX_QUEUE_SIZE": "2048"}, 512) == 512
    [sentence] = said
    assert sentence.startswith("OTEL_BLRP_MAX_QUEUE_SIZE='2048' has no effect: ")
    assert "max_buffer_bytes" in sentence


@pytest.mark.parametrize(
    ("environ", "limits"),
    [
        ({}, AttributeLimits(128, None)),
        ({"OTEL_" + COUNT: "5", "OTEL_" + LENGTH: "100"}, AttributeLimits(5, 100)),
        ({"OTEL_" + COUNT: "5", "OTEL_LOGRECORD_" + COUNT: "7"}, AttributeLimits(7, None)),
        ({"OTEL_" + LENGTH: "5", "OTEL_LOGRECORD_" + LENGTH: "7"}, AttributeLimits(128, 7)),
        ({"OTEL_" + COUNT: "0", "OTEL_" + LENGTH: "0"}, AttributeLimits(0, 0)),
    ],
)
def test_the_limits_of_log_records_come_first(
    said: list[str], environ: dict[str, str], limits: AttributeLimits
) -> None:
    """128 attributes of any length by default; 0 is a limit too."""
    assert attribute_limits(environ) == limits
    assert said == []


@pytest.mark.parametrize(
    ("environ", "limits", "used"),
    [
        ({"OTEL_LOGRECORD_" + COUNT: "-1"}, AttributeLimits(128, None), "128"),
        ({"OTEL_LOGRECORD_" + COUNT: "x", "OTEL_" + COUNT: "9"}, AttributeLimits(9, None), "9"),
        ({"OTEL_" + LENGTH: "long"}, AttributeLimits(128, None), "none"),
    ],
)
def test_a_wrong_limit_is_none(said: list[str], environ: dict[str, str], limits: AttributeLimits, used: str) -> None:
    """The next variable counts, or the default."""
    assert attribute_limits(environ) == limits
    [sentence] = said
    assert sentence.endswith(f" is no whole number from 0 on; {used} is used instead.")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=500)
@given(environ=anything())
def test_no_environment_raises(said: list[str], environ: dict[str, str]) -> None:
    """Whatever the variables hold, what is read can be used, and what is said is a sentence."""
    assert exporters(environ) <= {"otlp", "console"}
    assert is_disabled(environ) in (True, False)
    assert 0.01 <= schedule_delay(environ) <= threading.TIMEOUT_MAX
    assert 0 < timeout(environ) <= threading.TIMEOUT_MAX
    assert batch_size(environ, 512) >= 1
    limits = attribute_limits(environ)
    assert limits.count >= 0
    assert limits.value_length is None or limits.value_length >= 0
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in said)
