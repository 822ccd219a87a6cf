"""A small Django application, an OTLP receiver with a store, and what asks the stores."""
