"""Event dict or logging record to log record: the half that works with any OpenTelemetry provider."""
