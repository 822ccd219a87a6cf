"""Django's settings with the bridge: one line more than without."""

from otel_bridge import install
from otel_bridge.demo.today import *  # noqa: F403 - a settings module is its names
from otel_bridge.demo.today import LOGGING

install(LOGGING)
