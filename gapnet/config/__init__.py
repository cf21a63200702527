"""From a Hydra configuration to objects and jobs."""
