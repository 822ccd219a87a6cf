"""Settings of all five projects: those of open-api-framework, with databases that need no server."""

import os

from open_api_framework.conf.base import INSTALLED_APPS
from vng_api_common.conf.api import BASE_REST_FRAMEWORK

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["DB_NAME"],
        # Several processes write, and wait for each other.
        "OPTIONS": {"timeout": 30, "transaction_mode": "IMMEDIATE"},
    }
}
CACHES = {name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"} for name in ("default", "axes", "oidc")}
AUTH_USER_MODEL = "auth.User"
INSTALLED_APPS = [*INSTALLED_APPS, "project"]
ROOT_URLCONF = "project.urls"
REST_FRAMEWORK = {**BASE_REST_FRAMEWORK, "DEFAULT_VERSIONING_CLASS": None}
