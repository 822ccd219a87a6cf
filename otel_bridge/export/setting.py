"""One setting: the variable or argument that says it, what it says, and what is wrong with it."""

import base64
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

from otel_bridge.diagnostics import diagnostics

Found = TypeVar("Found")

SECRETS: Final = re.compile(r"^.*@|\?.*$", re.DOTALL)
"""Credentials and query of a URL, also of one that is none."""
SHOWN: Final = 100
"""Characters of a value that are shown."""


class Setting(NamedTuple):
    """What is asked for, and by which variable or argument."""

    name: str
    value: str

    @property
    def is_argument(self) -> bool:
        """Whether a program says it, rather than the environment: OpenTelemetry's variables are in capitals."""
        return self.name.islower()

    def __str__(self) -> str:
        value = SECRETS.sub("***", self.value)
        return f"{self.name}={value if len(value) <= SHOWN else f'{value[:SHOWN]}…'!r}"


class WrongSettingError(ValueError):
    """A setting is not understood; one sentence says which, its value and what it is not."""

    def __init__(self, setting: Setting, why: str) -> None:
        self.setting = setting
        self.clause = f"{setting} {why}"
        super().__init__(f"{self.clause}.")


def variable(environ: Mapping[str, str], name: str) -> Setting:
    """Read a variable; an empty one is one that is not set."""
    return Setting(name, environ.get(name, "").strip())


def first(environ: Mapping[str, str], names: Iterable[str], parse: Callable[[Setting], Found], default: Found) -> Found:
    """
    Read the first of some variables that is set and understood.

    One that is not understood is said, and then taken as not set:
    https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#configuration-types.

    Args:
        environ: The environment.
        names: The variables, the most special one first.
        parse: Reads a setting, or raises `WrongSettingError`.
        default: Where there is none.
    """
    found, wrong = default, []
    for setting in (variable(environ, name) for name in names):
        if setting.value:
            try:
                found = parse(setting)
                break
            except WrongSettingError as exc:
                wrong.append(exc)
    for each in wrong:
        say_once(f"{each.clause}; {_shown(found)} is used instead.")
    return found


def _shown(found: object) -> str:
    if found is None or isinstance(found, bool):
        return {None: "none", True: "true", False: "false"}[found]
    return f"{found:g}" if isinstance(found, float) else str(found)


_said: Final[dict[str, object]] = {}


def say_once(sentence: str) -> None:
    """
    Warn on logger `otel_bridge`, once in a process.

    A handler of the warning may log, and so come here again; several threads may come at once.
    """
    mine = object()
    if _said.setdefault(sentence, mine) is mine:
        diagnostics.say(sentence)


def split(setting: Setting, ports: Mapping[str, int]) -> tuple[SplitResult, str | None]:
    """
    Return the parts of a URL, its port always there, without its credentials, and those.

    Args:
        setting: The URL.
        ports: The schemes that it may have, and the port of each where the URL names none.

    Raises:
        WrongSettingError: It is no such URL.
    """
    try:
        parts = urlsplit(setting.value)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = SplitResult("", "", "", "", ""), None, None
    is_sendable = setting.value.isprintable() and " " not in setting.value and (parts.path + parts.query).isascii()
    if not host or parts.scheme not in ports or not is_sendable:
        raise WrongSettingError(setting, f"is no URL of {' or '.join(ports)}, such as {next(iter(ports))}://host:port")
    credentials = parts.netloc.rpartition("@")[0] or None
    host = f"[{host}]" if ":" in host else host
    return parts._replace(netloc=f"{host}:{port or ports[parts.scheme]}"), credentials


def authorization(name: str, credentials: str | None) -> dict[str, str]:
    """Write the credentials of a URL as a header: https://www.rfc-editor.org/rfc/rfc7617.html."""
    if credentials is None:
        return {}
    user, _, password = credentials.partition(":")
    return {name: "Basic " + base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()}


def is_local(host: str) -> bool:
    """Tell whether *host* is this one, by its loopback."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = numeric_address(host)
    return address is not None and address.is_loopback


def numeric_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read *host* as an address; `None` if it is a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
