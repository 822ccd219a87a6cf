"""Listens to what happens to the tables."""

from typing import TYPE_CHECKING

import structlog
from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save

if TYPE_CHECKING:
    from project.models import Tabel

logger = structlog.stdlib.get_logger("referentielijsten.api.signals")


class Referentielijsten(AppConfig):
    """Logs from the signals of models."""

    name = "referentielijsten"

    def ready(self) -> None:
        """Connect the signals."""
        post_save.connect(_saved, sender="project.Tabel", weak=False)
        post_delete.connect(_deleted, sender="project.Tabel", weak=False)


def _saved(*, instance: "Tabel", created: bool, **_: object) -> None:
    event = "tabel_created" if created else "tabel_updated"
    logger.info(event, id=instance.pk, code=instance.code, naam=instance.naam)


def _deleted(*, instance: "Tabel", **_: object) -> None:
    logger.info("tabel_deleted", id=instance.pk, code=instance.code, naam=instance.naam)
