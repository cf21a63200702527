"""Write a map of a data set: its images as points in a plane, by their features."""

import io
from dataclasses import dataclass, replace
from random import Random
from typing import Literal, get_args

import numpy as np

from gapnet.errors import GapnetError
from gapnet.jobs.feature_sets import FeatureSet, SetChoice, network_text
from gapnet.jobs.job import Run, open_job
from gapnet.jobs.neighbours import thumbnails
from gapnet.jobs.rules import MakeSource
from gapnet.retrieval.embedding import Positions, pca_positions
from gapnet.retrieval.pages import EmbeddingPage, Shown, write_embedding
from gapnet.retrieval.thumbnails import Thumbnails
from gapnet.runs.folder import short
from gapnet.runs.layout import EMBEDDING, EMBEDDING_PAGE
from gapnet.system.extras import load_extra
from gapnet.system.files import write_file
from gapnet.system.progress import track
from gapnet.system.value_checks import number, one_of, whole_number
from gapnet.text.spreadsheet import write_rows

Method = Literal["pca", "tsne"]
SIDE = 72  # pixels of a picture
FEWEST = 4  # images


@dataclass(frozen=True)
class EmbedJob:
    """A map of a data set.

    Args:
        run: where the job writes.
        features: of the images.
        source: makes their data set.
        methods: how the images are placed: pca, tsne.
        images: at most so many, chosen at random.
        pictures: at most so many of these have a picture; 0 for none.
        perplexity: of t-SNE, about the number of neighbours that matter.
        seed: of the choice and of t-SNE.
    """

    run: Run
    features: SetChoice
    source: MakeSource
    methods: tuple[Method, ...] = ("pca", "tsne")
    images: int = 2000
    pictures: int = 1000
    perplexity: float = 30.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        if not self.methods:
            raise GapnetError("methods=[]: name at least one of pca, tsne")
        for method in self.methods:
            one_of("methods", method, get_args(Method))
        whole_number("images", self.images, least=FEWEST)
        whole_number("pictures", self.pictures)
        number("perplexity", self.perplexity, least=1)
        whole_number("seed", self.seed)


def embed(settings: EmbedJob) -> list[str]:
    """Place images in a plane, and return a line that says where the map is."""
    with open_job(settings.run) as job:
        some = _drawn(settings.features.read(), settings.images, settings.seed)
        pictures = thumbnails(settings.source, some, side=SIDE)
        positions = [_positions(method, some, settings) for method in settings.methods]
        job.open(continues=False)
        write_file(job.folder / EMBEDDING, _table(some, positions, pictures))
        page = EmbeddingPage(
            title=f"Map of {some.data}, {some.split}",
            facts={
                "images": f"{len(some.features.ids):,}",
                "network": network_text(some.features.about),
                "features": f"layer {some.layer}, {some.features.vectors.shape[1]} numbers",
            },
            images=_shown(some, pictures, settings.pictures),
            labels=some.features.labels.tolist(),
            class_names=pictures.source.class_names,
            positions=positions,
        )
        write_embedding(page, job.folder / EMBEDDING_PAGE)
        return [f"map of {len(some.features.ids):,} images: {short(job.folder / EMBEDDING_PAGE)}"]


def _drawn(some: FeatureSet, most: int, seed: int) -> FeatureSet:
    """Return at most so many images, chosen at random."""
    features = some.features
    if len(features.ids) < FEWEST:
        raise GapnetError(
            f"split={some.split}: has {len(features.ids)} images; a map needs at least {FEWEST}"
        )
    rows = sorted(Random(seed).sample(range(len(features.ids)), min(most, len(features.ids))))
    drawn = replace(
        features,
        ids=[features.ids[row] for row in rows],
        vectors=features.vectors[rows],
        labels=features.labels[rows],
        label_sets=[features.label_sets[row] for row in rows],
    )
    return replace(some, features=drawn)


def _positions(method: Method, some: FeatureSet, settings: EmbedJob) -> Positions:
    vectors = some.features.vectors
    if method == "pca":
        return pca_positions(vectors)
    tsne = load_extra("gapnet.retrieval.tsne", extra="transfer")
    placed: Positions = tsne.tsne_positions(
        vectors, perplexity=settings.perplexity, seed=settings.seed
    )
    return placed


def _shown(some: FeatureSet, pictures: Thumbnails, most: int) -> list[Shown]:
    ids = some.features.ids
    chosen = set(Random(0).sample(ids, min(most, len(ids))))
    images = track(ids, "pictures", total=len(ids), leave=False)
    return [Shown(image, pictures.uri(image) if image in chosen else None) for image in images]


def _table(some: FeatureSet, positions: list[Positions], pictures: Thumbnails) -> str:
    """Return a CSV table of the positions."""
    axes = [f"{one.method.lower().replace('-', '')}_{axis}" for one in positions for axis in "xy"]
    names, labels = pictures.source.class_names, some.features.labels.tolist()
    points = np.concatenate([one.points for one in positions], axis=1).tolist()
    rows = [
        [image, names[label] if 0 <= label < len(names) else "", *(f"{x:.6g}" for x in numbers)]
        for image, label, numbers in zip(some.features.ids, labels, points, strict=True)
    ]
    text = io.StringIO()
    write_rows(text, [["id", "class", *axes], *rows], end="\n")
    return text.getvalue()
