"""Open Klant."""
