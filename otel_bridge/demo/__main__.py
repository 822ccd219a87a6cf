"""`python -m otel_bridge.demo`: the demo with the stack that fits, as STACK and KEEP ask."""

import os
import sys

from otel_bridge.demo.application import ApplicationError
from otel_bridge.demo.choice import choose
from otel_bridge.demo.run import run
from otel_bridge.demo.stacks import StackError
from otel_bridge.demo.stores import StoreError


def main() -> int:
    """Run the demo and return its exit status."""
    try:
        start, why = choose(os.environ.get("STACK"))
        return run(start, why, keep=os.environ.get("KEEP", "") not in ("", "0"))
    except (ApplicationError, StackError, StoreError) as exc:
        sys.exit(f"otel-bridge demo: {exc}")
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
