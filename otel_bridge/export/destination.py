"""Where records go, by arguments and variables: https://opentelemetry.io/docs/specs/otel/protocol/exporter/."""

import sys
from collections.abc import Mapping
from typing import Any, Final, TypeVar, get_args
from urllib.parse import SplitResult, unquote, urlsplit

from otel_bridge.export.endpoint import Compression, Endpoint, Protocol, load
from otel_bridge.export.environment import exporter_names, one_of
from otel_bridge.export.environment import timeout as read_timeout
from otel_bridge.export.headers import checked
from otel_bridge.export.headers import headers as read_headers
from otel_bridge.export.proxy import proxy
from otel_bridge.export.setting import (
    Setting,
    WrongSettingError,
    authorization,
    first,
    is_local,
    say_once,
    split,
    variable,
)

Known = TypeVar("Known", bound=str)

GENERAL: Final = "OTEL_EXPORTER_OTLP_"
PREFIXES: Final = ("OTEL_EXPORTER_OTLP_LOGS_", GENERAL)
"""Per-signal variables come first: https://opentelemetry.io/docs/specs/otel/protocol/exporter/#configuration-options"""
LOGS_PATH: Final = "/v1/logs"
"""Is appended to the general endpoint only:
https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp"""
PROTOCOLS: Final[tuple[Protocol, ...]] = ("http/protobuf", "grpc")
"""Those that can be named; a file is one by its URL."""
BY_EXPORTER: Final[Mapping[str, Protocol]] = {"otlp_proto_http": "http/protobuf", "otlp_proto_grpc": "grpc"}
"""OpenTelemetry Python's own values of `OTEL_LOGS_EXPORTER`."""
BY_PORT: Final[Mapping[int, Protocol]] = {4317: "grpc", 4318: "http/protobuf"}
"""What is spoken on the ports of OTLP: https://opentelemetry.io/docs/specs/otlp/#otlpgrpc-default-port."""
DEFAULT_URLS: Final[Mapping[Protocol, str]] = {
    "http/protobuf": "http://localhost:4318",
    "grpc": "http://localhost:4317",
}
COMPRESSIONS: Final[tuple[Compression, ...]] = get_args(Compression)
PORTS: Final[Mapping[Protocol, Mapping[str, int]]] = {
    "http/protobuf": {"http": 80, "https": 443},
    "grpc": {"http": 4317, "https": 443},
}
"""Ports of URLs that name none: HTTP's own; for gRPC over TLS that of its other clients."""
SENDS_GRPC: Final = "maykin_common.otel"
"""What the five systems send their traces with, over gRPC where nobody names a protocol."""
CA_BUNDLE: Final = "REQUESTS_CA_BUNDLE"
"""Where the five systems put private authorities (`self_certifi`), and what the official exporter over HTTP reads."""


def endpoint(
    environ: Mapping[str, str],
    *,
    url: str | None = None,
    protocol: str | None = None,
    headers: Mapping[str, str] | None = None,
    compression: str | None = None,
    timeout: float | None = None,
    default_protocol: Protocol = "http/protobuf",
) -> Endpoint:
    """
    Read the variables of the OTLP exporter and of proxies.

    A variable that is not understood is said, and what is used instead. The endpoint has no other one instead: what
    people log is not sent where nobody asked for it.

    Args:
        environ: The environment; an empty variable is one that is not set.
        url: Wins over the environment, as each of those that follow; it is taken as it stands, path included.
        protocol: `http/protobuf` or `grpc`.
        headers: In place of the environment's, not added to them.
        compression: `gzip` or `none`; gzip by default, unless the receiver is on this host.
        timeout: Seconds for one request.
        default_protocol: Where nobody names one, and the port of the endpoint is none of OTLP's.

    Raises:
        WrongSettingError: The endpoint, or an argument, is wrong; the message never holds a secret.
        ValueError: A header that a program gives is none.
    """
    # Arguments first: a wrong one is seen in any environment.
    given_protocol = _given("protocol", protocol, PROTOCOLS)
    given_compression = _given("compression", compression, COMPRESSIONS)
    given_headers = None if headers is None else checked(headers)
    seconds = read_timeout(environ, timeout)
    asked = _set(environ, "ENDPOINT") if url is None else Setting("endpoint", url)
    if asked is not None and asked.value[:5].lower() == "file:":
        return Endpoint(_file(asked), "file", timeout=seconds)
    chosen = given_protocol or _protocol(environ, asked, default_protocol)
    parts, credentials = _url(environ, asked or Setting(GENERAL + "ENDPOINT", DEFAULT_URLS[chosen]), chosen)
    local = is_local(parts.hostname or "")
    via, via_credentials = (None, None) if local else _proxy(environ, parts)
    client_certificate, client_key = _client(environ)
    return Endpoint(
        url=parts.geturl(),
        protocol=chosen,
        headers=authorization("authorization", credentials)
        | (read_headers(_set(environ, "HEADERS")) if given_headers is None else given_headers),
        compression=given_compression or _read(environ, "COMPRESSION", COMPRESSIONS, "none" if local else "gzip"),
        timeout=seconds,
        certificate=_text(environ, "CERTIFICATE") or environ.get(CA_BUNDLE) or None,
        client_certificate=client_certificate,
        client_key=client_key,
        proxy=via,
        proxy_headers=authorization("proxy-authorization", via_credentials),
    )


def endpoint_or_why_not(environ: Mapping[str, str], **arguments: Any) -> tuple[Endpoint | None, str]:
    """
    Read where to send to, and import what that needs.

    Args:
        environ: The environment.
        arguments: Those of `endpoint`.

    Returns:
        The endpoint; or none, and a sentence that says why, where the environment is at fault.

    Raises:
        ValueError: An argument is wrong.
        ModuleNotFoundError: An argument asks for gRPC, and `h2` is not installed.
    """
    default: Protocol = "grpc" if SENDS_GRPC in sys.modules else "http/protobuf"
    try:
        found = endpoint(environ, default_protocol=default, **arguments)
        load(found.protocol)
    except WrongSettingError as exc:
        if exc.setting.is_argument:
            raise
        return None, str(exc)
    except ModuleNotFoundError as exc:
        if arguments.get("url") or arguments.get("protocol"):
            raise
        return None, str(exc)
    return found, ""


def _names(name: str) -> list[str]:
    return [prefix + name for prefix in PREFIXES]


def _given(name: str, value: str | None, known: tuple[Known, ...]) -> Known | None:
    return None if value is None else one_of(known, Setting(name, value))


def _read(environ: Mapping[str, str], name: str, known: tuple[Known, ...], default: Known) -> Known:
    return first(environ, _names(name), lambda setting: one_of(known, setting), default)


def _set(environ: Mapping[str, str], name: str) -> Setting | None:
    found = (variable(environ, each) for each in _names(name))
    return next((setting for setting in found if setting.value), None)


def _text(environ: Mapping[str, str], name: str) -> str | None:
    found = _set(environ, name)
    return found.value if found else None


def _protocol(environ: Mapping[str, str], asked: Setting | None, default: Protocol) -> Protocol:
    names = exporter_names(environ)
    by_exporter = [protocol for name, protocol in BY_EXPORTER.items() if name in names]
    return by_exporter[0] if by_exporter else _read(environ, "PROTOCOL", PROTOCOLS, _spoken_at(asked, default))


def _spoken_at(asked: Setting | None, default: Protocol) -> Protocol:
    """Tell by its port what an endpoint speaks, or by its path: gRPC has none."""
    value = asked.value if asked is not None else ""
    try:
        parts = urlsplit(value if "://" in value else f"//{value}")
        return BY_PORT.get(parts.port or 0) or ("http/protobuf" if parts.path.strip("/") else default)
    except ValueError:
        return default


def _url(environ: Mapping[str, str], setting: Setting, protocol: Protocol) -> tuple[SplitResult, str | None]:
    """Return the parts of the endpoint's URL without its credentials, and those."""
    if protocol == "grpc" and "://" not in setting.value:
        insecure = _read(environ, "INSECURE", ("true", "false"), "false")
        setting = Setting(setting.name, f"{'http' if insecure == 'true' else 'https'}://{setting.value}")
    parts, credentials = split(setting, PORTS[protocol])
    if protocol == "grpc":
        return parts._replace(path="", query="", fragment=""), credentials
    is_general = setting.name == GENERAL + "ENDPOINT"
    path = parts.path.rstrip("/") + LOGS_PATH if is_general else parts.path or "/"
    return parts._replace(path=path, fragment=""), credentials


def _file(setting: Setting) -> str:
    """Return the URL of a file, if it is one: https://www.rfc-editor.org/rfc/rfc8089.html."""
    try:
        parts = urlsplit(setting.value)
    except ValueError:
        parts = SplitResult("file", "", "", "", "")
    is_path = (
        parts.path.startswith("/")
        and not parts.path.endswith("/")
        and unquote(parts.path, errors="surrogateescape").isprintable()
    )
    if not is_path or parts.netloc not in ("", "localhost") or parts.query or parts.fragment:
        raise WrongSettingError(setting, "is no URL of a file, such as file:///var/log/app.jsonl")
    return f"file://{parts.path}"


def _proxy(environ: Mapping[str, str], parts: SplitResult) -> tuple[str | None, str | None]:
    try:
        return proxy(environ, parts)
    except WrongSettingError as exc:
        say_once(f"{exc.clause}; no proxy is used instead.")
        return None, None


def _client(environ: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return a client's certificate and its key; a key alone is of no use."""
    certificate, key = _text(environ, "CLIENT_CERTIFICATE"), _set(environ, "CLIENT_KEY")
    if key and not certificate:
        say_once(f"{key} needs {GENERAL}CLIENT_CERTIFICATE, which is not set; no certificate is used instead.")
        return None, None
    return certificate, key.value if key else None
