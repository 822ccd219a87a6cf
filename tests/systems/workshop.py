"""Where projects are made."""

import shutil
import sys
from functools import cache
from itertools import count
from pathlib import Path

from tests.systems.catalogue import SYSTEMS, System
from tests.systems.outside import Outside
from tests.systems.running import NO_WAY, Project, Way


class Workshop:
    """
    Makes projects, each with a database of its own.

    Args:
        folder: Where they are made.
        outside: Whom they notify, and send their traces.
    """

    def __init__(self, folder: Path, outside: Outside) -> None:
        self.outside = outside
        self._folder = folder
        self._numbers = count()
        self._database = cache(self._prepare)

    def make(
        self,
        system: System,
        endpoint: str,
        way: Way = NO_WAY,
        environ: dict[str, str] | None = None,
        python: str = sys.executable,
    ) -> Project:
        """
        Make a project.

        Args:
            system: Of which system.
            endpoint: Where it sends its logs.
            way: How the bridge gets into it.
            environ: What else is particular.
            python: The interpreter of the environment in which it runs.
        """
        made = self._database(python)
        folder = self._new(system.package)
        for file in made.parent.glob(f"{made.name}*"):
            shutil.copy(file, folder)
        told = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.outside.url,
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": f"{endpoint}/v1/logs",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        }
        return Project(system, folder, way, {**told, **(environ or {})}, python)

    def _prepare(self, python: str) -> Path:
        return Project(SYSTEMS[0], self._new("database"), python=python).prepare(self.outside.url)

    def _new(self, name: str) -> Path:
        folder = self._folder / f"{name}-{next(self._numbers)}"
        folder.mkdir()
        return folder
