"""What the files of a run folder are called."""

CONFIG = "config.yaml"
ENVIRONMENT = "env.json"
LOG = "log.txt"
METRICS = "metrics.json"
CHECKPOINTS = "checkpoints"
BEST, LAST = "best", "last"  # of the checkpoints
