"""Log record to what a receiver acknowledges."""
