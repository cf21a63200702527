"""Predict (network, device) and score (neither): predictions/ lies between them."""

from gapnet.evaluation.protocols import Protocol, together

__all__ = ["Protocol", "together"]
