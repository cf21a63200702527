"""Features of a data set's training and test images, for jobs that need both at once."""

from pathlib import Path

from gapnet.data.loading.datamodule import DataModule
from gapnet.jobs.features import Extraction, extract
from gapnet.jobs.svm import check_same_network
from gapnet.models.gapnet import GapNet
from gapnet.runs.layout import FEATURES
from gapnet.transfer.feature_rows import Features, read_features


def split_features(
    network: GapNet, data: DataModule, extraction: Extraction, folder: Path, *, resume: bool
) -> tuple[Features, Features]:
    """Write the features of the training and the test split into a folder, and return them."""
    splits, layer = (data.source.train_split, data.source.test_split), str(extraction.layers[0])
    extract(network, data, extraction, splits, folder, resume=resume)
    training, test = (read_features(folder / FEATURES / split, [layer], layer) for split in splits)
    check_same_network(training, test)
    return training, test
