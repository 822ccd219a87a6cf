"""What uWSGI serves."""

from project.setup import setup_env

setup_env()

from django.conf import settings  # noqa: E402 - after the instrumentation, as in the systems
from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()
if settings.DJANGO_STRUCTLOG_CELERY_ENABLED:
    # Whoever enqueues tasks knows the broker by it.
    import project.celery  # noqa: F401
