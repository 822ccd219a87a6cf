"""Programs that print figures; nothing here is a timed test."""
