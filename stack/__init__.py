"""
The real servers without containers: built once into a cache, started, asked, stopped.

- `stack.build`: the Collector, Loki and Elasticsearch, from manifest to executable; `stack.tools` is what that needs,
  `stack.cache` where it is kept.
- `stack.process`: one child process that never outlives its parent.
- `stack.servers`: how each of the three is started, and how one knows that it is ready.
- `stack.whole`: the three together, on ports of their own.
- `stack.clients`: what a test or a demonstration asks of Loki and Elasticsearch.

`python -m stack` runs them until Ctrl-C. Not part of the wheel.
"""

from stack.clients import Elasticsearch, Entry, Loki, QueryError
from stack.process import ServerError
from stack.tools import MissingToolError
from stack.whole import Stack

__all__ = ["Elasticsearch", "Entry", "Loki", "MissingToolError", "QueryError", "ServerError", "Stack"]
