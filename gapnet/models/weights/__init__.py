"""Published and saved weights, and how networks take them."""
