"""Similar images by their features: neighbours, whitening, retrieval benchmarks, and pictures."""
