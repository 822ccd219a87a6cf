"""What the tests of the transports have."""

import pytest

from tests.export.receivers import Certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority and what it signed."""
    return Certificates(tmp_path_factory.mktemp("certificates"))
