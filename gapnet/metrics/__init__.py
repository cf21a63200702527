"""A verdict per image, and what they sum to."""
