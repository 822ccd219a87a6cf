"""Event dict, or logging record, to log record."""
