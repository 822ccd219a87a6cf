"""One setting: the variable or argument that says it, what it says, and what is wrong with it."""

import base64
import ipaddress
import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

SECRETS: Final = re.compile(r"^.*@|\?.*$", re.DOTALL)
"""Credentials and query of a URL, also of one that is none."""


class Setting(NamedTuple):
    """What is asked for, and by which variable or argument."""

    name: str
    value: str

    def wrong(self, why: str, remedy: str) -> ValueError:
        """Say in one sentence what is wrong with it."""
        return ValueError(f"{self.name}={SECRETS.sub('***', self.value)!r} {why}; {remedy}.")


def split(setting: Setting, ports: Mapping[str, int]) -> tuple[SplitResult, str | None]:
    """Return the parts of a URL, its port always there, without its credentials, and those."""
    try:
        parts = urlsplit(setting.value)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = SplitResult("", "", "", "", ""), None, None
    if not host or parts.scheme not in ports or any(character.isspace() for character in setting.value):
        example = f"{next(iter(ports))}://host:port"
        raise setting.wrong(f"is no URL of {' or '.join(ports)}", f"write {example}")
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
