"""What the libraries beneath a transport must not say meanwhile: at DEBUG, `hpack` writes headers, tokens included."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

LOGGERS: Final = ("hpack.hpack", "hpack.table", "urllib3.connection")
"""Those that write headers or URLs: `hpack` 4.2 leaves out the value of a header that is never indexed, but not its
Huffman code. What else the application does with these libraries is logged as before."""

_now: Final = ContextVar("otel_bridge_quiet", default=False)


@contextmanager
def quiet() -> Iterator[None]:
    """Log nothing on `LOGGERS` meanwhile, in this context; a decorator too."""
    before = _now.set(True)
    try:
        yield
    finally:
        _now.reset(before)


def _is_loud(_record: logging.LogRecord) -> bool:
    return not _now.get()


for _name in LOGGERS:
    logging.getLogger(_name).addFilter(_is_loud)
