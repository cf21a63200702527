"""Features of any layer, linear SVMs on them, and what these say about other data sets."""
