"""What is installed beside otel-bridge."""

from itertools import combinations
from typing import Final, NamedTuple

NEWEST: Final = "*"


class Peers(NamedTuple):
    """One set of releases: the first numbers of each, or `NEWEST`."""

    python: str
    opentelemetry: str
    structlog: str
    django: str

    @property
    def requirements(self) -> list[str]:
        """What a user tells pip who pins these; it finds the rest."""
        wanted = {"opentelemetry-sdk": self.opentelemetry, "structlog": self.structlog, "django": self.django}
        return [f"{package}=={release}.*" for package, release in wanted.items() if release != NEWEST]

    def __str__(self) -> str:
        named = (self.python, self.opentelemetry, self.structlog, self.django)
        return "-".join("newest" if release == NEWEST else release for release in named)


OLDEST: Final = Peers("3.11", "1.36", "24.1", "4.2")

PAIRWISE: Final = (
    OLDEST,
    Peers("3.13", "1.36", NEWEST, "5.2"),
    Peers("3.12", "1.36", "24.1", NEWEST),
    Peers("3.12", "1.38", NEWEST, "4.2"),
    Peers("3.11", "1.38", NEWEST, "5.2"),
    Peers("3.13", "1.38", "24.1", NEWEST),
    Peers("3.11", NEWEST, NEWEST, "4.2"),
    Peers("3.12", NEWEST, "24.1", "5.2"),
    Peers("3.13", NEWEST, NEWEST, NEWEST),
)
"""Every release beside every release of each other library, and on every Python that it is made for."""
LATEST: Final = Peers("3.14", NEWEST, NEWEST, NEWEST)

IMPOSSIBLE: Final = {("3.11", NEWEST), ("3.13", "4.2")}
"""Pythons that a Django is not made for: https://docs.djangoproject.com/en/stable/faq/install/."""


def uncovered() -> set[tuple[str, str, str, str]]:
    """Return pairs, each a field and its release and another one, that no set of `PAIRWISE` has and that may be."""
    found = {pair for peers in PAIRWISE for pair in _pairs(peers)}
    releases = {field: {getattr(peers, field) for peers in PAIRWISE} for field in Peers._fields}
    return {
        (one, first, other, second)
        for one, other in combinations(Peers._fields, 2)
        for first in releases[one]
        for second in releases[other]
        if (one, first, other, second) not in found
        and not ((one, other) == ("python", "django") and (first, second) in IMPOSSIBLE)
    }


def _pairs(peers: Peers) -> set[tuple[str, str, str, str]]:
    return {(one, first, other, second) for (one, first), (other, second) in combinations(peers._asdict().items(), 2)}
