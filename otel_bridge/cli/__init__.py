"""
The `otel-bridge` command.

`app` puts the commands together; each is in a module of its own. Without the extra `otel-bridge[cli]` there is one
sentence that says so.
"""

import sys
from typing import Final

EXTRAS: Final = {"rich": "cli", "typer": "cli", "yaml": "cli", "django": "demo", "django_structlog": "demo"}
"""Packages that may be missing, to the extra that brings them."""


def main() -> None:
    """Run the command line; whatever goes wrong is one sentence on standard error and exit status 1."""
    try:
        # The extra may not be installed.
        from otel_bridge.cli.app import app  # noqa: PLC0415

        app()
    except ModuleNotFoundError as exc:
        name = (exc.name or "").partition(".")[0]
        if name not in EXTRAS and name not in ("google", "urllib3", "opentelemetry"):
            sys.exit(f"otel-bridge: {exc}")
        extra = EXTRAS.get(name, "demo")
        sys.exit(f"otel-bridge: the package {name} is missing; install it with: pip install 'otel-bridge[{extra}]'")
    except Exception as exc:  # noqa: BLE001 - a command line shows no traceback
        sys.exit(f"otel-bridge: {exc or type(exc).__name__}")
