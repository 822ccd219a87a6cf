"""Values that raise, mislead or never end."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn


class Raises:
    """Raises from whatever Python asks of a value."""

    def __str__(self) -> str:
        raise RuntimeError("__str__")

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("__eq__")

    def __hash__(self) -> int:
        raise RuntimeError("__hash__")

    def __bool__(self) -> bool:
        raise RuntimeError("__bool__")

    def __len__(self) -> int:
        raise RuntimeError("__len__")

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError(name)


def _no_class(_: object) -> NoReturn:
    raise RuntimeError("__class__")


class NoClass:
    """Raises when it is asked what it is, as a proxy does whose object cannot be made."""

    locals()["__class__"] = property(_no_class)


class BrokenMapping(Mapping[str, Any]):
    """Has no items, although it is a mapping."""

    def __getitem__(self, key: str) -> NoReturn:
        raise RuntimeError("__getitem__")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("__iter__")

    def __len__(self) -> int:
        raise RuntimeError("__len__")

    def items(self) -> NoReturn:
        """Raise."""
        raise RuntimeError("items")


class Endless(Sequence[int]):
    """Has more items than anybody can read."""

    def __getitem__(self, index: Any) -> Any:
        return index

    def __len__(self) -> int:
        return 10**15


class UnprintableError(Exception):
    """An exception without a text."""

    def __str__(self) -> str:
        raise RuntimeError("__str__")


def raised(exc: BaseException) -> BaseException:
    """Raise *exc*, and return it with the traceback that it got."""
    try:
        raise exc  # noqa: TRY301 - for its traceback
    except BaseException as caught:  # noqa: BLE001 - whatever is given
        return caught


def caught(function: Callable[[], object]) -> BaseException:
    """Return what *function* raises."""
    try:
        function()
    except BaseException as exc:  # noqa: BLE001 - whatever it is
        return exc
    raise AssertionError(function)


def itself() -> dict[str, Any]:
    """A dict that contains itself."""
    value: dict[str, Any] = {"key": "value"}
    value["self"] = value
    return value


def deep(levels: int = 2000) -> list[Any]:
    """Lists in lists."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def laughs(levels: int = 30) -> list[Any]:
    """A billion strings, in thirty lists that share them."""
    value: list[Any] = ["ha"]
    for _ in range(levels):
        value = [value, value]
    return value
