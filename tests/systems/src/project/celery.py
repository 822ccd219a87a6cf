"""What Celery runs."""

from project.setup import setup_env

setup_env()

from celery import Celery  # noqa: E402 - after the instrumentation, as in the systems
from django_structlog.celery.steps import DjangoStructLogInitStep  # noqa: E402

app = Celery("project")
app.config_from_object("django.conf:settings", namespace="CELERY")

try:
    from maykin_common.logging.celery import setup_celery_structlog
except ImportError:
    from project.older import setup_celery_structlog

setup_celery_structlog()
app.steps["worker"].add(DjangoStructLogInitStep)
# Tasks are enqueued from threads of uWSGI, too.
app.set_default()
app.autodiscover_tasks(["project", "notifications_api_common"])
