"""Which of the five systems is which, and what it runs."""

from typing import Final, NamedTuple

from otel_bridge.catalogue import shipped


class System(NamedTuple):
    """One of the five systems."""

    name: str
    """As its catalogue is called."""
    package: str
    """Of its settings, and the name of its own loggers."""
    has_celery: bool = True

    @property
    def service_name(self) -> str:
        """Its `OTEL_SERVICE_NAME`."""
        return shipped().system(self.name).service_name


SYSTEMS: Final = (
    System("open-klant", "openklant"),
    System("open-zaak", "openzaak"),
    System("open-notificaties", "nrc"),
    System("referentielijsten", "referentielijsten", has_celery=False),
    System("open-organisatie", "openorganisatie"),
)
