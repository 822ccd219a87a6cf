"""Virtual environments with a Python and releases of one's choice."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from tests.matrix.peers import Peers

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "build" / "matrix"
PYPROJECT: Final = ROOT / "pyproject.toml"
EXTRAS: Final = ".[cli,django,grpc,sdk]"


@cache
def interpreter(version: str) -> str | None:
    """Return a Python of *version*, such as `3.13`; `None` where there is none."""
    asked = f"import sys, venv; sys.exit('%d.%d' % sys.version_info[:2] != {version!r})"
    for candidate in _candidates(version):
        # pyenv has commands that only say that they are not there.
        if subprocess.run([candidate, "-c", asked], capture_output=True, check=False).returncode == 0:  # noqa: S603
            return candidate
    return None


def _candidates(version: str) -> Iterator[str]:
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from (found for found in (shutil.which(f"python{version}"),) if found)
    yield from (f"{found}" for found in sorted(pyenv.glob(f"versions/{version}.*/bin/python")))


def environment(peers: Peers) -> Path:
    """Return the Python of an environment with *peers*, as pip resolves them for a user; it is kept for later."""
    python = interpreter(peers.python)
    assert python is not None, f"there is no Python {peers.python}"
    folder = FOLDER / f"{peers}"
    made, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists() or ready.stat().st_mtime < PYPROJECT.stat().st_mtime:
        _do(python, "-m", "venv", "--clear", "--without-pip", folder)
        pip = (sys.executable, "-m", "pip", "--python", made, "install", "--quiet")
        _do(*pip, "--group", "test", "--editable", EXTRAS, *peers.requirements)
        ready.touch()
    return made


def _do(*command: str | Path) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.returncode == 0, done.stdout + done.stderr
