"""Explanations of single pictures: what a network sees, and where."""

from gapnet.explanations.explain import explain
from gapnet.explanations.explanation import Explanation

__all__ = ["Explanation", "explain"]
