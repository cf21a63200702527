"""Learn PCA with whitening on features, for others of the same network."""

from dataclasses import dataclass

from gapnet.jobs.feature_sets import SetChoice
from gapnet.jobs.job import Run, open_job
from gapnet.retrieval.unit_vectors import check_varied
from gapnet.retrieval.whitening import Whitening
from gapnet.runs.folder import short
from gapnet.runs.layout import WHITENING


@dataclass(frozen=True)
class WhitenJob:
    """Learning of a whitening.

    Args:
        run: where the job writes.
        features: that it learns on; by default those of the training split.
        components: how many numbers of a vector remain.
    """

    run: Run
    features: SetChoice
    components: int = 128


def whiten(settings: WhitenJob) -> list[str]:
    """Learn a whitening, and return a line that says where it is."""
    chosen = settings.features
    with open_job(settings.run) as job:
        described = chosen.described()
        layer, split = described.choose_layer(chosen.layer), chosen.split or described.train_split
        features = described.features(chosen.folder, split, layer)
        check_varied(features, layer)
        whitening = Whitening.learn(
            features, settings.components, layer=layer, data=f"{described.data}, {split}"
        )
        job.open(continues=False)
        whitening.save(job.folder / WHITENING)
        count, size = whitening.components.shape
        learned = f"{size} numbers to {count}, learned on {len(features.ids):,} images"
        return [f"{learned} of {whitening.data}: {short(job.folder / WHITENING)}"]
