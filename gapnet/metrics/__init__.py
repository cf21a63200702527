"""Verdicts, one per image, and error rates from them."""
