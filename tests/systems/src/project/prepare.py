"""Makes the database: `python -m project.prepare URL`, where URL is the API that is notified."""

import sys

import django
from django.db import connection

django.setup()

from log_outgoing_requests.models import OutgoingRequestsLog, OutgoingRequestsLogConfig  # noqa: E402
from notifications_api_common.models import NotificationsConfig  # noqa: E402
from simple_certmanager.models import Certificate  # noqa: E402
from zgw_consumers.constants import APITypes, AuthTypes  # noqa: E402
from zgw_consumers.models import Service  # noqa: E402

from project.models import Tabel  # noqa: E402

MODELS = (Tabel, Certificate, Service, NotificationsConfig, OutgoingRequestsLogConfig, OutgoingRequestsLog)
"""What is read and written here. Other models of these libraries have types of PostgreSQL's own."""

# Several processes write.
connection.cursor().execute("PRAGMA journal_mode=wal")
with connection.schema_editor() as editor:
    for model in MODELS:
        editor.create_model(model)
service = Service.objects.create(
    slug="notificaties", api_type=APITypes.nrc, api_root=sys.argv[1], auth_type=AuthTypes.no_auth
)
NotificationsConfig.objects.create(
    notifications_api_service=service,
    notification_delivery_max_retries=1,
    notification_delivery_retry_backoff=1,
    notification_delivery_base_factor=1,
)
# To save one asks Celery to undo that later.
OutgoingRequestsLogConfig.objects.bulk_create([OutgoingRequestsLogConfig(pk=1)])
