"""
Installs otel-bridge as soon as structlog is imported, in every interpreter where `OTEL_BRIDGE_AUTO` is `true`.

The wheel puts this module into site-packages, and beside it a `.pth` file that imports it where the variable is set:
https://docs.python.org/3/library/site.html. Nothing is imported here that an interpreter has not loaded at its start;
so not `typing` either, whose `TYPE_CHECKING` type checkers know by its name.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any


class _Loader:
    """Loads a module as *loader* does, and calls *then* when it has run."""

    def __init__(self, loader: Loader, then: Callable[[], object]) -> None:
        self._loader = loader
        self._then = then

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def exec_module(self, module: ModuleType) -> None:
        # Whoever asks the module later, for its resources perhaps, finds the loader that it would have had.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        try:
            self._then()
        except Exception as exc:  # noqa: BLE001 - the application's import must not fail for it
            sys.stderr.write(f"otel-bridge is not installed: {type(exc).__name__}: {exc}.\n")


class _Finder:
    """
    Finds the module *name* as the other finders do, and calls *then* when it has run.

    https://docs.python.org/3/reference/import.html#the-meta-path
    """

    def __init__(self, name: str, then: Callable[[], object]) -> None:
        self._name = name
        self._then = then

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self._name:
            return None
        found = (finder.find_spec(name, path, target) for finder in sys.meta_path if finder is not self)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._then)  # type: ignore[assignment]  # it behaves like one
        return spec


def _structlog_is_there() -> None:
    # Where the bridge itself has asked for structlog, it is not yet ready to be installed.
    if "otel_bridge" not in sys.modules:
        import otel_bridge  # noqa: F401, PLC0415


def _bridge_is_there() -> None:
    from otel_bridge.integrations import auto  # noqa: PLC0415

    auto.start()


def _begin() -> None:
    """Wait for structlog and the bridge, or install at once where they are there already."""
    if "structlog" in sys.modules:
        _bridge_is_there()
    else:
        sys.meta_path.insert(0, _Finder("otel_bridge", _bridge_is_there))
        sys.meta_path.insert(0, _Finder("structlog", _structlog_is_there))


# What `otel_bridge.export.default.is_disabled` asks is asked here too: nothing of the package may be imported for it.
_wanted = os.environ.get("OTEL_BRIDGE_AUTO", "").strip().lower()
if _wanted == "true":
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() != "true":
        _begin()
elif _wanted not in ("", "false"):
    sys.stderr.write(f"OTEL_BRIDGE_AUTO={_wanted!r} is not known, and taken as false; set it to true or false.\n")
