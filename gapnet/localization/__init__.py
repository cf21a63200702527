"""From maps to boxes to guesses."""
