"""Scoring what is predicted already: by gapnet, in other tools' files, or as maps."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from gapnet.data.sources.ilsvrc import Ilsvrc
from gapnet.evaluation import predict
from gapnet.evaluation.store import Row
from tests.cli.conftest import SMALL, Command, Trained, assert_one_line
from tests.evaluation.test_protocols import smooth_map
from tests.few import few
from tests.oracles import conventions
from tests.rewritten import rewrite

FORMATS = {"devkit": "txt", "kaggle": "csv", "csv": "csv", "coco": "json"}
OF_MAPS = ("gt_known_error", "max_box_acc", "max_box_acc_v2", "whole_image_gt_known_error")


def figures(folder: Path) -> list[dict]:
    return json.loads((folder / "metrics.json").read_text())


def values(folder: Path, *metrics: str) -> dict[tuple, tuple]:
    """List value, interval, count and threshold of figures whose names begin as given."""
    return {
        (each["metric"], each["chosen_on"]): tuple(
            each[name] for name in ("value", "low", "high", "n", "threshold")
        )
        for each in figures(folder)
        if each["metric"].startswith(metrics or "")
    }


@pytest.fixture
def run(trained: Trained, tmp_path: Path) -> Path:
    whole = shutil.ignore_patterns("evaluations")
    return Path(shutil.copytree(trained.run, tmp_path / "run", ignore=whole))


@pytest.fixture
def small(shapes_root: Path) -> list[str]:
    """Name the data without a run."""
    return [*SMALL[:-1], f"data.root={shapes_root}", "loader.num_workers=0"]


@pytest.mark.parametrize(
    "name",
    few(["devkit", "coco", "kaggle", "csv"], 1),
)
def test_exported_predictions_have_the_figures_of_the_run(
    gapnet: Command, trained: Trained, small: list[str], name: str
) -> None:
    own = f"predictions={trained.run / 'predictions' / 'test'}"
    assert gapnet("export", own, f"to={name}", "folder=out").status == 0
    file = f"predictions=out/test.{FORMATS[name]}"
    outcome = gapnet("evaluate", file, *small, "folder=scored")
    assert outcome.status == 0, outcome.err
    names = ("top", "whole", "centred")
    expected = values(trained.run, *names)
    scored = values(Path("scored"), *names)
    assert len(scored) == 11
    assert [each[:4] for each in scored.values()] == [each[:4] for each in expected.values()]
    assert not values(Path("scored"), "gt_known")


@pytest.mark.slow
def test_another_tool_s_file_is_kept_and_exported_to_another_format(
    gapnet: Command, trained: Trained, small: list[str]
) -> None:
    own = f"predictions={trained.run / 'predictions' / 'test'}"
    assert gapnet("export", own, "to=kaggle", "folder=out").status == 0
    scored = ["evaluate", "predictions=out/test.csv", *small, "folder=scored"]
    assert gapnet(*scored).status == 0
    kept = "predictions=scored/predictions/test"
    outcome = gapnet("export", kept, "to=kaggle", "folder=again")
    assert outcome.status == 0, outcome.err
    assert Path("again/test.csv").read_bytes() == Path("out/test.csv").read_bytes()
    assert gapnet("export", kept, "to=coco", "folder=coco").status == 0
    assert gapnet(*scored, "resume=true").status == 0
    outcome = gapnet("evaluate", "predictions=scored", *small, "folder=twice")
    assert outcome.status == 0, outcome.err
    assert figures(Path("twice")) == figures(Path("scored"))


@pytest.mark.slow
def test_boxes_of_another_tool_need_no_image_where_xml_files_have_the_sizes(
    gapnet: Command, trained: Trained, shapes_root: Path
) -> None:
    own = f"predictions={trained.run / 'predictions' / 'test'}"
    assert gapnet("export", own, "to=csv", "folder=out").status == 0
    tree = Path(shutil.copytree(shapes_root, "tree"))
    (tree / "shapes.json").unlink()
    shutil.rmtree(tree / "ILSVRC/Data/CLS-LOC/test")
    data = ["data=ilsvrc", f"data.root={tree}", "split=test"]
    outcome = gapnet("evaluate", "predictions=out/test.csv", *data, "folder=scored")
    assert outcome.status == 0, outcome.err
    expected = [each[:4] for each in values(trained.run, "top").values()]
    assert [each[:4] for each in values(Path("scored"), "top").values()] == expected
    shutil.rmtree(tree / "ILSVRC/Annotations/CLS-LOC/test")
    outcome = gapnet("evaluate", "predictions=out/test.csv", *data, "folder=again")
    assert outcome.status == 1
    assert "SHAPES_test_00000000.JPEG: " in outcome.err.splitlines()[-1]


@pytest.mark.slow
def test_a_run_s_own_predictions_have_its_figures_in_a_folder_of_their_own(
    gapnet: Command, run: Path
) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    outcome = gapnet("evaluate", f"predictions={run}")
    assert outcome.status == 0, outcome.err
    (folder,) = (run / "evaluations").iterdir()
    assert figures(folder) == figures(run)
    assert {path: path.read_bytes() for path in before} == before
    assert not (folder / "predictions").exists()
    assert outcome.out.strip().splitlines()[-1] == f"report: {folder / 'report.html'}".replace(
        f"{Path.cwd()}/", ""
    )


@pytest.mark.slow
def test_one_split_of_a_run_s_predictions_lacks_but_the_frozen_threshold(
    gapnet: Command, run: Path
) -> None:
    assert gapnet("evaluate", f"predictions={run}/predictions/test").status == 0
    (folder,) = (run / "evaluations").iterdir()
    assert figures(folder) == [each for each in figures(run) if each["chosen_on"] != "val"]


@pytest.mark.slow
def test_another_split_of_them_is_scored(gapnet: Command, run: Path) -> None:
    own = f"predictions={run}/predictions"
    assert gapnet("evaluate", own, "split=val", "folder=scored").status == 0
    assert {(each["split"], each["n"]) for each in figures(Path("scored"))} == {("val", 12)}
    known = [who for metric, who in values(Path("scored")) if metric == "gt_known_error"]
    assert known == ["fixed", "val (oracle)"]


@pytest.mark.parametrize(
    ("arguments", "parts"),
    few(
        [
            (["predictions=nix"], ["predictions=nix: "]),
            (
                ["predictions={run}/predictions/val"],
                ["predictions={run}/predictions/val: ", "split=val"],
            ),
            (["predictions={run}", "split=train_cls"], ["predictions={run}", "train_cls"]),
            (["predictions={run}/logs"], ["predictions={run}/logs: ", "test"]),
            (["predictions={run}/log.txt"], ["log.txt: ", " 12 images"]),
            (["predictions={run}/report.html"], ["report.html: "]),
            (["predictions={run}", "maps={run}"], ["predictions", "maps"]),
            (["run={run}", "maps=nix"], ["maps=nix: "]),
            (
                ["run={run}", "maps={run}/logs"],
                ["{run}/logs: ", "12 of 12 images", "_00000000.npy"],
            ),
        ],
        2,
    ),
)
def test_a_wrong_argument_is_named_and_leaves_nothing(
    gapnet: Command, run: Path, arguments: list[str], parts: list[str]
) -> None:
    outcome = gapnet("evaluate", *(argument.format(run=run) for argument in arguments))
    assert_one_line(outcome, *(part.format(run=run) for part in parts))
    assert not (run / "evaluations").exists()
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("arguments", "parts"),
    few(
        [
            (["labels=wordnet"], ["labels=wordnet: ", "devkit, index"]),
            (["synsets=nix.mat"], ["synsets=nix.mat: "]),
            (["split=val"], ["guesses.txt: ", " 1 lines", " 12 images"]),
        ],
        1,
    ),
)
def test_a_wrong_meaning_of_labels_is_named(
    gapnet: Command, small: list[str], arguments: list[str], parts: list[str]
) -> None:
    Path("guesses.txt").write_text("1 0 0 9 9\n")
    outcome = gapnet("evaluate", "predictions=guesses.txt", *small, *arguments)
    assert_one_line(outcome, *parts)


def test_boxes_outside_their_images_are_named(gapnet: Command, small: list[str]) -> None:
    Path("guesses.txt").write_text("1 0 0 9 9\n" * 11 + "1 300 0 309 9\n")
    outcome = gapnet("evaluate", "predictions=guesses.txt", *small)
    assert_one_line(outcome, "guesses.txt: ", "[300.0, 0.0, 309.0, 9.0]", "SHAPES_test_00000011")
    assert not Path("runs").exists()


def test_predictions_of_other_classes_are_refused(
    gapnet: Command, run: Path, shapes_root: Path, tmp_path: Path
) -> None:
    tree = Path(shutil.copytree(shapes_root, tmp_path / "tree"))
    mapping = tree / "LOC_synset_mapping.txt"
    mapping.write_text("\n".join(reversed(mapping.read_text().splitlines())) + "\n")
    outcome = gapnet("evaluate", f"predictions={run}", f"data.root={tree}")
    assert_one_line(outcome, "predictions=", "3 classes", str(tree))


def test_predictions_for_other_labels_are_refused(
    gapnet: Command, run: Path, shapes_root: Path, tmp_path: Path
) -> None:
    tree = Path(shutil.copytree(shapes_root, tmp_path / "tree"))
    xml = next((tree / "ILSVRC/Annotations/CLS-LOC/test").iterdir())
    other = {"s00000000": "s00000001", "s00000001": "s00000002", "s00000002": "s00000000"}
    text = xml.read_text()
    (own,) = [name for name in other if name in text]
    xml.write_text(text.replace(own, other[own]))
    outcome = gapnet("evaluate", f"predictions={run}", f"data.root={tree}")
    assert_one_line(outcome, "predictions=", str(tree), "run=")


def test_another_rule_than_they_were_made_by_is_refused(gapnet: Command, run: Path) -> None:
    outcome = gapnet("evaluate", f"predictions={run}", "boxer.cut=0.9")
    assert_one_line(outcome, "predictions=", "run=")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    few(
        [
            (["keep_maps=0"], ["keep_maps=0: ", "native"]),
            (["keep_maps=native", "view=centre"], ["SHAPES_"]),
            (["labels=foo"], ["labels=foo: ", "devkit, index"]),
            (["trainer.devices=0"], ["trainer"]),
        ],
        1,
    ),
)
def test_what_cannot_be_done_is_said(
    gapnet: Command, run: Path, arguments: list[str], parts: list[str]
) -> None:
    outcome = gapnet("evaluate", f"run={run}", *arguments, "folder=scored")
    assert outcome.status == 1
    last = outcome.err.splitlines()[-1]
    assert all(part in last for part in parts), last


def test_predictions_that_lack_an_image_are_refused(
    gapnet: Command, run: Path, shapes_root: Path
) -> None:
    (part,) = (run / "predictions" / "test").iterdir()
    rewrite(part, lambda table: table.slice(0, 9))
    assert_one_line(gapnet("evaluate", f"predictions={run}"), "predictions=", "3 of 12 images")


@pytest.mark.slow
def test_the_devkit_s_own_numbers_are_read_with_its_list(
    gapnet: Command, trained: Trained, small: list[str]
) -> None:
    Path("map_clsloc.txt").write_text("s00000001 1 a\ns00000002 2 b\ns00000000 3 c\n")
    own = f"predictions={trained.run / 'predictions' / 'test'}"
    kit = "synsets=map_clsloc.txt"
    assert gapnet("export", own, "to=devkit", kit, "folder=out").status == 0
    scored = ["evaluate", "predictions=out/test.txt", *small]
    assert gapnet(*scored, kit, "folder=right").status == 0
    assert gapnet(*scored, "folder=wrong").status == 0  # 12 images are too few to tell
    assert values(Path("right"), "top1_e") == values(trained.run, "top1_e")
    assert values(Path("wrong"), "top1_e") != values(trained.run, "top1_e")


@pytest.fixture(scope="module")
def unlabelled(shapes_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a tree as Kaggle's, whose test split has a listing and no truth, with a devkit."""
    tree = tmp_path_factory.mktemp("kaggle") / "tree"
    shutil.copytree(shapes_root, tree)
    (tree / "shapes.json").unlink()
    shutil.rmtree(tree / "ILSVRC/Annotations/CLS-LOC/test")
    (tree / "devkit/data").mkdir(parents=True)
    kit = "s00000001 1 a\ns00000002 2 b\ns00000000 3 c\n"
    (tree / "devkit/data/map_clsloc.txt").write_text(kit)
    return tree


@pytest.mark.slow
def test_a_split_without_truth_is_predicted_for_those_who_know_it(
    gapnet: Command, run: Path, unlabelled: Path, small: list[str]
) -> None:
    data = ["data=ilsvrc", f"data.root={unlabelled}", "split=test"]
    outcome = gapnet("evaluate", f"run={run}", *data, "loader.num_workers=0", "folder=made")
    assert outcome.status == 0, outcome.err
    assert "test split" in outcome.out.splitlines()[-1]
    made = Path("made")
    names = {path.name for path in made.iterdir()}
    assert names == {"config.yaml", "env.json", "log.txt", "predictions", "submission"}
    assert {path.name for path in (made / "submission").iterdir()} == {"kaggle.csv", "devkit.txt"}
    export = gapnet("export", f"predictions={made}/predictions/test", "to=devkit", "folder=out")
    assert export.status == 0, export.err  # the predictions know the data set's numbers
    assert Path("out/test.txt").read_bytes() == (made / "submission/devkit.txt").read_bytes()
    kit = f"synsets={unlabelled}/devkit/data/map_clsloc.txt"
    for name in ("kaggle.csv", "devkit.txt"):
        assert f"submission: made/submission/{name}" in outcome.out
    file = "predictions=made/submission/devkit.txt"
    assert gapnet("evaluate", f"run={run}", file, kit, "folder=scored").status == 0
    expected = [each[:4] for each in values(run, "top").values()]
    assert [each[:4] for each in values(Path("scored"), "top").values()] == expected


@pytest.mark.slow
def test_another_tool_s_file_for_a_split_without_truth_becomes_a_submission(
    gapnet: Command, trained: Trained, unlabelled: Path
) -> None:
    own = f"predictions={trained.run / 'predictions' / 'test'}"
    assert gapnet("export", own, "to=kaggle", "folder=out").status == 0
    data = ["data=ilsvrc", f"data.root={unlabelled}", "split=test"]
    outcome = gapnet("evaluate", "predictions=out/test.csv", *data, "folder=made")
    assert outcome.status == 0, outcome.err
    assert "test split" in outcome.out.splitlines()[-1]
    again = Path("made/submission/kaggle.csv")
    assert again.read_bytes() == Path("out/test.csv").read_bytes()


def test_maps_of_a_split_without_truth_are_refused(gapnet: Command, unlabelled: Path) -> None:
    Path("maps").mkdir()
    data = ["data=ilsvrc", f"data.root={unlabelled}", "split=test"]
    outcome = gapnet("evaluate", "maps=maps", *data)
    assert outcome.status == 1
    last = outcome.err.splitlines()[-1]
    assert last.startswith("gapnet evaluate: maps=maps: ")
    assert "'test'" in last
    assert not Path("runs").exists()


@pytest.mark.slow
def test_kept_maps_score_as_the_network_s_own(
    gapnet: Command, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let the network's maps be as precise as those that are kept."""

    def rounded(row: Row, laid: predict.Laid, *rest: object) -> Row:
        return known_row(row, laid._replace(heat=laid.heat.half().float()), *rest)

    known_row = predict.known_row
    monkeypatch.setattr(predict, "known_row", rounded)
    quick = ["report.images=0", "loader.num_workers=0"]
    assert gapnet("evaluate", f"run={run}", "keep_maps=native", *quick, "folder=own").status == 0
    assert np.load("own/maps/test/SHAPES_test_00000000.npy").shape == (12, 12)
    outcome = gapnet("evaluate", f"run={run}", "maps=own/maps/test", *quick, "folder=boxed")
    assert outcome.status == 0, outcome.err
    expected = {key: each for key, each in values(Path("own"), *OF_MAPS).items() if key[1] != "val"}
    assert values(Path("boxed"), *OF_MAPS) == expected
    own, boxed = (pq.read_table(Path(name, "predictions/test")) for name in ("own", "boxed"))
    for column in ("id", "height", "width", "known_box", "window", "grid", "swept_boxes"):
        assert own[column].equals(boxed[column])


@pytest.mark.slow
def test_maps_of_validation_beside_those_of_test_freeze_the_threshold(
    gapnet: Command, small: list[str]
) -> None:
    for split in ("val", "test"):
        Path("maps", split).mkdir(parents=True)
        for place in range(12):
            array = np.random.default_rng(place).random((5, 5))
            np.save(f"maps/{split}/SHAPES_{split}_{place:08d}.npy", array)
    outcome = gapnet("evaluate", "maps=maps", *small, "folder=boxed")
    assert outcome.status == 0, outcome.err
    chosen = [who for metric, who in values(Path("boxed")) if metric == "gt_known_error"]
    assert chosen == ["fixed", "val", "test (oracle)"]
    shutil.rmtree("maps/val")
    assert gapnet("evaluate", "maps=maps", *small, "folder=alone").status == 0
    chosen = [who for metric, who in values(Path("alone")) if metric == "gt_known_error"]
    assert chosen == ["fixed", "test (oracle)"]


@pytest.mark.slow
def test_maps_that_were_interrupted_are_taken_up(gapnet: Command, small: list[str]) -> None:
    Path("maps").mkdir()
    for place in range(12):
        array = np.random.default_rng(place).random((5, 5))
        np.save(f"maps/SHAPES_test_{place:08d}.npy", array)
    arguments = ["evaluate", "maps=maps", *small, "folder=boxed"]
    assert gapnet(*arguments).status == 0
    whole = figures(Path("boxed"))
    (part,) = Path("boxed/predictions/test").iterdir()
    rewrite(part, lambda table: table.slice(0, 5))
    outcome = gapnet(*arguments, "resume=true")
    assert outcome.status == 0, outcome.err
    assert "boxing 7 maps of test" in outcome.err
    assert figures(Path("boxed")) == whole


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_map_that_makes_no_sense_is_named(
    gapnet: Command, small: list[str], workers: int
) -> None:
    Path("maps").mkdir()
    for place in range(12):
        array = np.full((2, 2), np.nan if place == 7 else 1.0)
        np.save(f"maps/SHAPES_test_{place:08d}.npy", array)
    outcome = gapnet("evaluate", "maps=maps", *small, f"loader.num_workers={workers}")
    assert outcome.status == 1
    last = outcome.err.splitlines()[-1]
    assert last.startswith("gapnet evaluate: maps/SHAPES_test_00000007.npy: ")
    assert "Traceback" not in outcome.err


@pytest.mark.slow
def test_maps_by_wsolevaluation_s_rules_have_its_figures(
    gapnet: Command, small: list[str], shapes_root: Path
) -> None:
    records, rng = Ilsvrc(shapes_root).records("test"), np.random.default_rng(3)
    maps = [smooth_map(rng, conventions.SIDE) for _ in records]
    Path("maps").mkdir()
    for record, array in zip(records, maps, strict=True):
        np.save(f"maps/{record.id}.npy", array)
    rules = ["boxer=wsol", "boxer.interval=0.05", "protocol=wsol"]
    outcome = gapnet("evaluate", "maps=maps", *small, *rules, "folder=boxed")
    assert outcome.status == 0, outcome.err
    normal = [conventions.normalised(each) for each in maps]
    truths = [record.boxes.tolist() for record in records]
    arguments = (normal, [(48, 48)] * len(maps), truths)
    accuracy, cut = conventions.max_box_acc(*arguments, interval=0.05)
    found = values(Path("boxed"), "max_box_acc")
    assert found["max_box_acc", "test (oracle)"][0] == pytest.approx(accuracy, abs=1e-12)
    assert found["max_box_acc", "test (oracle)"][-1] == pytest.approx(cut)
    second = conventions.max_box_acc_v2(*arguments, interval=0.05)
    assert found["max_box_acc_v2", "test (oracle)"][0] == pytest.approx(second, abs=1e-12)
    assert 0 < second < 1
