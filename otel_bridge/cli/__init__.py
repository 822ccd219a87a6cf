"""The `otel-bridge` command."""
