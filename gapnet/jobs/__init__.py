"""The jobs: train, evaluate, score, ... They take plain values and objects, and need no Hydra."""

from typing import TYPE_CHECKING

from gapnet.system.lazy_names import LazyNames

if TYPE_CHECKING:
    from gapnet.jobs.evaluate_job import EvaluateJob, evaluate
    from gapnet.jobs.evaluation import Evaluation
    from gapnet.jobs.job import Run, open_job
    from gapnet.jobs.labels import LabelRule
    from gapnet.jobs.results import Results
    from gapnet.jobs.rules import Rules
    from gapnet.jobs.score_job import ScoreJob, score
    from gapnet.jobs.train_job import TrainJob, train

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

# Imported when they are first used: scoring and explaining need little of what training needs
__getattr__ = LazyNames(
    __name__,
    {
        "EvaluateJob": "gapnet.jobs.evaluate_job",
        "Evaluation": "gapnet.jobs.evaluation",
        "LabelRule": "gapnet.jobs.labels",
        "Results": "gapnet.jobs.results",
        "Rules": "gapnet.jobs.rules",
        "Run": "gapnet.jobs.job",
        "ScoreJob": "gapnet.jobs.score_job",
        "TrainJob": "gapnet.jobs.train_job",
        "evaluate": "gapnet.jobs.evaluate_job",
        "open_job": "gapnet.jobs.job",
        "score": "gapnet.jobs.score_job",
        "train": "gapnet.jobs.train_job",
    },
)
