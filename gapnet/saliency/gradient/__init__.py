"""Methods that map the gradient of a score with respect to the pixels."""
