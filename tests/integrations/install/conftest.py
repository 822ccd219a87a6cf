"""What a derived image has: the wheel, installed beside everything else."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Final

import pytest

from tests.integrations.install.project import ROOT

PEERS: Final = ("distro", "instrumentation-logging", "instrumentation-structlog")
OF_SETUP_OTEL: Final = ("psycopg", "redis", "requests", "celery", "dbapi")


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a Python whose site-packages hold the wheel, beside what is installed for the tests."""
    folder = tmp_path_factory.mktemp("image")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    _pip("--python", str(python), "install", "--no-deps", str(ROOT))
    site = next((folder / "lib").glob("python3*/site-packages"))
    # A path in a .pth file is searched for modules, but not for further .pth files.
    (site / "for_the_tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


@pytest.fixture(scope="session")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with OpenTelemetry's distribution, and its instrumentations of structlog and logging."""
    return _folder(tmp_path_factory, [f"opentelemetry-{name}" for name in PEERS])


@pytest.fixture(scope="session")
def instrumentations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what `maykin_common.otel.setup_otel` instruments."""
    return _folder(tmp_path_factory, [f"opentelemetry-instrumentation-{name}" for name in OF_SETUP_OTEL])


def _folder(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> Path:
    folder = tmp_path_factory.mktemp("folder")
    # Without dependencies: the newest of each need not pin the same release of what they share.
    _pip("install", "--no-deps", "--pre", "--target", str(folder), *names)
    return folder


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)  # noqa: S603 - as above
    assert done.returncode == 0, done.stdout + done.stderr
