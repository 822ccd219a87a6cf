"""Builds that are done once, into a cache outside the tree."""

import fcntl
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stack.tools import GO_ENVIRONMENT, go_version, require


class BuildError(Exception):
    """A build command failed; the message holds the command and the end of what it said."""


def cached(name: str, key: str, tool: str, purpose: str, build: Callable[[Path], None]) -> Path:
    """Return the folder of *name* in the cache; where it is not there, let *build* fill it, once over all processes."""
    if (found := find(name, key)) is not None:
        return found
    require(tool, purpose)
    with _lock(name):
        if (found := find(name, key)) is not None:  # another process has built it meanwhile
            return found
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=_cache()) as temporary:
            folder = Path(temporary) / name
            folder.mkdir()
            build(folder)
            return folder.rename(_cache() / f"{name}-{key}{go_version() if tool == 'go' else ''}")


def find(name: str, key: str) -> Path | None:
    """Return the finished build of *name*; where there is no Go, one that any version of it has built will do."""
    version = go_version()
    exact = [_cache() / f"{name}-{key}", _cache() / f"{name}-{key}{version}"]
    built = exact if version else [*exact, *_cache().glob(f"{name}-{key}-*")]
    return next((folder for folder in built if folder.is_dir()), None)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "otel-bridge"


@contextmanager
def _lock(name: str) -> Iterator[None]:
    _cache().mkdir(parents=True, exist_ok=True)
    with (_cache() / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"Another process builds {name}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(title: str, command: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
    """Run *command* and show that it advances; raises BuildError with the end of its output when it fails."""
    started = shown = time.monotonic()
    _say(f"{title} …")
    last: deque[str] = deque(maxlen=30)
    every = 2 if sys.stderr.isatty() else 30
    with subprocess.Popen(  # noqa: S603 - the commands are this module's own
        command,
        cwd=folder,
        env={**os.environ, **GO_ENVIRONMENT, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as child:
        for count, line in enumerate(child.stdout or (), 1):
            last.append(line.rstrip())
            if time.monotonic() - shown > every:
                shown = time.monotonic()
                _say(f"  {shown - started:4.0f} s, {count} steps, at {last[-1][:80]}")
    if child.returncode != 0:
        output = "\n    ".join(last)
        raise BuildError(f"{title}: `{' '.join(command)}` ended with status {child.returncode}:\n    {output}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the progress of a build is for whoever waits at the terminal
