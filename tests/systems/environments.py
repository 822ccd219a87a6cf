"""Virtual environments with what the systems pin, and otel-bridge installed into them as operators do."""

import hashlib
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

from tests.systems.catalogue import System

ROOT: Final = Path(__file__).parents[2]
PINS: Final = Path(__file__).parent / "pins"


def pinned(system: System) -> str:
    """Return the interpreter of an environment with what *system* pins; it is made once."""
    own = PINS / f"{system.name}.txt"
    return _environment(own if own.exists() else PINS / "others.txt")


@cache
def _environment(pins: Path) -> str:
    key = hashlib.sha256(pins.read_bytes()).hexdigest()[:12]
    folder = ROOT / "build" / f"systems-{pins.stem}-{key}"
    python, complete = folder / "bin" / "python", folder / "complete"
    if not complete.exists():
        _run(sys.executable, "-m", "venv", "--clear", folder)
        _run(python, "-m", "pip", "install", "--quiet", "--requirement", pins)
        complete.touch()
    _run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", ROOT)
    return str(python)


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True)  # noqa: S603 - the tests' own
