"""Boxers, which compute boxes from a map; one per file."""
