"""
The event catalogue: every event that the five systems document, machine-readable. It describes, and runs nowhere.

`model`
    what a catalogue holds: systems, events, keys
`reading`
    YAML files to a catalogue, whether ours or a user's; `documents` and `examples` check what they say
`attributes`
    what the mapping makes of the keys, and what the stores call that
`rendering`, `pages`
    what is generated from a catalogue: for the servers, and for readers
`open-klant.yaml`, `open-zaak.yaml`, `open-notificaties.yaml`, `referentielijsten.yaml`, `open-organisatie.yaml`
    one system each, in the order of its manual
`common.yaml`
    the keys that all share, and what the libraries log that they have in common

Reading needs PyYAML, which the extra `otel-bridge[cli]` brings.
"""

from otel_bridge.catalogue.model import Catalogue, CatalogueError, Event, Group, Key, KeyType, KnownFrom, System
from otel_bridge.catalogue.reading import catalogue, read, shipped

__all__ = [
    "Catalogue",
    "CatalogueError",
    "Event",
    "Group",
    "Key",
    "KeyType",
    "KnownFrom",
    "System",
    "catalogue",
    "read",
    "shipped",
]
