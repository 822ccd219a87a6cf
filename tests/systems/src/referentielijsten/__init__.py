"""Referentielijsten."""
