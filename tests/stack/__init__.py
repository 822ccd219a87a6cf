"""The real Collector, Loki and Elasticsearch."""
