"""Features of small data sets, by a small network of random weights."""

from tests.transfer.conftest import extract, network_file

__all__ = ["extract", "network_file"]
