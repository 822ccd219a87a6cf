"""Open Zaak."""
