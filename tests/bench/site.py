"""
A Django application for uWSGI: a request is checked, answered, and logged three times, as the five systems do.

`BENCH_VARIANT` names how it exports. `/flush/` delivers what was logged.
"""

import json
import logging
import os
from typing import Final

import django
import structlog
from django import forms
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from tests.bench.application import exporting
from tests.bench.events import CREATED, EVENTS

# What is measured has a core of its own; threads that are started later inherit that.
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

EXPORT: Final = exporting(os.environ["BENCH_VARIANT"])
LOGGER: Final = structlog.stdlib.get_logger("openzaak.components.zaken.api.viewsets")


class Zaak(forms.Form):  # type: ignore[misc]  # Django has no types
    """What a client sends."""

    uuid = forms.UUIDField()
    identificatie = forms.CharField(max_length=40)
    vertrouwelijkheidaanduiding = forms.ChoiceField(choices=[("openbaar", "Openbaar"), ("geheim", "Geheim")])
    startdatum = forms.DateField()
    toelichting = forms.CharField(required=False)


def create(request: HttpRequest) -> HttpResponse:
    """Check a zaak, log that it was created, and answer with it."""
    form = Zaak(json.loads(request.body))
    if not form.is_valid():
        return JsonResponse(form.errors, status=400)
    zaak = {key: f"{value}" for key, value in form.cleaned_data.items()}
    LOGGER.info(CREATED, **{key: zaak[key] for key in EVENTS[CREATED].keys})
    return JsonResponse(zaak, status=201)


def flush(_request: HttpRequest) -> HttpResponse:
    """Deliver what was logged."""
    return JsonResponse({"flushed": EXPORT.flush()})


urlpatterns: Final = [path("zaken/", create), path("flush/", flush)]

logging.basicConfig(level=logging.INFO, handlers=EXPORT.handlers())
structlog.configure(
    processors=EXPORT.chain(),
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
settings.configure(
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["django_structlog"],
    LOGGING_CONFIG=None,
    MIDDLEWARE=["django_structlog.middlewares.RequestMiddleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="for the benchmark",  # noqa: S106 - it signs nothing
    USE_TZ=True,
)
django.setup()
application: Final = get_wsgi_application()
