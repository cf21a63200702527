"""Training with Lightning."""

from gapnet.training.callbacks import MovingAverage, StopEarly
from gapnet.training.checkpoint import Best
from gapnet.training.classifier import Classifier
from gapnet.training.logger_choice import Mlflow, TensorBoard, Wandb
from gapnet.training.optim import OptimRecipe
from gapnet.training.step_watch import Watch

__all__ = [
    "Best",
    "Classifier",
    "Mlflow",
    "MovingAverage",
    "OptimRecipe",
    "StopEarly",
    "TensorBoard",
    "Wandb",
    "Watch",
]
