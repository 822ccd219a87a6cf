"""Open Notificaties."""
