"""OpenTelemetry's environment variables to an endpoint: https://opentelemetry.io/docs/specs/otel/protocol/exporter/."""

import math
import re
import threading
from collections.abc import Mapping
from typing import Final, TypeVar, get_args
from urllib.parse import SplitResult, unquote

from otel_bridge.diagnostics import diagnostics
from otel_bridge.export.endpoint import Compression, Endpoint, Protocol
from otel_bridge.export.proxy import proxy as proxy_for
from otel_bridge.export.setting import Setting, authorization, is_local, split

Known = TypeVar("Known", bound=str)

GENERAL: Final = "OTEL_EXPORTER_OTLP_"
PREFIXES: Final = ("OTEL_EXPORTER_OTLP_LOGS_", GENERAL)
"""Per-signal variables come first: https://opentelemetry.io/docs/specs/otel/protocol/exporter/#configuration-options"""
LOGS_PATH: Final = "/v1/logs"
"""Is appended to the general endpoint only:
https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp"""
DEFAULT_URLS: Final = {"http/protobuf": "http://localhost:4318", "grpc": "http://localhost:4317"}
PORTS: Final = {
    ("http/protobuf", "http"): 80,
    ("http/protobuf", "https"): 443,
    ("grpc", "http"): 4317,
    ("grpc", "https"): 443,
}
"""Ports of URLs that name none: HTTP's own; for gRPC over TLS that of its other clients."""
SCHEDULE_DELAY: Final = "OTEL_BLRP_SCHEDULE_DELAY"
"""https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#batch-logrecord-processor"""
DELAY: Final = 1.0
SHORTEST_DELAY: Final = 0.01
TIMEOUT: Final = 10.0
"""Seconds. The specification has milliseconds in the variable; OpenTelemetry Python reads seconds, and so do we."""
CA_BUNDLE: Final = "REQUESTS_CA_BUNDLE"
"""Where the five systems put private authorities (`self_certifi`), and what the official exporter over HTTP reads."""

HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""https://www.rfc-editor.org/rfc/rfc9110.html#name-field-names"""
HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""https://www.rfc-editor.org/rfc/rfc9110.html#name-field-values; a line's end would begin another header."""


def endpoint(  # noqa: PLR0913 - one for each variable
    environ: Mapping[str, str],
    *,
    url: str | None = None,
    protocol: str | None = None,
    headers: Mapping[str, str] | None = None,
    compression: str | None = None,
    timeout: float | None = None,
    certificate: str | None = None,
    client_certificate: str | None = None,
    client_key: str | None = None,
    insecure: bool | None = None,
    default_protocol: Protocol = "http/protobuf",
) -> Endpoint:
    """
    Read the variables of the OTLP exporter and of proxies.

    Args:
        environ: The environment; an empty variable is one that is not set.
        url: Wins over the environment, as each of those that follow; it is taken as it stands, path included.
        protocol: `http/protobuf` or `grpc`.
        headers: In place of the environment's, not added to them.
        compression: `gzip` or `none`; gzip by default, unless the receiver is on this host.
        timeout: Seconds for one request.
        certificate: PEM file of trusted authorities; after OpenTelemetry's variables, `REQUESTS_CA_BUNDLE` is read.
        client_certificate: PEM file, for mutual TLS.
        client_key: PEM file with its key.
        insecure: Whether a gRPC endpoint without a scheme is reached without TLS.
        default_protocol: Where nobody names one.

    Raises:
        ValueError: A value is wrong; the message names the variable and the remedy, and never holds a secret.
    """
    chosen = _one_of(get_args(Protocol), _setting(environ, "PROTOCOL", protocol)) or default_protocol
    parts, credentials = _url(environ, url, chosen, insecure=insecure)
    local = is_local(parts.hostname or "")
    proxy, proxy_credentials = (None, None) if local else proxy_for(environ, parts)
    client_certificate = client_certificate or _text(environ, "CLIENT_CERTIFICATE")
    client_key = client_key or _text(environ, "CLIENT_KEY")
    if client_key and not client_certificate:
        raise ValueError(f"A client's key ({client_key}) needs its certificate; set {GENERAL}CLIENT_CERTIFICATE too.")
    return Endpoint(
        url=parts.geturl(),
        protocol=chosen,
        headers=authorization("authorization", credentials) | _headers(environ, headers),
        compression=_one_of(get_args(Compression), _setting(environ, "COMPRESSION", compression))
        or ("none" if local else "gzip"),
        timeout=_timeout(_setting(environ, "TIMEOUT", None if timeout is None else str(timeout))),
        certificate=certificate or _text(environ, "CERTIFICATE") or environ.get(CA_BUNDLE) or None,
        client_certificate=client_certificate,
        client_key=client_key,
        proxy=proxy,
        proxy_headers=authorization("proxy-authorization", proxy_credentials),
    )


def schedule_delay(environ: Mapping[str, str]) -> float:
    """
    Read how long a record waits for others at most.

    Returns:
        Seconds, from the milliseconds of `OTEL_BLRP_SCHEDULE_DELAY`; at least `SHORTEST_DELAY`, so that nothing spins.
        What is no such number is said, and `DELAY` taken: nothing is lost by it.
    """
    text = environ.get(SCHEDULE_DELAY, "").strip()
    try:
        seconds = float(text) / 1000 if text else DELAY
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < threading.TIMEOUT_MAX:
        diagnostics.say(f"{SCHEDULE_DELAY}={text!r} is no number of milliseconds; {DELAY * 1000:g} is taken.")
        seconds = DELAY
    return max(SHORTEST_DELAY, seconds)


def _setting(environ: Mapping[str, str], name: str, given: str | None = None) -> Setting | None:
    if given is not None:
        return Setting(name.lower(), given)
    found = (Setting(prefix + name, environ.get(prefix + name, "").strip()) for prefix in PREFIXES)
    return next((setting for setting in found if setting.value), None)


def _text(environ: Mapping[str, str], name: str) -> str | None:
    setting = _setting(environ, name)
    return setting.value if setting else None


def _one_of(known: tuple[Known, ...], setting: Setting | None) -> Known | None:
    if setting is None:
        return None
    for value in known:
        if value == setting.value.lower():
            return value
    raise setting.wrong("is not known here", f"set it to {' or '.join(known)}")


def _timeout(setting: Setting | None) -> float:
    if setting is None:
        return TIMEOUT
    try:
        seconds = float(setting.value)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise setting.wrong("is no number of seconds above 0", f"set it to {TIMEOUT:g}, for example")
    return seconds


def _url(
    environ: Mapping[str, str], given: str | None, protocol: Protocol, *, insecure: bool | None
) -> tuple[SplitResult, str | None]:
    """Return the parts of the endpoint's URL without its credentials, and those."""
    if insecure is None:
        insecure = _one_of(("true", "false"), _setting(environ, "INSECURE")) == "true"
    setting = _setting(environ, "ENDPOINT", given) or Setting(GENERAL + "ENDPOINT", DEFAULT_URLS[protocol])
    if protocol == "grpc" and "://" not in setting.value:
        setting = Setting(setting.name, f"{'http' if insecure else 'https'}://{setting.value}")
    parts, credentials = split(setting, {scheme: port for (of, scheme), port in PORTS.items() if of == protocol})
    if protocol == "grpc":
        return parts._replace(path="", query="", fragment=""), credentials
    is_general = setting.name == GENERAL + "ENDPOINT"
    path = parts.path.rstrip("/") + LOGS_PATH if is_general else parts.path or "/"
    return parts._replace(path=path, fragment=""), credentials


def _headers(environ: Mapping[str, str], given: Mapping[str, str] | None) -> dict[str, str]:
    """Read headers: https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables."""
    if given is not None:
        variable, pairs = "headers", [(name, "=", value) for name, value in given.items()]
    else:
        variable, value = _setting(environ, "HEADERS") or Setting("", "")
        split = [pair.partition("=") for pair in value.split(",") if pair.strip()]
        pairs = [(unquote(name.strip()), equals, unquote(value.strip())) for name, equals, value in split]
    for position, (name, equals, value) in enumerate(pairs, start=1):
        if not equals or not HEADER_NAME.fullmatch(name) or not HEADER_VALUE.fullmatch(value):
            raise ValueError(
                f"{variable}: pair {position} is no header; write name=value,name=value, values URL-encoded."
            )
    return {name.lower(): value for name, _, value in pairs}
