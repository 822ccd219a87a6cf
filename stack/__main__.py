"""`python -m stack`: build the servers, or run them until Ctrl-C."""

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from stack import build
from stack.cache import BuildError
from stack.process import ServerError
from stack.servers import USUAL, Ports
from stack.tools import MissingToolError
from stack.whole import Stack


def main() -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m stack", description="The Collector, Loki and Elasticsearch.")
    parser.add_argument("command", nargs="?", choices=("up", "build"), default="up")
    parser.add_argument("--ports", choices=("free", "given"), default="free", help="free ones, or the usual ones")
    parser.add_argument("--endpoints", type=Path, default=Path(".stack/endpoints.json"), metavar="FILE")
    arguments = parser.parse_args()
    try:
        if arguments.command == "build":
            _print({name: str(path) for name, path in build.everything().items()})
        else:
            _up(Stack(ports=Ports(**USUAL) if arguments.ports == "given" else None), arguments.endpoints)
    except (MissingToolError, BuildError, ServerError) as exc:
        print(exc, file=sys.stderr)  # noqa: T201 - a command line
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _up(stack: Stack, endpoints: Path) -> None:
    signal.signal(signal.SIGTERM, _interrupt)
    with stack:
        endpoints.parent.mkdir(parents=True, exist_ok=True)
        values = {**stack.endpoints(), "pid": str(os.getpid())}
        endpoints.write_text(json.dumps(values, indent=2) + "\n")
        try:
            _print(values)
            signal.pause()
        except KeyboardInterrupt:
            pass
        finally:
            endpoints.unlink(missing_ok=True)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _print(values: dict[str, str]) -> None:
    for name, value in values.items():
        print(f"{name:18} {value}", flush=True)  # noqa: T201 - a command line


if __name__ == "__main__":
    sys.exit(main())
