"""What a mule of uWSGI runs: it logs once, and waits."""

import time

from tests.integrations.application import logger

logger.info("mule_started")
while True:
    time.sleep(1)
