"""Formats of predictions of other tools, one per file."""
