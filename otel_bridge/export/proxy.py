"""Which proxy leads to a receiver, by `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` in either case."""

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Final
from urllib.parse import SplitResult

from otel_bridge.export.setting import Setting, numeric_address, split

PORT: Final = 80
"""Of a proxy that names none."""


def proxy(environ: Mapping[str, str], parts: SplitResult) -> tuple[str | None, str | None]:
    """Return the proxy's URL without its credentials, and those; both are `None` where there is no proxy."""
    if _is_direct(parts, _either_case(environ, "no_proxy").value):
        return None, None
    setting = _either_case(environ, f"{parts.scheme}_proxy")
    setting = setting if setting.value else _either_case(environ, "all_proxy")
    if not setting.value:
        return None, None
    if "://" not in setting.value:
        setting = Setting(setting.name, f"http://{setting.value}")
    found, credentials = split(setting, {"http": PORT})
    return f"{found.scheme}://{found.netloc}", credentials


def _either_case(environ: Mapping[str, str], name: str) -> Setting:
    """Look for *name* in lower case first, as curl and requests do."""
    lower = Setting(name, environ.get(name, "").strip())
    return lower if lower.value else Setting(name.upper(), environ.get(name.upper(), "").strip())


def _is_direct(parts: SplitResult, no_proxy: str) -> bool:
    """Tell whether NO_PROXY holds a host: by name, by a domain above it, by address or network; `*` is every host."""
    entries = (entry.strip().lower().removesuffix(f":{parts.port}") for entry in no_proxy.split(","))
    return any(_covers(entry, parts.hostname or "") for entry in entries if entry)


def _covers(entry: str, host: str) -> bool:
    address = numeric_address(host)
    if address is None:
        domain = entry.lstrip("*.")
        return entry == "*" or host == domain or (bool(domain) and host.endswith(f".{domain}"))
    try:
        return entry == "*" or address in ip_network(entry, strict=False)
    except ValueError:
        return False
