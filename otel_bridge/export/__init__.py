"""Log record to acknowledged by the Collector: the half that exports."""
