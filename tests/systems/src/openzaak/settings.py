"""The settings of Open Zaak, as far as they are about its logs."""

from open_api_framework.conf.base import *  # noqa: F403 - a settings module is its names
from project.settings import *  # noqa: F403

# Since 1.25 it logs no requests.
MIDDLEWARE.remove("django_structlog.middlewares.RequestMiddleware")  # noqa: F405
