"""Predictions of a network, written to predictions/, and metrics computed from them."""

from gapnet.evaluation.protocols import Protocol, together

__all__ = ["Protocol", "together"]
