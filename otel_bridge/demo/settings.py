"""Django's settings with the bridge: in its slot of the chain, and beside the console handlers."""

import structlog

from otel_bridge import LogBridge
from otel_bridge.demo.today import *  # noqa: F403 - a settings module is its names
from otel_bridge.demo.today import LOGGING

# Events of structlog: before `format_exc_info` the exception is still whole.
processors = structlog.get_config()["processors"]
processors.insert(processors.index(structlog.processors.format_exc_info), LogBridge())

# Records of other libraries, which never pass that chain.
LOGGING["handlers"]["otel"] = {"class": "otel_bridge.LogBridgeHandler"}
for logger in LOGGING["loggers"].values():
    if "console" in logger["handlers"]:
        logger["handlers"] = [*logger["handlers"], "otel"]
