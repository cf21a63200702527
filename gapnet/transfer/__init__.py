"""Features of any layer, linear SVMs on them, and their metrics."""
