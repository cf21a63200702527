"""Methods that propagate gradients to the pixels."""
