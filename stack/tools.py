"""The tools that the builds and the servers need: Go, Maven, Java."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

JDK: Final = 21
"""The oldest Java that Elasticsearch 9 starts with."""

GO_ENVIRONMENT: Final = {"GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}

ALTERNATIVE: Final = "install it, or run the servers in containers with `docker compose up`"


class MissingToolError(Exception):
    """A tool that a build needs is not installed; the message is one sentence with its name and the alternative."""


def java_home() -> Path:
    """
    Return the home of a Java that Elasticsearch accepts: of JAVA_HOME, of /usr/lib/jvm (newest first), of PATH.

    Raises:
        MissingToolError: There is none.
    """
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    homes += sorted(Path("/usr/lib/jvm").glob("*"), key=_java_version, reverse=True)
    if java := shutil.which("java"):
        homes.append(Path(java).resolve().parent.parent)
    for home in homes:
        if _java_version(home) >= JDK:
            return home
    raise MissingToolError(f"Elasticsearch needs a JDK of {JDK} or newer, and none was found: {ALTERNATIVE}.")


def _java_version(home: Path) -> int:
    """Return the major version of the Java in *home*; 0 if there is none."""
    release = home / "release"
    found = re.search(r'^JAVA_VERSION="(\d+)', release.read_text(), re.MULTILINE) if release.is_file() else None
    return int(found[1]) if found and (home / "bin" / "java").is_file() else 0


@cache
def go_version() -> str:
    """Return what stands for the installed Go in the name of a build, such as `-go1.26.8`; empty without Go."""
    go = shutil.which("go")
    if go is None:
        return ""
    answer = subprocess.run(  # noqa: S603 - a fixed command
        [go, "env", "GOVERSION"], env={**os.environ, **GO_ENVIRONMENT}, capture_output=True, text=True, check=True
    )
    return f"-{answer.stdout.strip()}"


def require(tool: str, purpose: str) -> None:
    """Raise MissingToolError, which says what *tool* is for, where it is not on the PATH."""
    if shutil.which(tool) is None:
        raise MissingToolError(f"{purpose}, and there is no `{tool}` on the PATH: {ALTERNATIVE}.")
