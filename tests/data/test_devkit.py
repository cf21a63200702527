import os
import signal
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from gapnet.data.readers import devkit
from gapnet.data.readers.devkit import (
    FIRST_IDS,
    find_devkit,
    ids_to_indices,
    read_blacklist,
    read_labels,
    read_synset_ids,
)
from gapnet.system.workers import worker_pool
from tests.refusals import refused

WHERE = Path("meta.mat")


def write_meta(
    path: Path,
    ids: dict[int, str],
    *,
    id_field: str = "ILSVRC2012_ID",
    ancestors: int = 1,
) -> Path:
    """Write the classes, and above them some ancestors, as MATLAB would."""
    names = [id_field, "WNID", "words", "num_children"]
    rows = [(id_, wnid, f"words of {wnid}", 0) for id_, wnid in ids.items()]
    rows += [(len(ids) + 1 + n, f"a{n:08d}", "ancestor", 2) for n in range(ancestors)]
    synsets = np.empty(len(rows), dtype=[(name, object) for name in names])
    for row, values in enumerate(rows):
        synsets[row] = values
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"synsets": synsets.reshape(-1, 1), "other": np.zeros(3)})
    return path


def write_devkit(
    folder: Path,
    ids: dict[int, str],
    *,
    labels: list[int] | None = None,
    blacklist: list[int] | None = None,
) -> None:
    write_meta(folder / "meta.mat", ids)
    for name, numbers in (
        ("ILSVRC2012_validation_ground_truth.txt", labels),
        ("ILSVRC2014_clsloc_validation_blacklist.txt", blacklist),
    ):
        if numbers is not None:
            (folder / name).write_text("".join(f"{each}\n" for each in numbers))


def write_numbers(path: Path, numbers: list[object]) -> Path:
    path.write_text("".join(f"{each}\n" for each in numbers))
    return path


def thousand() -> tuple[dict[int, str], list[str]]:
    """Number a thousand classes as the kit does where that is known, and else one further."""
    classes = [f"n{index:08d}" for index in range(1000)]
    known = dict(zip(FIRST_IDS, [65, 970, 230, 809, 516], strict=True))
    free = [id_ for id_ in range(1, 1001) if id_ not in known]
    left = [label for label in range(1000) if label not in known.values()]
    left = left[1:] + left[:1]
    known |= dict(zip(free, left, strict=True))
    stuck = [id_ for id_, label in known.items() if id_ - 1 == label]
    for id_, other in zip(stuck, stuck[1:] + stuck[:1], strict=True):
        known[id_] = other - 1
    return {id_: classes[known[id_]] for id_ in range(1, 1001)}, classes


def test_ids_are_read_from_matlab_without_the_ancestors(tmp_path: Path) -> None:
    path = write_meta(tmp_path / "meta.mat", {2: "n01", 1: "n02"}, ancestors=3)
    assert read_synset_ids(path) == {1: "n02", 2: "n01"}


@pytest.mark.parametrize("field", ["ILSVRC2014_ID", "ILSVRC2015_CLSLOC_ID"])
def test_the_year_of_the_kit_does_not_matter(tmp_path: Path, field: str) -> None:
    path = write_meta(tmp_path / "meta_clsloc.mat", {1: "n02"}, id_field=field, ancestors=0)
    assert read_synset_ids(path) == {1: "n02"}


def test_ids_are_read_from_text(tmp_path: Path) -> None:
    path = tmp_path / "map_clsloc.txt"
    path.write_text("n02 1 kit_fox\nn01 2\n")
    assert read_synset_ids(path) == {1: "n02", 2: "n01"}


@pytest.mark.parametrize(
    ("ids", "part"),
    [
        ({1: "n01", 3: "n02"}, 3),
        ({0: "n01", 1: "n02"}, 0),
        ({1: "n01", 2: "n01"}, "meta.mat"),
    ],
)
def test_ids_that_do_not_count_to_n_are_refused(
    tmp_path: Path, ids: dict[int, str], part: object
) -> None:
    with refused("meta.mat", part):
        read_synset_ids(write_meta(tmp_path / "meta.mat", ids, ancestors=0))


def test_a_kit_of_another_challenge_is_refused(tmp_path: Path) -> None:
    for field in ("ILSVRC2010_ID", "ILSVRC2014_DET_ID"):
        path = write_meta(tmp_path / "meta.mat", {1: "n01"}, id_field=field)
        with refused("meta.mat", "ILSVRC2012_ID", field):
            read_synset_ids(path)


def test_a_crash_of_the_reader_of_matlab_s_files_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SciPy's crashes at some bytes: it is in C, and trusts what it reads."""
    path = write_meta(tmp_path / "meta.mat", {1: "n01"})
    monkeypatch.setattr(devkit, "worker_pool", worker_pool)
    monkeypatch.setattr(devkit, "loadmat", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
    with refused("meta.mat", "synsets"):
        read_synset_ids(path)


@pytest.mark.parametrize("text", ["9" * 5000, "9" * 30, "٣"])
def test_a_number_that_makes_no_sense_is_named(tmp_path: Path, text: str) -> None:
    with refused("a.txt", "line 1"):
        read_blacklist(write_numbers(tmp_path / "a.txt", [text]), 6)
    (tmp_path / "map.txt").write_text(f"n01 {'9' * 5000} name\n")
    with refused("map.txt", "line 1"):
        read_synset_ids(tmp_path / "map.txt")


def test_what_is_no_class_list_is_named(tmp_path: Path) -> None:
    damaged = tmp_path / "meta.mat"
    damaged.write_bytes(b"MATLAB")
    with refused("meta.mat", "synsets"):
        read_synset_ids(damaged)
    savemat(damaged, {"classes": [1]})
    with refused("meta.mat", "synsets"):
        read_synset_ids(damaged)
    with refused("nowhere.mat"):
        read_synset_ids(tmp_path / "nowhere.mat")
    text = tmp_path / "map_clsloc.txt"
    text.write_text("n02 1 kit_fox\nn01 x tench\n")
    with refused("map_clsloc.txt", "line 2", "'n01 x tench'"):
        read_synset_ids(text)


def test_ids_become_the_places_of_sorted_wnids() -> None:
    ids = {1: "n02", 2: "n03", 3: "n01"}
    assert ids_to_indices(ids, ["n01", "n02", "n03"], where=WHERE) == {1: 1, 2: 2, 3: 0}


def test_a_kit_of_other_classes_is_refused() -> None:
    with refused(WHERE, "'n02'"):
        ids_to_indices({1: "n01", 2: "n02"}, ["n01", "n03"], where=WHERE)


def test_a_forgotten_conversion_of_a_thousand_classes_is_noticed() -> None:
    ids, classes = thousand()
    assert len(ids_to_indices(ids, classes, where=WHERE)) == 1000
    sorted_ids = dict(enumerate(classes, 1))
    with refused(WHERE, "ID 1"):
        ids_to_indices(sorted_ids, classes, where=WHERE)
    holder = next(id_ for id_, wnid in ids.items() if wnid == classes[0])
    ids[1], ids[holder] = ids[holder], ids[1]  # one fixed point is enough
    with refused(WHERE, "ID 1"):
        ids_to_indices(ids, classes, where=WHERE)


def test_labels_are_converted(tmp_path: Path) -> None:
    path = write_numbers(tmp_path / "truth.txt", [2, 1, 2])
    assert read_labels(path, {1: 5, 2: 7}, 3) == [7, 5, 7]


@pytest.mark.parametrize(
    ("numbers", "parts"),
    [
        ([1, 2], (2, 3)),
        ([1, 2, 3], ("line 3", 3)),
        ([1, 0, 2], ("line 2", 0)),
        ([1, "x", 2], ("line 2", "'x'")),
        ([1, -1, 2], ("line 2", "'-1'")),
    ],
)
def test_wrong_labels_are_named(tmp_path: Path, numbers: list[object], parts: tuple) -> None:
    with refused("truth.txt", *parts):
        read_labels(write_numbers(tmp_path / "truth.txt", numbers), {1: 0, 2: 1}, 3)


def test_the_first_labels_of_ilsvrc_are_known(tmp_path: Path) -> None:
    ids, classes = thousand()
    indices = ids_to_indices(ids, classes, where=WHERE)
    rest = [number % 1000 + 1 for number in range(49_995)]
    labels = read_labels(write_numbers(tmp_path / "a", [*FIRST_IDS, *rest]), indices, 50_000)
    assert labels[:5] == [65, 970, 230, 809, 516]
    with refused(tmp_path / "b", FIRST_IDS):
        read_labels(write_numbers(tmp_path / "b", [*rest, *FIRST_IDS]), indices, 50_000)
    swapped = {**indices, 490: indices[1], 1: indices[490]}
    with refused(tmp_path / "a", [65, 970, 230, 809, 516]):
        read_labels(tmp_path / "a", swapped, 50_000)


def test_a_blacklist_counts_from_one(tmp_path: Path) -> None:
    assert read_blacklist(write_numbers(tmp_path / "b.txt", [3, 1]), 3) == [2, 0]


@pytest.mark.parametrize(
    ("numbers", "count", "part"),
    [
        ([1, 4], 3, 4),
        ([0], 3, 0),
        ([1, 1], 3, 1),
        ([1.5], 3, "'1.5'"),
        (list(range(1, 1762)), 50_000, 1761),
    ],
)
def test_a_wrong_blacklist_is_named(
    tmp_path: Path, numbers: list[object], count: int, part: object
) -> None:
    with refused("b.txt", part):
        read_blacklist(write_numbers(tmp_path / "b.txt", numbers), count)


def test_ilsvrc_s_blacklist_has_its_length(tmp_path: Path) -> None:
    path = write_numbers(tmp_path / "b.txt", list(range(1, 1763)))
    assert len(read_blacklist(path, 50_000)) == 1762


@pytest.mark.parametrize(
    "place", ["devkit/data", "ILSVRC2012_devkit_t12/data", "ILSVRC2015/devkit/data", "data", ""]
)
def test_a_kit_is_found_where_it_may_lie(tmp_path: Path, place: str) -> None:
    write_devkit(tmp_path / place, {1: "n01"}, labels=[1], blacklist=[1])
    found = find_devkit(tmp_path)
    assert found is not None
    assert None not in found
    assert {path.parent for path in found if path} == {tmp_path / place}


def test_the_parts_of_two_kits_are_put_together(tmp_path: Path) -> None:
    write_devkit(tmp_path / "ILSVRC2012_devkit_t12/data", {1: "n01"}, labels=[1])
    other = tmp_path / "ILSVRC2014_devkit/data/ILSVRC2014_clsloc_validation_blacklist.txt"
    other.parent.mkdir(parents=True)
    other.write_text("1\n")
    found = find_devkit(tmp_path)
    assert found is not None
    assert found.blacklist == other
    assert found.labels is not None


def test_without_a_kit_there_is_none(tmp_path: Path) -> None:
    assert find_devkit(tmp_path) is None
