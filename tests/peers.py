"""What older releases of the libraries around us lack: the tests that need it are skipped there, and say so."""

from importlib.metadata import version

import pytest
from packaging.version import Version


def needs(package: str, oldest: str) -> pytest.MarkDecorator:
    """Skip where *package* is older than *oldest*, the first that has what the test is about."""
    installed = version(package)
    reason = f"{package} {installed} is installed; {oldest} is the first with it"
    return pytest.mark.skipif(Version(installed) < Version(oldest), reason=reason)
