"""
Faults: real processes that log, real receivers that misbehave, and what arrived compared with what was logged.

* `receiver`: OTLP receivers that do what a script says, and count what they accepted.
* `programs`: what runs in the processes under test; they write down what they log, before and after each call.
* `runner`: starts programs, ends them, and reads what they wrote down.
"""

from otel_bridge.export.provider import LoggerProvider

__all__ = ["LoggerProvider"]
