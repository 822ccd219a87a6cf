"""What the API of the projects is about."""

from django.db import models


class Tabel(models.Model):
    """A table of reference data; of the five systems Referentielijsten has it."""

    code = models.CharField(max_length=20)
    naam = models.CharField(max_length=100)
