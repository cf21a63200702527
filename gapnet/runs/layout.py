"""Names of the files in a run folder."""

from pathlib import Path

CONFIG = "config.yaml"
ENVIRONMENT = "env.json"
LOG = "log.txt"
METRICS = "metrics.json"
REPORT = "report.html"
PICTURES = "pictures.jpg"
VERDICTS = "verdicts.parquet"
CLASSES = "classes.csv"
UNREADABLE = "unreadable.txt"
TRAINED = "training.json"  # does not exist before a training has ended
SUBMISSION = "submission"
PREDICTIONS, MAPS = "predictions", "maps"  # folders with one subfolder per split
FEATURES = "features"  # of gapnet features
FEATURES_DONE = "features.json"  # does not exist before all features are written
SVM = "svm.safetensors"
WHITENING = "whitening.safetensors"
NEIGHBOURS, NEIGHBOURS_PAGE = "neighbours.parquet", "neighbours.html"
QUERIES = "queries.csv"  # scores of a retrieval by query
EMBEDDING, EMBEDDING_PAGE = "embedding.csv", "embedding.html"
CHECKPOINTS = "checkpoints"
BEST, LAST = "best", "last"  # of the checkpoints
PREVIOUS = "previous"  # the last checkpoint before the last one
LOGS = "logs"  # the folder with the files of TensorBoard and metrics.csv
CURVES = Path(LOGS, "metrics.csv")
TRACKED = Path(LOGS, "tracked.json")  # ids of the run in W&B and MLflow
POSTMORTEM = "postmortem"  # the folder with what explains a non-finite loss or gradient
DISSECTION = "dissection.json"  # of gapnet dissect; written after the tables of the layers
UNITS = "units.json"  # of gapnet units
UNIT_PICTURES = "pictures"  # the folder with the top images of units
