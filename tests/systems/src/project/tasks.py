"""Tasks of Celery that end in every way."""

from typing import Any

import structlog
from celery import shared_task

logger = structlog.stdlib.get_logger(__name__)


class NotDeliverableError(Exception):
    """A task went wrong."""


@shared_task
def succeed(number: int) -> int:
    """Log, and return."""
    logger.warning("task_at_work", number=number)
    return number


@shared_task
def fail(number: int) -> None:
    """Raise, with a cause."""
    try:
        number / 0
    except ZeroDivisionError as exc:
        raise NotDeliverableError(f"number {number}") from exc


@shared_task(bind=True, max_retries=1)
def retry(self: Any, number: int) -> None:
    """Ask once to be run again."""
    if not self.request.retries:
        raise self.retry(countdown=0, exc=NotDeliverableError(f"number {number}"))
