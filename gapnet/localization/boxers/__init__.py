"""Rules that turn a map into boxes, one a file."""
