"""Published and saved weights, read and put into networks."""
