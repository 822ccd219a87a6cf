"""A YAML file as plain values, and the questions that are asked of them."""

from collections.abc import Collection, Hashable, Mapping
from pathlib import Path
from typing import TypeVar

import yaml

from otel_bridge.catalogue.model import CatalogueError

_Name = TypeVar("_Name", bound=str)


class _Loader(yaml.SafeLoader):
    """Safe, refuses a mapping that has a key twice, and leaves timestamps the strings that they are in a log."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:  # noqa: FBT001, FBT002 (PyYAML's signature)
        names = [self.construct_object(key, deep=deep) for key, _ in node.value]
        for (key, _), name in zip(node.value, names, strict=True):
            if names.count(name) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{name!r} stands here twice", key.start_mark)
        return super().construct_mapping(node, deep=deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path: Path) -> Mapping[str, object]:
    """
    Load a YAML file.

    Raises:
        CatalogueError: It cannot be read, is no YAML, has a key twice, or is no mapping.
    """
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 (a SafeLoader)
    except (OSError, UnicodeDecodeError) as exc:
        raise CatalogueError(f"{path}: cannot be read ({exc}); give the path of a YAML file in UTF-8") from exc
    except yaml.YAMLError as exc:
        raise CatalogueError(
            f"{path.name}: is not valid YAML: {' '.join(str(exc).split())}; correct that line"
        ) from exc
    return mapping(document, path.name)


def mapping(value: object, where: str) -> Mapping[str, object]:
    """
    Expect a mapping of names.

    Raises:
        CatalogueError: *value* is something else.
    """
    if not isinstance(value, dict):
        raise CatalogueError(f"{where}: is {value!r}; write a mapping of names to values")
    for name in value:
        if not isinstance(name, str) or not name:
            raise CatalogueError(f"{where}: has the name {name!r}; write a name that is text, in quotes if need be")
    return value


def fields(value: object, where: str, *, required: Collection[str], optional: Collection[str]) -> Mapping[str, object]:
    """
    Expect a mapping with certain fields.

    Raises:
        CatalogueError: *value* is no mapping, a field is missing, or one is unknown.
    """
    document = mapping(value, where)
    for name in required:
        if name not in document:
            raise CatalogueError(f"{where}: has no `{name}`; add it")
    for name in document:
        if name not in required and name not in optional:
            known = ", ".join((*required, *optional))
            raise CatalogueError(f"{where}: has the unknown field `{name}`; the known ones are: {known}")
    return document


def text(value: object, where: str) -> str:
    """
    Expect text that is not empty.

    Raises:
        CatalogueError: *value* is something else.
    """
    if not isinstance(value, str) or not value.strip():
        raise CatalogueError(f"{where}: is {value!r}; write some text, in quotes if need be")
    return value.strip()


def flag(value: object, where: str) -> bool:
    """
    Expect a boolean.

    Raises:
        CatalogueError: *value* is something else.
    """
    if not isinstance(value, bool):
        raise CatalogueError(f"{where}: is {value!r}; write true or false")
    return value


def names(value: object, where: str) -> list[object]:
    """
    Expect a list.

    Raises:
        CatalogueError: *value* is something else.
    """
    if not isinstance(value, list):
        raise CatalogueError(f"{where}: is {value!r}; write a list of names, such as [uuid, client_id]")
    return value


def choice(value: object, allowed: Collection[_Name], where: str) -> _Name:
    """
    Expect one of *allowed*.

    Raises:
        CatalogueError: *value* is something else.
    """
    for name in allowed:
        if name == value:
            return name
    raise CatalogueError(f"{where}: is {value!r}; write one of: {', '.join(allowed)}")
