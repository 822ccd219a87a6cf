"""Where the projects answer."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from project import views

router = SimpleRouter()
router.register("tabellen", views.Tabellen)

urlpatterns = [
    path("", include(router.urls)),
    path("events/", views.Events.as_view()),
    path("uncaught/", views.Uncaught.as_view()),
    path("tasks/", views.Tasks.as_view()),
    path("outgoing/", views.outgoing),
    path("broken/", views.broken),
    path("ref/", include("vng_api_common.urls")),
]
