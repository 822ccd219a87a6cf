"""Settings of gunicorn."""

from typing import Any


def post_worker_init(worker: Any) -> None:
    """Say that a worker handles signals: SIGTERM before that is lost, and gunicorn waits half a minute for it."""
    worker.log.info("worker_is_ready")
