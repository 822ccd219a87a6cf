"""
Django's settings as the five systems have them today, without the bridge.

One application stands for all five, so it has each one's own loggers; the settings with the bridge are
`otel_bridge.demo.settings`.
"""

from otel_bridge.demo.chain import logging_config, to_console

SECRET_KEY = "for the demonstration"  # noqa: S105 - it signs nothing
# Nothing is made from the Host header here.
ALLOWED_HOSTS = ["*"]
DEBUG = False
USE_TZ = True
ROOT_URLCONF = "otel_bridge.demo.app"
INSTALLED_APPS = ["django_structlog"]
MIDDLEWARE = ["otel_bridge.demo.app.demo_user", "django_structlog.middlewares.RequestMiddleware"]

PROJECTS = ("openklant", "openzaak", "nrc", "opennotificaties", "referentielijsten", "openorganisatie")

LOGGING = logging_config()
LOGGING["loggers"] |= {name: to_console("DEBUG") for name in PROJECTS} | {"urllib3": to_console("WARNING")}

DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
# So that whoever sends a request knows its ids.
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True
DJANGO_STRUCTLOG_TRUST_UPSTREAM_CORRELATION_ID = True
