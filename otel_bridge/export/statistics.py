"""What the exporter says of its records, in numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Statistics:
    """
    What became of this process's records, at one moment.

    `created + adopted == exported + rejected + sum(dropped.values()) + waiting`, at every moment: each is counted
    where it happens, and none is computed from the others.

    Attributes:
        created: Records that were emitted.
        adopted: Records that a process which is gone left in the spool, and this one took over.
        exported: Records that the receiver acknowledged.
        rejected: Records that the receiver refused for good.
        dropped: Records that were given up, by reason and range of severity: `("buffer full", "INFO")`.
        waiting: Records in the buffer or on their way.
        waiting_bytes: What they take.
        spooled: How many of them are in the spool as well.
    """

    created: int = 0
    adopted: int = 0
    exported: int = 0
    rejected: int = 0
    dropped: Mapping[tuple[str, str], int] = field(default_factory=dict)
    waiting: int = 0
    waiting_bytes: int = 0
    spooled: int = 0
