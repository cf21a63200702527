"""Explains the pictures that a user names, and writes overlays and a table of boxes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePath
from typing import Literal, get_args

import torch
from PIL import Image

from gapnet.data.file_names import file_name
from gapnet.errors import GapnetError
from gapnet.explanations.box_table import Row, as_coco, as_csv, rows_of
from gapnet.explanations.explain import explain
from gapnet.explanations.explanation import Explanation
from gapnet.explanations.methods import boxer_of, method_of
from gapnet.explanations.montage import SIDE, Tile, montage, top_classes
from gapnet.explanations.picture_list import NamedPicture, list_pictures
from gapnet.explanations.shown_part import View, describe_input
from gapnet.models import catalogue
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import load
from gapnet.models.weights.hub import is_hub_name
from gapnet.system.files import write_file
from gapnet.system.progress import track
from gapnet.system.value_checks import one_of, whole_number

Format = Literal["csv", "coco"]
Figure = Literal["overlay", "top", "class"]
WRITERS = {"csv": ("boxes.csv", as_csv), "coco": ("boxes.json", as_coco)}
CLASS_COLUMNS = 4  # pictures in a row of the figure of a class
JPEG_QUALITY = 92


@dataclass(frozen=True)
class PictureJob:
    """Pictures to explain, and how.

    Args:
        images: files, folders, patterns, lists (.txt), videos, or - for standard input.
        folder: where overlays and the table are written.
        run: a run folder, a checkpoint, or an exported network.
        published: a published network, torchvision/NAME or timm/NAME, or hf-hub:OWNER/NAME, in
            place of a run.
        weights: a file of weights for it; None takes the published ones.
        classes: indices, ids or names; none are the most probable ones.
        top: number of the most probable classes.
        methods: names of saliency methods; several are drawn side by side.
        boxer: name of a boxer.
        format: of the table: csv or coco.
        figure: overlay draws one class per picture; top the picture and all its classes; class one
            class over all pictures.
        view: whole, or centre: the central part that published weights were evaluated on.
        batch_size: of images in one forward pass.
        every: of the frames of a video, one in so many is taken.
    """

    images: tuple[str, ...]
    folder: Path
    run: Path | None = None
    published: str | None = None
    weights: str | None = None
    classes: tuple[int | str, ...] = ()
    top: int = 1
    methods: tuple[str, ...] = ("cam",)
    boxer: str = "threshold20"
    format: Format = "csv"
    figure: Figure = "overlay"
    view: View = "whole"
    batch_size: int = 16
    every: int = 1

    def __post_init__(self) -> None:
        """Check the values."""
        if not self.images:
            raise GapnetError("images: name at least one picture, such as photos/*.jpg")
        if (self.run is None) == (self.published is None):
            raise GapnetError(
                f"run={self.run or 'null'}: name a network: either run=RUN (a run folder or a "
                "checkpoint) or model=timm/NAME (or torchvision/NAME, hf-hub:OWNER/NAME)"
            )
        if not self.methods:
            raise GapnetError("method=[]: name at least one, such as cam")
        for method in self.methods:
            method_of(method)
        boxer_of(self.boxer)
        one_of("format", self.format, get_args(Format))
        one_of("figure", self.figure, get_args(Figure))
        one_of("view", self.view, get_args(View))
        for name in ("top", "batch_size", "every"):
            whole_number(name, getattr(self, name), least=1)


@dataclass(frozen=True)
class PictureResults:
    """Rows of the table, where it and the pictures are, and how the network saw these."""

    rows: list[Row]
    table: Path
    folder: Path
    input: str


def predict_pictures(job: PictureJob) -> PictureResults:
    """Explain pictures and write their overlays and a table; a file is written at once or not."""
    pictures = list_pictures(job.images, every=job.every)
    first = next(pictures, None)
    if first is None:
        raise GapnetError(f"images={','.join(job.images)}: contains no picture")
    network = _network(job)
    rows: list[Row] = []
    tiles: list[Tile] = []
    for batch in _batches(first, pictures, job.batch_size):
        images = [picture.read() for picture in batch]
        by_method = [_explain(job, network, images, method) for method in job.methods]
        for number, picture in enumerate(batch):
            explanations = [results[number] for results in by_method]
            for method, explanation in zip(job.methods, explanations, strict=True):
                rows += rows_of(picture.name, method, explanation)
            tiles += _draw(job, picture.name, explanations)
    if job.figure == "class":
        _save(montage(tiles, columns=CLASS_COLUMNS), job.folder / "class.jpg")
    name, write = WRITERS[job.format]
    write_file(job.folder / name, write(rows))
    seen_as = describe_input(network, job.view)
    return PictureResults(rows, job.folder / name, job.folder, seen_as)


def _network(job: PictureJob) -> GapNet:
    if job.run is not None:
        network = load(job.run)
    elif is_hub_name(job.published):
        network = load(str(job.published))
    else:
        needs_maps = "cam" in job.methods  # a network without is refused before its weights load
        get = catalogue.published_with_class_maps if needs_maps else catalogue.published
        network = get(str(job.published), weights=job.weights)
    return network.to("cuda" if torch.cuda.is_available() else "cpu").eval()


def _explain(
    job: PictureJob, network: GapNet, images: Sequence[Image.Image], method: str
) -> list[Explanation]:
    return explain(
        network,
        images,
        job.classes or None,
        method=method,
        boxer=job.boxer,
        top=job.top,
        view=job.view,
        batch_size=job.batch_size,
    )


def _batches(
    first: NamedPicture, others: Iterator[NamedPicture], size: int
) -> Iterator[list[NamedPicture]]:
    batch = [first]
    for picture in track(others, "explaining pictures", total=None, leave=False):
        if len(batch) == size:
            yield batch
            batch = []
        batch.append(picture)
    yield batch


def _draw(job: PictureJob, name: str, explanations: Sequence[Explanation]) -> list[Tile]:
    """Write the figure of a picture; for the figure of a class return its tile instead."""
    first = explanations[0]
    if job.figure == "class":
        return [(first.overlay(side=SIDE), f"{Path(name).name} {first.scores[0]:.1%}")]
    if job.figure == "top":
        tiles = [tile for explanation in explanations for tile in top_classes(explanation)]
        _save(montage(tiles, columns=1 + len(first.labels)), _path(job, name, "top"))
    elif len(explanations) == 1:
        _save(first.overlay(), _path(job, name, job.methods[0]))
    else:
        tiles = [
            (explanation.overlay(side=SIDE), f"{method}: {explanation.names[0]}")
            for method, explanation in zip(job.methods, explanations, strict=True)
        ]
        sheet = montage([(first.image, ""), *tiles], columns=1 + len(tiles))
        _save(sheet, _path(job, name, "-".join(job.methods)))
    return []


def _path(job: PictureJob, name: str, kind: str) -> Path:
    """Return the path of a picture's figure: as the picture lies, but inside the folder."""
    inside = PurePath(*(part for part in PurePath(name).parts if part not in ("/", "..")))
    return job.folder / file_name(str(inside.with_name(f"{inside.name}.{kind}.jpg")))


def _save(picture: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = BytesIO()
    picture.save(content, format="JPEG", quality=JPEG_QUALITY)
    write_file(path, content.getbuffer())
