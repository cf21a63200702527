"""On which images runs agree."""

from pathlib import Path

import pyarrow as pa
import pytest
import torch

from gapnet.errors import GapnetError
from gapnet.evaluation.agreement import (
    Agreement,
    Counts,
    choose_compared,
    read_agreement,
    verdict_kinds,
)
from gapnet.evaluation.compare import write_verdicts
from gapnet.evaluation.ground_truth import SplitTruth
from gapnet.evaluation.verdicts import Verdict

LOCALIZATION = "top1_localization_error"


def right_of(*patterns: tuple[str, int]) -> torch.Tensor:
    """Return verdicts of runs, such as "10" if only the first is right, so many times."""
    columns = [[bit == "1" for bit in bits] for bits, count in patterns for _ in range(count)]
    return torch.tensor(columns).T


def test_images_on_which_runs_disagree_come_first_and_in_turn() -> None:
    right = right_of(("11", 20), ("10", 4), ("00", 20), ("01", 10))
    chosen = right[:, choose_compared(right, 20)].T.tolist()
    assert chosen[:8] == [[False, True], [True, False]] * 4
    assert chosen[8:14] == [[False, True]] * 6
    assert chosen[14:] == [[False, False], [True, True]] * 3


def test_of_three_runs_every_pattern_of_verdicts_has_its_turn() -> None:
    patterns = ["001", "010", "011", "100", "101", "110"]
    right = right_of(*((bits, 3) for bits in patterns), ("111", 9))
    chosen = right[:, choose_compared(right, 6)].T.int().tolist()
    assert ["".join(map(str, bits)) for bits in chosen] == patterns


def test_the_choice_is_the_same_every_time_and_holds_no_image_twice() -> None:
    right = right_of(("11", 5), ("10", 4), ("01", 3))
    assert sorted(choose_compared(right, 99)) == list(range(12))
    assert choose_compared(right, 7) == choose_compared(right, 99)[:7]


def test_kinds_are_the_errors_of_the_first_guess_and_none_where_an_image_does_not_count() -> None:
    columns = {f"p/{LOCALIZATION}": [0.0, 1, 1, None]}
    for kind in ("wrong_class", "several", "part", "more", "elsewhere"):
        columns[f"p/{LOCALIZATION}/{kind}"] = [0.0, kind == "part", kind == "wrong_class", None]
    table = pa.table({name: pa.array(values, pa.float64()) for name, values in columns.items()})
    assert verdict_kinds(table, "p", LOCALIZATION) == ["right", "part", "wrong_class", None]


@pytest.mark.parametrize(
    ("metric", "kind"), [("top1_error", "wrong_class"), ("gt_known_error", "elsewhere")]
)
def test_without_localization_of_guesses_another_metric_judges(metric: str, kind: str) -> None:
    assert verdict_kinds(pa.table({f"p/{metric}": [0.0, 1.0]}), "p", metric) == ["right", kind]


def test_images_that_do_not_count_in_a_run_are_neither_counted_nor_chosen() -> None:
    kinds = [["right", "right", None, "part"], ["right", "part", "right", "right"]]
    agreement = Agreement(list("abcd"), kinds, "data", "test", "p", LOCALIZATION)
    assert agreement.counts(0, 1) == Counts(both=1, only_a=1, only_b=1, none=0)
    assert sorted(agreement.choose(9)) == [0, 1, 3]


def write(path: Path, ids: list[str], **values: list[float]) -> Path:
    labels = torch.tensor([int(image) for image in ids])
    truth = SplitTruth(ids, labels, None, torch.zeros(len(ids), dtype=torch.bool))
    rows = torch.ones(len(ids), dtype=torch.bool)
    verdicts = [Verdict(name, torch.tensor(column), rows) for name, column in values.items()]
    write_verdicts(truth, {"p": verdicts}, path, data="drawn", split="test")
    return path


def test_images_in_another_order_are_matched_by_their_ids(tmp_path: Path) -> None:
    a = write(tmp_path / "a", ["0", "1", "2"], top1_error=[0, 1, 1])
    b = write(tmp_path / "b", ["2", "0", "1"], top1_error=[0, 1, 1])
    agreement = read_agreement([a, b])
    assert agreement.right.tolist() == [[True, False, False], [False, False, True]]
    assert (agreement.data, agreement.split, agreement.protocol) == ("drawn", "test", "p")


def test_runs_without_a_common_metric_of_single_images_are_refused(tmp_path: Path) -> None:
    a = write(tmp_path / "a", ["0"], top1_error=[0])
    b = write(tmp_path / "b", ["0"], max_box_acc=[0])
    with pytest.raises(GapnetError, match="no common metric"):
        read_agreement([a, b])
