"""The version of gapnet."""

__version__ = "0.1.0"
