"""Train, evaluate and look into class-activation-map networks."""

__version__ = "0.1.0"
