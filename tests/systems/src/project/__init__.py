"""What the five projects share."""
