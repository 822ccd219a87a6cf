"""Where records go, as the environment and the arguments say it."""

import base64
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from otel_bridge.export.destination import SENDS_GRPC, endpoint, endpoint_or_why_not
from otel_bridge.export.endpoint import STANDARD_OUTPUT, Endpoint
from tests.export.environments import anything

OTLP, LOGS = "OTEL_EXPORTER_OTLP_", "OTEL_EXPORTER_OTLP_LOGS_"
HTTP, GRPC = "http/protobuf", "grpc"
NO_HEADER = "is no header, such as name=value with the value URL-encoded"
ALONE = "needs OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE, which is not set"


@pytest.fixture(autouse=True)
def nothing_sends_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test may have imported what does."""
    monkeypatch.delitem(sys.modules, SENDS_GRPC, raising=False)


@pytest.mark.parametrize(
    ("environ", "protocol", "url"),
    [
        ({}, HTTP, "http://localhost:4318/v1/logs"),
        ({}, GRPC, "http://localhost:4317"),
        ({OTLP + "ENDPOINT": "http://collector:4318"}, HTTP, "http://collector:4318/v1/logs"),
        ({OTLP + "ENDPOINT": "https://gateway.test/otlp/"}, HTTP, "https://gateway.test:443/otlp/v1/logs"),
        ({OTLP + "ENDPOINT": "http://collector"}, HTTP, "http://collector:80/v1/logs"),
        ({LOGS + "ENDPOINT": "http://collector:4318"}, HTTP, "http://collector:4318/"),
        ({LOGS + "ENDPOINT": "http://collector:4318/in?key=k"}, HTTP, "http://collector:4318/in?key=k"),
        ({LOGS + "ENDPOINT": "http://a:1/l", OTLP + "ENDPOINT": "http://b:2"}, HTTP, "http://a:1/l"),
        ({LOGS + "ENDPOINT": "", OTLP + "ENDPOINT": "http://b:2"}, HTTP, "http://b:2/v1/logs"),
        ({OTLP + "ENDPOINT": "http://[::1]:4318"}, HTTP, "http://[::1]:4318/v1/logs"),
        ({OTLP + "ENDPOINT": "http://collector:4317"}, HTTP, "http://collector:4317"),
        ({OTLP + "ENDPOINT": "http://collector:4318"}, GRPC, "http://collector:4318/v1/logs"),
        ({OTLP + "ENDPOINT": "http://collector:5000"}, GRPC, "http://collector:5000"),
        ({LOGS + "ENDPOINT": "http://collector:5000/in"}, GRPC, "http://collector:5000/in"),
        ({OTLP + "ENDPOINT": "https://gateway.test"}, GRPC, "https://gateway.test:443"),
        ({OTLP + "ENDPOINT": "http://collector"}, GRPC, "http://collector:4317"),
        ({OTLP + "ENDPOINT": "collector:4317"}, GRPC, "https://collector:4317"),
        ({OTLP + "ENDPOINT": "collector:4317", OTLP + "INSECURE": "True"}, GRPC, "http://collector:4317"),
        ({OTLP + "ENDPOINT": "https://collector:4317", OTLP + "INSECURE": "true"}, GRPC, "https://collector:4317"),
        ({OTLP + "ENDPOINT": "http://collector:4317/v1/logs"}, GRPC, "http://collector:4317"),
    ],
)
def test_the_url_is_that_of_the_specification(environ: dict[str, str], protocol: Any, url: str) -> None:
    """The general endpoint gets `/v1/logs`, that of logs stays as it is; a scheme decides on TLS."""
    assert endpoint(environ, default_protocol=protocol).url == url


@pytest.mark.parametrize(
    ("variable", "field", "general", "logs", "expected"),
    [
        ("PROTOCOL", "protocol", "http/protobuf", "grpc", "grpc"),
        ("COMPRESSION", "compression", "gzip", "none", "none"),
        ("TIMEOUT", "timeout", "10", "2.5", 2.5),
        ("CERTIFICATE", "certificate", "/a.pem", "/b.pem", "/b.pem"),
        ("CLIENT_CERTIFICATE", "client_certificate", "/a.pem", "/b.pem", "/b.pem"),
        ("HEADERS", "headers", "a=1", "b=2", {"b": "2"}),
    ],
)
def test_the_variable_of_logs_comes_first(variable: str, field: str, general: str, logs: str, expected: object) -> None:
    """Where both are set, the one of the signal is read, and the general one is not."""
    both = endpoint({OTLP + variable: general, LOGS + variable: logs})
    assert getattr(both, field) == expected


@pytest.mark.parametrize(
    ("argument", "value", "environ", "expected"),
    [
        ("url", "http://given:1/in", {"ENDPOINT": "http://other:2"}, "http://given:1/in"),
        ("protocol", "grpc", {"PROTOCOL": "http/protobuf"}, "grpc"),
        ("headers", {"X-Key": "1"}, {"HEADERS": "other=2"}, {"x-key": "1"}),
        ("headers", {}, {"HEADERS": "other=2"}, {}),
        ("compression", "none", {"ENDPOINT": "http://other:2", "COMPRESSION": "gzip"}, "none"),
        ("timeout", 3.0, {"TIMEOUT": "9"}, 3.0),
    ],
)
def test_an_argument_wins_over_the_environment(
    argument: str, value: Any, environ: dict[str, str], expected: object
) -> None:
    """What is given by the program is not looked for elsewhere."""
    given = endpoint({LOGS + name: said for name, said in environ.items()}, **{argument: value})
    assert getattr(given, argument) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("authorization=Bearer%20abc", {"authorization": "Bearer abc"}),
        ("Authorization=Basic dXNlcjpwYXNz==", {"authorization": "Basic dXNlcjpwYXNz=="}),
        (" a = 1 , b=2,, ", {"a": "1", "b": "2"}),
        ("x-scope=caf%C3%A9", {"x-scope": "café"}),
        ("empty=", {"empty": ""}),
    ],
)
def test_headers_are_pairs_whose_values_are_decoded(headers: str, expected: dict[str, str]) -> None:
    """Names go in lower case, as HTTP/2 needs them."""
    assert endpoint({OTLP + "HEADERS": headers}).headers == expected


@pytest.mark.parametrize(
    ("environ", "sentence", "field", "used"),
    [
        (
            {OTLP + "PROTOCOL": "http/json"},
            "OTEL_EXPORTER_OTLP_PROTOCOL='http/json' is not http/protobuf or grpc; http/protobuf is used instead.",
            "protocol",
            "http/protobuf",
        ),
        (
            {LOGS + "PROTOCOL": "json", OTLP + "PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL='json' is not http/protobuf or grpc; grpc is used instead.",
            "protocol",
            "grpc",
        ),
        (
            {OTLP + "PROTOCOL": "json", OTLP + "ENDPOINT": "http://c:4317"},
            "OTEL_EXPORTER_OTLP_PROTOCOL='json' is not http/protobuf or grpc; grpc is used instead.",
            "protocol",
            "grpc",
        ),
        (
            {LOGS + "COMPRESSION": "deflate"},
            "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION='deflate' is not gzip or none; none is used instead.",
            "compression",
            "none",
        ),
        (
            {OTLP + "TIMEOUT": "soon"},
            "OTEL_EXPORTER_OTLP_TIMEOUT='soon' is no number of seconds above 0; 10 is used instead.",
            "timeout",
            10.0,
        ),
        (
            {OTLP + "ENDPOINT": "c:4317", OTLP + "INSECURE": "maybe"},
            "OTEL_EXPORTER_OTLP_INSECURE='maybe' is not true or false; false is used instead.",
            "url",
            "https://c:4317",
        ),
        (
            {OTLP + "HEADERS": "a=1,b,c=3"},
            f"OTEL_EXPORTER_OTLP_HEADERS: pair 2 {NO_HEADER}; it is left out.",
            "headers",
            {"a": "1", "c": "3"},
        ),
        (
            {OTLP + "CLIENT_KEY": "/key.pem"},
            f"OTEL_EXPORTER_OTLP_CLIENT_KEY='/key.pem' {ALONE}; no certificate is used instead.",
            "client_key",
            None,
        ),
        (
            {OTLP + "ENDPOINT": "http://a", "http_proxy": "socks5://p:1"},
            "http_proxy='socks5://p:1' is no URL of http, such as http://host:port; no proxy is used instead.",
            "proxy",
            None,
        ),
    ],
)
def test_a_wrong_variable_is_said_with_what_is_used_instead(
    said: list[str], environ: dict[str, str], sentence: str, field: str, used: object
) -> None:
    """In one sentence with its value, once, and it counts as not set."""
    for _ in range(2):
        assert getattr(endpoint(environ), field) == used
    assert said == [sentence]


WRONG_URLS = [
    "collector:4318",
    "collector",
    "http://:4318",
    "http://collector:port",
    "http://collector:99999",
    "http://[::1",
    "ftp://collector",
    "http://col lector",
    "http://collector/caf\xe9",
    "http://collector/\udce9",
    "http://coll\nector",
    "file:logs.jsonl",
    "file:///",
    "file:///var/log/",
    "file://elsewhere/logs.jsonl",
    "file:///logs.jsonl#x",
    "file:///logs%00.jsonl",
    "file:///logs%e9.jsonl",
    "file://[",
]


@pytest.mark.parametrize("url", WRONG_URLS)
def test_a_wrong_endpoint_is_one_sentence(said: list[str], url: str) -> None:
    """It names variable, value and what would be right; nothing is sent anywhere else instead."""
    found, why_not = endpoint_or_why_not({OTLP + "ENDPOINT": url})
    assert found is None
    assert why_not.startswith(f"OTEL_EXPORTER_OTLP_ENDPOINT={url!r} is no URL of ")
    assert why_not.endswith((", such as http://host:port.", ", such as file:///var/log/app.jsonl."))
    assert said == []


@pytest.mark.parametrize(
    ("argument", "value", "sentence"),
    [
        ("url", "collector:4318", "endpoint='collector:4318' is no URL of http or https, such as http://host:port."),
        ("url", "file:x", "endpoint='file:x' is no URL of a file, such as file:///var/log/app.jsonl."),
        ("protocol", "http/json", "protocol='http/json' is not http/protobuf or grpc."),
        ("protocol", "", "protocol='' is not http/protobuf or grpc."),
        ("compression", "zip", "compression='zip' is not gzip or none."),
        ("timeout", -1, "timeout='-1' is no number of seconds above 0."),
        ("headers", {"na me": "1"}, "headers: pair 1 is no header, which has a name of ASCII and a value of one line."),
        ("headers", {"a": "1", "b": "2\nc: 3"}, "headers: pair 2 is no header, which has a name of ASCII and a value"),
    ],
)
@pytest.mark.parametrize("environ", [{}, {OTLP + "ENDPOINT": "wrong"}, {OTLP + "ENDPOINT": "file:///logs.jsonl"}])
def test_a_wrong_argument_raises(argument: str, value: Any, sentence: str, environ: dict[str, str]) -> None:
    """In any environment, also in one that is wrong itself: it is the program's fault."""
    with pytest.raises(ValueError, match=r"^[^\n]+\.$") as raised:
        endpoint_or_why_not(environ, **{argument: value})
    assert str(raised.value).startswith(sentence)


@pytest.mark.parametrize(
    "environ",
    [
        {OTLP + "HEADERS": "Bearer hunter2hunter2"},
        {OTLP + "HEADERS": "ok=1,hunter2hunter2"},
        {OTLP + "HEADERS": "x=hunter2hunter2%0d%0aevil: 1"},
        {OTLP + "HEADERS": "na me=hunter2hunter2"},
        {OTLP + "ENDPOINT": "ftp://user:hunter2hunter2@collector"},
        {OTLP + "ENDPOINT": "user:hunter2hunter2@collector:4318"},
        {OTLP + "ENDPOINT": "ftp://collector/?key=hunter2hunter2"},
        {OTLP + "ENDPOINT": "file://user:hunter2@collector/logs"},
        {OTLP + "ENDPOINT": "http://a", "HTTP_PROXY": "https://user:hunter2hunter2@proxy:1"},
    ],
)
def test_no_message_holds_a_secret(said: list[str], environ: dict[str, str]) -> None:
    """What is wrong is told without the values of headers, and without credentials and queries of URLs."""
    _, why_not = endpoint_or_why_not(environ)
    [sentence] = [*said, *filter(None, [why_not])]
    assert "hunter2" not in sentence
    assert sentence.startswith(("OTEL_EXPORTER_OTLP_", "HTTP_PROXY"))


def test_a_long_value_is_cut_in_the_message() -> None:
    """It was pasted by mistake, perhaps."""
    _, why_not = endpoint_or_why_not({OTLP + "ENDPOINT": "x" * 100_000})
    assert len(why_not) < 250


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=500)
@given(environ=anything())
def test_no_environment_raises(said: list[str], environ: dict[str, str]) -> None:
    """Whatever the variables hold, there is an endpoint that can be talked to, or a reason why there is none."""
    found, why_not = endpoint_or_why_not(environ)
    assert (found is None) == bool(why_not)
    if found is not None:
        assert found.protocol == "file" or (found.parts.hostname and found.parts.port)
        assert 0 < found.timeout <= threading.TIMEOUT_MAX
        assert all("\n" not in value for value in found.headers.values())
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in said)


@pytest.mark.parametrize(
    ("environ", "beside", "protocol"),
    [
        ({}, False, HTTP),
        ({}, True, GRPC),
        ({OTLP + "ENDPOINT": "http://collector:5000"}, True, GRPC),
        ({OTLP + "ENDPOINT": "http://collector:4318"}, True, HTTP),
        ({OTLP + "ENDPOINT": "http://collector:4317"}, False, GRPC),
        ({OTLP + "ENDPOINT": "collector:4317"}, False, GRPC),
        ({OTLP + "ENDPOINT": "[::1]:4317"}, False, GRPC),
        ({LOGS + "ENDPOINT": "https://gateway.test/otlp/v1/logs"}, True, HTTP),
        ({OTLP + "ENDPOINT": "http://collector:4317", OTLP + "PROTOCOL": "http/protobuf"}, True, HTTP),
        ({OTLP + "ENDPOINT": "http://collector:4318", LOGS + "PROTOCOL": "grpc"}, False, GRPC),
        ({"OTEL_LOGS_EXPORTER": "console, OTLP_proto_grpc"}, False, GRPC),
        ({"OTEL_LOGS_EXPORTER": "otlp_proto_http", OTLP + "PROTOCOL": "grpc"}, True, HTTP),
    ],
)
def test_the_protocol_is_the_one_that_the_receiver_speaks(
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    *,
    beside: bool,
    protocol: str,
) -> None:
    """Whoever names one has it; else the port tells, then the path, then how the application sends its traces."""
    if beside:
        monkeypatch.setitem(sys.modules, SENDS_GRPC, ModuleType(SENDS_GRPC))
    found, _ = endpoint_or_why_not(environ)
    assert found is not None
    assert found.protocol == protocol


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///var/log/app.jsonl", Path("/var/log/app.jsonl")),
        ("file:/var/log/app.jsonl", Path("/var/log/app.jsonl")),
        ("FILE://localhost/var/log/app.jsonl", Path("/var/log/app.jsonl")),
        ("file:///var/log/my%20app%3F.jsonl", Path("/var/log/my app?.jsonl")),
        ("file:///dev/stdout", None),
    ],
)
@pytest.mark.parametrize("prefix", [OTLP, LOGS])
def test_a_file_is_an_endpoint(prefix: str, url: str, path: Path | None) -> None:
    """By its URL, as the declarative configuration has it in `output_stream`; no path is added to it."""
    found = endpoint({prefix + "ENDPOINT": url, OTLP + "TIMEOUT": "2"})
    assert (found.protocol, found.path, found.timeout) == ("file", path, 2.0)
    assert path is not None or found.url == STANDARD_OUTPUT


def test_neither_text_nor_representation_holds_a_secret() -> None:
    """They show the URL without credentials and query, and only the names of headers."""
    secret = {
        LOGS + "ENDPOINT": "http://user:hunter2@collector:4318/in?key=hunter2",
        OTLP + "HEADERS": "x-api-key=hunter2",
        "http_proxy": "http://user:hunter2@proxy:3128",
    }
    found = endpoint(secret)
    assert "hunter2" not in f"{found!r} {found} {found.proxy}"
    assert "http://collector:4318/in" in repr(found)
    assert "x-api-key" in repr(found)


def test_credentials_of_the_url_become_a_header() -> None:
    """As in any HTTP client: basic authentication; a header that is given stays."""
    [name, value] = endpoint({OTLP + "ENDPOINT": "http://us%40er:pa%3Ass@c:1"}).headers.popitem()  # type: ignore[attr-defined]  # it is a dict
    assert (name, base64.b64decode(value.removeprefix("Basic "))) == ("authorization", b"us@er:pa:ss")
    both = endpoint({OTLP + "ENDPOINT": "http://u:p@c:1", OTLP + "HEADERS": "Authorization=Bearer%20t"})
    assert both.headers == {"authorization": "Bearer t"}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]", "app.localhost"])
def test_what_stays_on_this_host_is_not_compressed(host: str) -> None:
    """Unless it is asked for."""
    environ = {OTLP + "ENDPOINT": f"http://{host}:4318"}
    assert endpoint(environ).compression == "none"
    assert endpoint(environ | {OTLP + "COMPRESSION": "gzip"}).compression == "gzip"


@pytest.mark.parametrize("host", ["collector", "10.0.0.1", "localhost.test", "[fe80::1]"])
def test_what_leaves_this_host_is_compressed(host: str) -> None:
    """Unless that is unwanted."""
    environ = {OTLP + "ENDPOINT": f"http://{host}:4318"}
    assert endpoint(environ).compression == "gzip"
    assert endpoint(environ | {OTLP + "COMPRESSION": "none"}).compression == "none"


def test_private_authorities_of_requests_are_trusted() -> None:
    """`REQUESTS_CA_BUNDLE` is read after OpenTelemetry's own variables."""
    assert endpoint({"REQUESTS_CA_BUNDLE": "/r.pem"}).certificate == "/r.pem"
    assert endpoint({"REQUESTS_CA_BUNDLE": "/r.pem", OTLP + "CERTIFICATE": "/o.pem"}).certificate == "/o.pem"


def proxied(url: str, **environ: str) -> Endpoint:
    """Read an endpoint under the proxies' variables."""
    return endpoint({OTLP + "ENDPOINT": url, **environ})


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("http://c:1", {"HTTP_PROXY": "http://p:3128"}, "http://p:3128"),
        ("http://c:1", {"http_proxy": "http://l:1", "HTTP_PROXY": "http://u:2"}, "http://l:1"),
        ("http://c:1", {"HTTPS_PROXY": "http://p:3128"}, None),
        ("https://c:1", {"https_proxy": "p:3128"}, "http://p:3128"),
        ("https://c:1", {"HTTPS_PROXY": "http://p"}, "http://p:80"),
        ("https://c:1", {"ALL_PROXY": "http://p:3128"}, "http://p:3128"),
        ("http://localhost:4318", {"HTTP_PROXY": "http://p:3128"}, None),
        ("http://127.0.0.1:4318", {"HTTP_PROXY": "http://p:3128"}, None),
    ],
)
def test_a_proxy_is_found_by_the_scheme(url: str, environ: dict[str, str], proxy: str | None) -> None:
    """Lower case first; never for this host itself."""
    assert proxied(url, **environ).proxy == proxy


@pytest.mark.parametrize(
    ("host", "no_proxy", "direct"),
    [
        ("collector.test", "collector.test", True),
        ("collector.test", "other, .test", True),
        ("collector.test", "*.test", True),
        ("collector.test", "*", True),
        ("collector.test", "COLLECTOR.test:1", True),
        ("collector.test", "collector.test:2", False),
        ("collector.test", "lector.test", False),
        ("collector.test", "", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("[fd00::1]", "fd00::/8", True),
    ],
)
def test_no_proxy_names_who_is_reached_directly(host: str, no_proxy: str, *, direct: bool) -> None:
    """By name, by a domain above it, by address, by network."""
    found = proxied(f"http://{host}:1", HTTP_PROXY="http://p:3128", NO_PROXY=no_proxy)
    assert (found.proxy is None) == direct


def test_credentials_of_a_proxy_are_kept_apart() -> None:
    """They are a header for the proxy, and not in its URL."""
    found = proxied("http://c:1", HTTP_PROXY="http://user:pass@p:3128")
    assert (found.proxy, dict(found.proxy_headers)) == (
        "http://p:3128",
        {"proxy-authorization": "Basic dXNlcjpwYXNz"},
    )
