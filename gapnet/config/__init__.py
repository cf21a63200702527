"""Objects and jobs made from a Hydra configuration."""
