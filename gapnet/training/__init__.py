"""Training with Lightning."""

from gapnet.training.callbacks import MovingAverage, StopEarly
from gapnet.training.checkpoint import Best
from gapnet.training.classifier import Classifier
from gapnet.training.optim import OptimRecipe
from gapnet.training.step_watch import Watch

__all__ = ["Best", "Classifier", "MovingAverage", "OptimRecipe", "StopEarly", "Watch"]
