"""Summary of a Hydra multirun."""
