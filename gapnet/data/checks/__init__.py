"""Checks of a data set on disk."""
