"""Open Organisatie."""
