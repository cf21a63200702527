"""The jobs: train, evaluate, score. They take plain values and objects, and need no Hydra."""

from gapnet.jobs.evaluate import EvaluateJob, evaluate
from gapnet.jobs.evaluation import Evaluation, Rules
from gapnet.jobs.job import Run, open_job
from gapnet.jobs.labels import LabelRule
from gapnet.jobs.results import Results
from gapnet.jobs.score import ScoreJob, score
from gapnet.jobs.train import TrainJob, train

__all__ = [
    "EvaluateJob",
    "Evaluation",
    "LabelRule",
    "Results",
    "Rules",
    "Run",
    "ScoreJob",
    "TrainJob",
    "evaluate",
    "open_job",
    "score",
    "train",
]
