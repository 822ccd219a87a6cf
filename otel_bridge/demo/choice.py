"""Which stack runs, and why."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

from otel_bridge.demo.stacks import StackError, Start, containers, embedded, native

KINDS: Final = ("containers", "native", "embedded")
ENGINE_SECONDS: Final = 15.0
"""How long a container engine may take to answer."""
NOTHING_ELSE: Final = "it needs nothing but Python"


def checkout() -> Path | None:
    """Return the folder of the checkout that this package runs from; `None` for an installed wheel."""
    folder = Path(__file__).resolve().parents[2]
    return folder if (folder / "stack" / "build.py").is_file() and (folder / "collector").is_dir() else None


def choose(asked: str | None) -> tuple[Start, str]:
    """
    Choose a stack: containers where an engine answers, else the native servers where they are built, else embedded.

    Args:
        asked: One of `KINDS`, which is then taken without looking further; `None` or empty to look.

    Returns:
        What starts it, and why it was chosen: the end of a sentence.

    Raises:
        StackError: *asked* is not known, or needs a checkout and there is none.
    """
    root = checkout()
    if asked:
        return _asked_for(asked, root), f"STACK={asked} asks for it"
    if root is None:
        return embedded, NOTHING_ELSE
    no_engine = _no_engine(root)
    if no_engine is None:
        return containers(root), "a container engine answers"
    if _is_built():
        return native(root), f"{no_engine}, and the native servers are built"
    return embedded, f"{no_engine}, and the native servers are not built"


def _asked_for(asked: str, root: Path | None) -> Start:
    if asked not in KINDS:
        raise StackError(f"STACK={asked} is not known; set it to {', '.join(KINDS)}, or leave it out.")
    if asked == "embedded":
        return embedded
    if root is None:
        raise StackError(f"STACK={asked} needs a checkout of otel-bridge; the installed package has `embedded`.")
    return containers(root) if asked == "containers" else native(root)


def real_ones() -> list[str]:
    """Say how to get the real servers here, and how long that takes, to whoever has seen the embedded one."""
    command = "make demo STACK=native   (about 15 minutes the first time, which builds them; then one)"
    if checkout() is None:
        return [f"in a checkout of otel-bridge: {command}"]
    from stack import build  # noqa: PLC0415 - only a checkout has it

    missing = build.missing()
    return [command, missing] if missing else [command]


def _no_engine(root: Path) -> str | None:
    """Say why containers cannot run; `None` if they can."""
    if not (root / "docker-compose.yml").is_file():
        return "there is no docker-compose.yml"
    if shutil.which("docker") is None:
        return "there is no `docker`"
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        try:
            done = subprocess.run(command, capture_output=True, timeout=ENGINE_SECONDS, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired):
            return f"`{' '.join(command)}` does not answer"
        if done.returncode != 0:
            return f"`{' '.join(command)}` fails"
    return None


def _is_built() -> bool:
    from stack import build  # noqa: PLC0415 - only a checkout has it

    return build.is_built()
