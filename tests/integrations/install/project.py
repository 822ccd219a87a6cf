"""A project with the settings of the five systems: those of the real open-api-framework, in a process of its own."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parent.parent.parent.parent
SETTINGS: Final = """
from open_api_framework.conf.base import *
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = ["django.contrib.contenttypes", "solo", "log_outgoing_requests", "django_structlog"]
DJANGO_STRUCTLOG_CELERY_ENABLED = False
"""
"""Without what needs a server."""
INSTALL: Final = "from otel_bridge import install\ninstall(LOGGING)\n"
ENVIRONMENT: Final = {
    "_USE_STRUCTLOG": "True",
    "ALLOWED_HOSTS": "*",
    "CACHE_DEFAULT": "localhost:1",
    "DB_NAME": "openzaak",
    "DB_PASSWORD": "openzaak",
    "DB_USER": "openzaak",
    "DJANGO_SETTINGS_MODULE": "openzaak.conf.settings",
    "PYTHONHASHSEED": "0",
    "OTEL_SERVICE_NAME": "openzaak",
    "SECRET_KEY": "for the tests",
}
"""What open-api-framework insists on, and what makes two runs print the same."""
SET_UP: Final = "import logging, os, sys, django; django.setup(); import structlog"


needs_open_api_framework = pytest.mark.skipif(
    find_spec("maykin_common") is None, reason="the real settings need open-api-framework, and that Python 3.12"
)


class Project:
    """
    A project named `openzaak`, as the five systems lay theirs out.

    Args:
        folder: An empty folder.
        settings: The text of its settings.
    """

    def __init__(self, folder: Path, settings: str) -> None:
        self.folder = folder
        package = folder / "src" / "openzaak"
        (package / "conf").mkdir(parents=True, exist_ok=True)
        # Where open-api-framework's file handlers write.
        (folder / "log").mkdir(exist_ok=True)
        for name in ("__init__.py", "conf/__init__.py"):
            (package / name).touch()
        (package / "conf" / "settings.py").write_text(settings)

    def run(self, *parts: str, executable: str | Path = sys.executable, path: str | Path = ROOT, **environ: str) -> Any:
        """Run Python with the settings, and *path* to search modules in; return the process that has ended."""
        script = self.folder / "script.py"
        script.write_text("\n".join(map(textwrap.dedent, parts)))
        return run([executable, "-W", "ignore", script], PYTHONPATH=f"{self.folder / 'src'}:{path}:{ROOT}", **environ)


def run(command: list[Any], **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run *command* with nothing of OpenTelemetry's handed down; return the process that has ended well."""
    done = subprocess.run(  # noqa: S603 - the tests' own code
        command, env=environment(environ), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of such a process."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return {**inherited, **ENVIRONMENT, **environ}
