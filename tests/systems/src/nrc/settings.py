"""The settings of Open Notificaties, as far as they are about its logs."""

from open_api_framework.conf.base import *  # noqa: F403 - a settings module is its names
from project.settings import *  # noqa: F403
