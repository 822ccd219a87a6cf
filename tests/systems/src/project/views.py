"""What is asked of the projects. The libraries log; only `Events` logs by itself, what the manuals document."""

import os

import requests
from django.http import HttpRequest, HttpResponse
from notifications_api_common.kanalen import Kanaal
from notifications_api_common.viewsets import NotificationViewSetMixin
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from otel_bridge.catalogue import shipped
from otel_bridge.demo.app import log
from project import tasks
from project.models import Tabel


class TabelSerializer(serializers.HyperlinkedModelSerializer):
    """A table as JSON."""

    class Meta:
        """Which fields it has."""

        model = Tabel
        fields = ("url", "code", "naam")


class Tabellen(NotificationViewSetMixin, viewsets.ModelViewSet):
    """The API: what is wrong is an `api.handled_exception`, what is done is notified by a task."""

    queryset = Tabel.objects.order_by("pk")
    serializer_class = TabelSerializer
    notifications_kanaal = Kanaal("tabellen", main_resource=Tabel)


class Events(APIView):
    """Logs every event that the manual of the system names."""

    def get(self, _request: Request) -> Response:
        """Log them."""
        system = shipped().system(os.environ["SYSTEM"])
        for event in system.documented:
            log(system, event)
        return Response({"logged": len(system.documented)})


class Uncaught(APIView):
    """Raises what the API does not handle."""

    def get(self, _request: Request) -> Response:
        """Divide by zero."""
        return Response(1 / 0)


class Tasks(APIView):
    """Has tasks run."""

    def post(self, request: Request) -> Response:
        """Enqueue one of each."""
        number = int(request.query_params["number"])
        for task in (tasks.succeed, tasks.fail, tasks.retry):
            task.delay(number)
        return Response({"enqueued": number})


def outgoing(request: HttpRequest) -> HttpResponse:
    """Ask another server."""
    return HttpResponse(requests.get(request.GET["url"], timeout=10).text)


def broken(request: HttpRequest) -> HttpResponse:
    """Raise outside the API."""
    raise KeyError(request.path)
