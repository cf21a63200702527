"""Neighbours, whitening, retrieval and maps, from features of small data sets."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from gapnet.data import Folder, RetrievalImages
from gapnet.data.sample import Source
from gapnet.jobs.embed import EmbedJob, embed
from gapnet.jobs.feature_sets import SetChoice
from gapnet.jobs.features import FeatureFolder
from gapnet.jobs.job import Run
from gapnet.jobs.neighbours import NeighboursJob, neighbours
from gapnet.jobs.retrieve import RetrieveJob, retrieve
from gapnet.jobs.whiten import WhitenJob, whiten
from tests.refusals import refused
from tests.retrieval.benchmarks import (
    IMAGES,
    PLACES,
    write_holidays,
    write_oxford,
    write_places,
    write_revisited,
)
from tests.transfer.conftest import Extract

Metrics = dict[str, dict[str, Any]]


@pytest.fixture
def places(tmp_path: Path) -> Source:
    """Write a folder of images for each colour, which is the class."""
    write_places(tmp_path / "places" / "test")
    return Folder(tmp_path / "places", train_split="test", select_split="test", held_out=0)


@pytest.fixture
def place_features(extract: Extract, places: Source) -> Path:
    return extract("gap", source=lambda: places)


def metrics_in(folder: Path) -> Metrics:
    rows = json.loads((folder / "metrics.json").read_text())
    return {f"{row['protocol']}/{row['metric']}": row for row in rows}


def job_of(kind: Callable[..., Any], folder: Path, source: Source, **changes: Any) -> Any:
    """Return a job on the features in a folder."""
    run = Run(folder.parent / kind.__name__, runs=folder.parent)
    values: dict[str, Any] = {"source": lambda: source} | changes
    if kind is NeighboursJob:
        values = {"query_source": values["source"]} | values
    if kind in (NeighboursJob, RetrieveJob):
        base = values.pop("base", SetChoice(folder))
        values |= {"base": base, "queries": values.get("queries", SetChoice(folder))}
    else:
        values = {"features": SetChoice(folder)} | values
    return kind(run=run, **values)


def test_images_of_one_place_are_neighbours(place_features: Path, places: Source) -> None:
    job = job_of(NeighboursJob, place_features, places, count=IMAGES - 1, pictures=4)
    assert any("neighbours.html" in line for line in neighbours(job))
    table = pq.read_table(job.run.folder / "neighbours.parquet").to_pydict()
    for image, others in zip(table["id"], table["neighbours"], strict=True):
        _, place, _ = image.split("/")
        assert {other.split("/")[1] for other in others} == {place}
        assert image not in others
    assert (np.diff(np.array(table["similarities"])) <= 0).all()
    metrics = metrics_in(job.run.folder)
    accuracy = metrics["neighbours/nearest_neighbour_accuracy"]
    assert (accuracy["value"], accuracy["n"]) == (1, len(PLACES) * IMAGES)
    assert metrics["neighbours/mean_precision_at_4"]["value"] == 1
    page = (job.run.folder / "neighbours.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 4 * IMAGES
    assert (page.count(">same class<"), page.count(">other class<")) == (4 * (IMAGES - 1), 0)
    assert not re.search(r"(src|href)=.?http", page)


def test_chosen_queries_are_searched(place_features: Path, places: Source) -> None:
    image = "test/red/red_000003.png"
    job = job_of(NeighboursJob, place_features, places, ids=(image,), count=2)
    neighbours(job)
    assert pq.read_table(job.run.folder / "neighbours.parquet")["id"].to_pylist() == [image]
    with refused("queries=test/red/other.png"):
        neighbours(job_of(NeighboursJob, place_features, places, ids=("test/red/other.png",)))


def test_names_are_escaped_and_no_markup_of_a_name_is_shown(
    extract: Extract, tmp_path: Path
) -> None:
    name = "<img src=x onerror=alert(1)>&'</script>\u202e"
    root = tmp_path / "places"
    for number in range(4):
        path = root / "test" / name.replace("/", "-") / f"{number}<b>.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (30, 30), (60 * number, 90, 9)).save(path)
    source = Folder(root, train_split="test", select_split="test", held_out=0)
    folder = extract("gap", source=lambda: source)
    for kind, go in ((NeighboursJob, neighbours), (EmbedJob, embed)):
        changes = {"methods": ("pca",)} if kind is EmbedJob else {}
        job = job_of(kind, folder, source, **changes)
        go(job)
        (path,) = job.run.folder.glob("*.html")
        page = path.read_text()
        assert "<img src=x" not in page
        assert "<b>.png" not in page
        assert "\u202e" not in page


def test_oxford_is_scored_and_its_queries_are_crops(extract: Extract, tmp_path: Path) -> None:
    source = RetrievalImages(write_oxford(tmp_path / "oxford"), rules="oxford", ground_truth="gt")
    folder = extract("gap", source=lambda: source)
    whole = RetrievalImages(source.root, rules="oxford", ground_truth="gt", crop_queries=False)
    uncropped = extract("gap", name="whole", source=lambda: whole)
    crops, images = (
        FeatureFolder.read(one).features(one, "query", "gap") for one in (folder, uncropped)
    )
    assert crops.ids == images.ids == ["blue_1", "green_1", "red_1"]
    assert not np.allclose(crops.vectors, images.vectors)
    job = job_of(RetrieveJob, folder, source, expand=2)
    retrieve(job)
    metrics = metrics_in(job.run.folder)
    assert {name: row["value"] for name, row in metrics.items()} == {
        "oxford/mean_average_precision": 1
    }
    rows = list(csv.DictReader((job.run.folder / "queries.csv").open()))
    assert [row["query"] for row in rows] == crops.ids
    page = job_of(NeighboursJob, folder, source, base=SetChoice(folder, split="base"), count=3)
    neighbours(page)
    assert metrics_in(page.run.folder) == {}


@pytest.mark.parametrize(("rules", "expected"), [("revisited", 12), ("holidays", 1)])
def test_other_benchmarks_are_scored(
    extract: Extract, tmp_path: Path, rules: Any, expected: int
) -> None:
    write, truth = {
        "revisited": (write_revisited, "gnd_roxford5k.pkl"),
        "holidays": (write_holidays, None),
    }[rules]
    source = RetrievalImages(write(tmp_path / "data"), rules=rules, ground_truth=truth)
    folder = extract("gap", source=lambda: source)
    job = job_of(RetrieveJob, folder, source)
    retrieve(job)
    metrics = metrics_in(job.run.folder)
    assert len(metrics) == expected
    assert metrics[max(metrics)]["n"] == 3
    assert all(row["value"] == 1 for row in metrics.values())


def test_data_with_classes_is_scored_by_them(place_features: Path, places: Source) -> None:
    job = job_of(RetrieveJob, place_features, places)
    retrieve(job)
    metrics = metrics_in(job.run.folder)
    assert metrics["classes/mean_average_precision"]["value"] == 1
    assert metrics["classes/mean_average_precision"]["n"] == len(PLACES) * IMAGES


def test_whitened_features_are_searched(place_features: Path, places: Source) -> None:
    learning = WhitenJob(
        Run(place_features.parent / "white", runs=place_features.parent),
        SetChoice(place_features),
        components=3,
    )
    (line,) = whiten(learning)
    assert "24 numbers to 3" in line
    chosen = SetChoice(
        place_features, whitening=learning.run.folder / "whitening.safetensors", split="test"
    )
    job = job_of(RetrieveJob, place_features, places, base=chosen, queries=chosen)
    retrieve(job)
    (rules,) = {row["rules"] for row in metrics_in(job.run.folder).values()}
    assert "3 numbers whitened" in rules


def test_a_map_has_every_image_and_its_class(place_features: Path, places: Source) -> None:
    job = job_of(EmbedJob, place_features, places, perplexity=3, pictures=5)
    embed(job)
    page = (job.run.folder / "embedding.html").read_text()
    content = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert content is not None
    data = json.loads(content[1])
    assert [one["name"] for one in data["methods"]] == ["PCA", "t-SNE"]
    assert len(data["images"]) == len(data["labels"]) == len(PLACES) * IMAGES
    assert sum(uri is not None for _, uri in data["images"]) == 5
    rows = list(csv.DictReader((job.run.folder / "embedding.csv").open()))
    assert rows[0].keys() == {"id", "class", "pca_x", "pca_y", "tsne_x", "tsne_y"}
    points = np.array([[float(row["pca_x"]), float(row["pca_y"])] for row in rows])
    centres = {place: points[[row["class"] == place for row in rows]].mean(0) for place in PLACES}
    for row, point in zip(rows, points, strict=True):
        assert (
            min(centres, key=lambda place: np.linalg.norm(centres[place] - point)) == (row["class"])
        )


def test_features_that_do_not_fit_are_one_line(
    extract: Extract, place_features: Path, places: Source, tmp_path: Path
) -> None:
    other = extract("trunk.1", name="other", source=lambda: places)
    with refused(f"query_features={other}", "layer"):
        neighbours(job_of(NeighboursJob, place_features, places, queries=SetChoice(other)))
    source = RetrievalImages(write_oxford(tmp_path / "oxford"), rules="oxford", ground_truth="gt")
    with refused("split=base", place_features):
        retrieve(job_of(RetrieveJob, place_features, source))
    with refused("test", "base", "query"):
        neighbours(job_of(NeighboursJob, place_features, source, base=SetChoice(place_features)))
    with refused("perplexity=30"):
        embed(job_of(EmbedJob, place_features, places))
    with refused("layer=trunk.9"):
        embed(job_of(EmbedJob, place_features, places, features=SetChoice(other, "trunk.9")))


def test_features_of_another_network_are_refused(
    place_features: Path, places: Source, tmp_path: Path
) -> None:
    copy = tmp_path / "copy" / "features" / "test"
    copy.mkdir(parents=True)
    for part in (place_features / "features" / "test").glob("*.parquet"):
        table = pq.read_table(part)
        metadata = dict(table.schema.metadata)
        text = metadata[b"gapnet"].replace(b'"weights": "', b'"weights": "0')
        pq.write_table(
            table.replace_schema_metadata(metadata | {b"gapnet": text}), copy / part.name
        )
    (copy.parents[1] / "features.json").write_bytes((place_features / "features.json").read_bytes())
    with refused("copy"):
        neighbours(
            job_of(NeighboursJob, place_features, places, queries=SetChoice(copy.parents[1]))
        )


def test_constant_features_are_refused(extract: Extract, tmp_path: Path) -> None:
    root = tmp_path / "grey" / "test" / "a"
    root.mkdir(parents=True)
    for number in range(4):
        Image.new("RGB", (30, 30), (90, 90, 90)).save(root / f"{number}.png")
    source = Folder(tmp_path / "grey", train_split="test", select_split="test", held_out=0)
    folder = extract("gap", source=lambda: source)
    for kind, go in ((NeighboursJob, neighbours), (RetrieveJob, retrieve), (EmbedJob, embed)):
        with refused("layer=gap", "4"):
            go(job_of(kind, folder, source))
