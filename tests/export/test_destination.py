"""The endpoint, as the environment and the arguments describe it."""

import base64
from typing import Any

import pytest

from otel_bridge.export.endpoint import Endpoint
from otel_bridge.export.environment import endpoint, schedule_delay

OTLP, LOGS = "OTEL_EXPORTER_OTLP_", "OTEL_EXPORTER_OTLP_LOGS_"
HTTP, GRPC = "http/protobuf", "grpc"


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
        ({OTLP + "ENDPOINT": "http://collector:4317"}, GRPC, "http://collector:4317"),
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
        ("compression", "none", {"ENDPOINT": "http://other:2", "COMPRESSION": "gzip"}, "none"),
        ("timeout", 3.0, {"TIMEOUT": "9"}, 3.0),
        ("certificate", "/given.pem", {"CERTIFICATE": "/other.pem"}, "/given.pem"),
        ("client_certificate", "/given.pem", {"CLIENT_CERTIFICATE": "/other.pem"}, "/given.pem"),
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
    ("environ", "words"),
    [
        ({OTLP + "PROTOCOL": "http/json"}, [OTLP + "PROTOCOL", "http/json", "http/protobuf or grpc"]),
        ({LOGS + "COMPRESSION": "deflate"}, [LOGS + "COMPRESSION", "deflate", "gzip or none"]),
        ({OTLP + "TIMEOUT": "soon"}, [OTLP + "TIMEOUT", "soon", "seconds"]),
        ({OTLP + "TIMEOUT": "0"}, [OTLP + "TIMEOUT", "'0'"]),
        ({OTLP + "TIMEOUT": "inf"}, [OTLP + "TIMEOUT"]),
        ({OTLP + "INSECURE": "maybe"}, [OTLP + "INSECURE", "maybe", "true or false"]),
        ({OTLP + "ENDPOINT": "collector:4318"}, [OTLP + "ENDPOINT", "collector:4318", "http://"]),
        ({OTLP + "ENDPOINT": "http://:4318"}, [OTLP + "ENDPOINT", "http://host:port"]),
        ({OTLP + "ENDPOINT": "http://collector:port"}, [OTLP + "ENDPOINT", "http://collector:port"]),
        ({OTLP + "ENDPOINT": "http://[::1"}, [OTLP + "ENDPOINT"]),
        ({OTLP + "ENDPOINT": "ftp://collector"}, [OTLP + "ENDPOINT", "http or https"]),
        ({OTLP + "ENDPOINT": "http://col lector"}, [OTLP + "ENDPOINT"]),
        ({OTLP + "CLIENT_KEY": "/key.pem"}, ["/key.pem", OTLP + "CLIENT_CERTIFICATE"]),
        ({OTLP + "ENDPOINT": "http://a", "http_proxy": "socks5://p:1"}, ["http_proxy", "socks5://p:1"]),
    ],
)
def test_a_wrong_value_is_one_sentence(environ: dict[str, str], words: list[str]) -> None:
    """It names the variable, the value and the remedy."""
    with pytest.raises(ValueError, match=r"^[^\n]+\.$") as raised:
        endpoint(environ)
    assert all(word in str(raised.value) for word in words), str(raised.value)


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
        {OTLP + "ENDPOINT": "http://a", "HTTP_PROXY": "https://user:hunter2hunter2@proxy:1"},
    ],
)
def test_no_message_holds_a_secret(environ: dict[str, str]) -> None:
    """What is wrong is told without the values of headers, and without credentials and queries of URLs."""
    with pytest.raises(ValueError, match=r"OTEL|PROXY") as raised:
        endpoint(environ)
    assert "hunter2" not in str(raised.value)


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


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", 1.0), ("250", 0.25), ("0", 0.01), ("-1", 1.0), ("inf", 1.0), ("nan", 1.0), ("soon", 1.0), ("1e300", 1.0)],
)
def test_the_delay_is_one_that_a_thread_can_wait(text: str, seconds: float) -> None:
    """Neither spins nor ends the sender, whatever the variable says."""
    assert schedule_delay({"OTEL_BLRP_SCHEDULE_DELAY": text}) == seconds
