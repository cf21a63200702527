"""Explains the pictures that a user names, and writes overlays and a table of boxes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

from PIL import Image

from gapnet.errors import GapnetError
from gapnet.explanations.box_table import Row, as_coco, as_csv, rows_of
from gapnet.explanations.explain import explain_by_methods, on_gpu
from gapnet.explanations.explanation import Explanation
from gapnet.explanations.figures import (
    CLASS_COLUMNS,
    CLASS_FIGURE,
    Figure,
    class_tile,
    draw_figure,
    figure_path,
    save_jpeg,
)
from gapnet.explanations.finished_pictures import FinishedPictures, file_state
from gapnet.explanations.methods import boxer_of, method_of
from gapnet.explanations.montage import Tile, montage
from gapnet.explanations.picture_list import NamedPicture, PictureList, list_pictures
from gapnet.explanations.shown_part import View, describe_input
from gapnet.models.gapnet import GapNet
from gapnet.models.network_choice import NetworkChoice
from gapnet.models.weights.files import find_weights
from gapnet.runs.identity import identity_digest
from gapnet.system.files import write_file
from gapnet.system.progress import track
from gapnet.system.signals import handled, raise_stopped
from gapnet.system.value_checks import one_of, whole_number
from gapnet.version import __version__

Format = Literal["csv", "coco"]
WRITERS = {"csv": ("boxes.csv", as_csv), "coco": ("boxes.json", as_coco)}
SHOWN = 5  # unreadable pictures that an error names


@dataclass(frozen=True)
class PictureJob:
    """Pictures to explain, and how.

    Args:
        images: files, folders, patterns, lists (.txt), videos, or - for standard input.
        folder: where overlays and the table are written.
        network: the network.
        classes: indices, ids or names; none are the most probable ones.
        top: number of the most probable classes.
        methods: names of saliency methods; several are drawn side by side.
        boxer: name of a boxer.
        format: of the table: csv or coco.
        figure: overlay draws one class per picture; top the picture and all its classes; class one
            class over all pictures.
        view: whole, or centre: the central part that published weights were evaluated on.
        batch_size: of images in one forward pass.
        every: 30 takes every 30th frame of a video.
    """

    images: tuple[str, ...]
    folder: Path
    network: NetworkChoice
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
            raise GapnetError("images=[]: name at least one picture, such as photos/*.jpg")
        if not self.methods:
            raise GapnetError("method=[]: name at least one method, such as cam")
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
    """Rows of the table, where it and the pictures are, and what could not be read.

    Args:
        rows: of all pictures.
        table: file of the rows.
        folder: of the pictures.
        unreadable: files and reasons.
        finished_before: number of pictures that were skipped.
        input: how the network saw the others; empty if all were skipped.
    """

    rows: list[Row]
    table: Path
    folder: Path
    unreadable: list[str]
    finished_before: int
    input: str

    def check(self) -> None:
        """Raise an error that names the pictures that could not be read."""
        if self.unreadable:
            count = len(self.unreadable)
            more = f" and {count - SHOWN} more" if count > SHOWN else ""
            raise GapnetError(
                f"{count} pictures are not in the table: {'; '.join(self.unreadable[:SHOWN])}{more}"
            )


def predict_pictures(job: PictureJob) -> PictureResults:
    """Explain pictures and write their overlays and a table, every file atomically.

    The table is also written if the job is interrupted. A repeated job skips the pictures that are
    finished, if the network, the options and the pictures are the same.
    """
    pictures = list_pictures(job.images, every=job.every, without=job.folder)
    results = _Results(job, FinishedPictures(job.folder, _key(job)))
    with handled(raise_stopped):
        try:
            _explain_pictures(job, pictures, results)
        finally:
            table = results.write_table()
    return PictureResults(
        results.in_order(),
        table,
        job.folder,
        results.unreadable,
        results.finished_before,
        results.input,
    )


@dataclass
class _Results:
    """What is known about the pictures of a job so far."""

    job: PictureJob
    finished: FinishedPictures
    rows: dict[str, list[Row]] = field(default_factory=dict)
    tiles: list[Tile] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    finished_before: int = 0
    input: str = ""

    def path(self, name: str) -> Path:
        """Return the path of a picture's figure."""
        job = self.job
        return figure_path(job.folder, name, figure=job.figure, methods=job.methods)

    def skip(self, picture: NamedPicture) -> bool:
        """Return whether a picture needs no work: it is finished or repeated."""
        if picture.name in self.rows:
            return True
        self.rows[picture.name] = []
        rows = self.finished.rows(picture.name, picture.path)
        if rows is None or self.job.figure == "class" or not self.path(picture.name).is_file():
            return False
        self.rows[picture.name] = rows
        self.finished_before += 1
        return True

    def add(self, picture: NamedPicture, explanations: Sequence[Explanation]) -> None:
        """Draw a picture, and then note its rows."""
        job = self.job
        pairs = zip(job.methods, explanations, strict=True)
        rows = [
            row
            for method, explanation in pairs
            for row in rows_of(picture.name, method, explanation)
        ]
        if job.figure == "class":
            self.tiles.append(class_tile(picture.name, explanations[0]))
        else:
            drawn = draw_figure(explanations, figure=job.figure, methods=job.methods)
            save_jpeg(drawn, self.path(picture.name))
            self.finished.add(picture.name, picture.path, rows)
        self.rows[picture.name] = rows

    def in_order(self) -> list[Row]:
        """Return all rows in the order of the pictures."""
        return [row for rows in self.rows.values() for row in rows]

    def write_table(self) -> Path:
        """Write the table, and the figure of a class, if there is anything in them."""
        name, write = WRITERS[self.job.format]
        if rows := self.in_order():
            self.job.folder.mkdir(parents=True, exist_ok=True)
            write_file(self.job.folder / name, write(rows))
        if self.tiles:
            sheet = montage(self.tiles, columns=CLASS_COLUMNS)
            save_jpeg(sheet, self.job.folder / CLASS_FIGURE)
        return self.job.folder / name


def _explain_pictures(job: PictureJob, pictures: PictureList, results: _Results) -> None:
    network: GapNet | None = None
    images = _readable(pictures, results)
    while batch := list(islice(images, job.batch_size)):
        network = network or on_gpu(job.network.load(needs_maps="cam" in job.methods))
        results.input = describe_input(network, job.view)
        explained = explain_by_methods(
            network,
            [image for _, image in batch],
            job.classes or None,
            methods=job.methods,
            boxer=job.boxer,
            top=job.top,
            view=job.view,
            batch_size=job.batch_size,
        )
        for (picture, _), explanations in zip(batch, explained, strict=True):
            results.add(picture, explanations)
    if not results.in_order():
        raise GapnetError("; ".join(results.unreadable[:SHOWN]))


def _readable(
    pictures: PictureList, results: _Results
) -> Iterator[tuple[NamedPicture, Image.Image]]:
    """Yield the pictures that need work, and note those that cannot be read."""
    shown = track(
        pictures, "explaining pictures", total=pictures.count, leave=False, unit="pictures"
    )
    for picture in shown:
        if not results.skip(picture):
            try:
                yield picture, picture.read()
            except GapnetError as error:
                results.unreadable.append(str(error).partition("; ")[0])


def _key(job: PictureJob) -> str:
    """Return a digest of all that explanations depend on, besides the files of the pictures."""
    source = job.network.source
    weights = None if source is None else find_weights(Path(source)).resolve()
    network = [str(weights), file_state(weights)] if weights is not None else []
    sizes = {"input_size": job.network.input_size, "stride": job.network.stride}
    changed = {name: size for name, size in sizes.items() if size is not None}
    options = [list(job.classes), job.top, list(job.methods), job.boxer, job.figure, job.view]
    extra = [changed] if changed else []
    return identity_digest([__version__, job.network.published, network, options, *extra])
