"""A Celery application as the five systems have one: django-structlog, and tracing after the fork."""

import os
import sys
import time

import structlog
from celery import Celery
from celery.signals import setup_logging, worker_process_init, worker_process_shutdown
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep
from opentelemetry import trace
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

import otel_bridge
from tests.integrations import serials

settings.configure()
serials.configure()
otel_bridge.install()
CeleryInstrumentor().instrument()  # type: ignore[no-untyped-call]  # it has no types
logger = structlog.get_logger("tasks")

app = Celery("tasks", broker=os.environ["BROKER"])
app.steps["worker"].add(DjangoStructLogInitStep)
app.conf.update(
    worker_log_format='"serial": "%(serial)s" %(message)s',
    worker_task_log_format='"serial": "%(serial)s" %(message)s',
    beat_schedule={"beaten": {"task": "tests.integrations.tasks.work", "schedule": 0.2, "args": [1]}},
    broker_connection_retry_on_startup=True,
)


def configure_anew(**_: object) -> None:
    """Configure logging as the five systems do in their workers."""
    serials.configure()


def trace_tasks(**_: object) -> None:
    """Make the provider of traces, as maykin-common does: after the fork. Log when the child ends, the last of all."""
    trace.set_tracer_provider(TracerProvider(resource=Resource({"service.instance.id": str(os.getpid())})))
    worker_process_shutdown.connect(log_the_last)


def log_the_last(**_: object) -> None:
    """Log at the very end of a child; one that had no task logs nothing else."""
    logger.info("child_ends")


def work(count: int, seconds: float = 0.0) -> None:
    """Log some records, and take some seconds after that."""
    for number in range(count):
        logger.info("zaak_created", number=number)
    time.sleep(seconds)


def fail() -> None:
    """Raise."""
    raise ValueError("as the test asked")


for task in (work, fail):
    app.task(task)
if os.environ["CONFIGURED_BY"] == "application":
    setup_logging.connect(configure_anew)
worker_process_init.connect(trace_tasks)
if "threads" in sys.argv:
    # There is no fork, and no signal of it.
    trace_tasks()
