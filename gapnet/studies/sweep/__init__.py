"""Summary of a Hydra multirun."""

from gapnet.studies.sweep.callback import Summary

__all__ = ["Summary"]
