"""Predict (network, device) and score (neither): predictions/ lies between them."""
