"""Whole dissections of hand-made units."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gapnet.dissection.dissect import Dissector, Found
from gapnet.dissection.passes import CountPass
from gapnet.dissection.scores import label_units, summarise
from gapnet.errors import GapnetError
from tests.dissection.conftest import quiet_trainer

Make = Callable[..., Dissector]


def labels_of(found: Found, name: str = "trunk.units") -> list[Any]:
    return label_units(found.state.tallies[name].counts, found.state.concepts)


def test_units_that_detect_a_colour_a_texture_and_a_shape_get_these_labels(
    dissector: Make,
) -> None:
    best = [unit.best for unit in labels_of(dissector().run(quiet_trainer))]
    assert [(match.category, match.label) for match in best] == [
        ("color", "red"),
        ("color", "blue"),
        ("texture", "striped"),
        ("object", "plus"),
    ]
    assert [match.iou for match in best] == pytest.approx([1, 1, 0.92, 1], abs=0.01)


def test_rotations_have_fewer_unique_detectors(dissector: Make) -> None:
    found = dissector(rotations=3, min_iou=0.5).run(quiet_trainer)
    unique = [
        summarise(labels_of(found, units.name), found.state.concepts.categories, 0.5).unique
        for units in found.sets
    ]
    assert unique[0] == 4
    assert max(unique[1:]) < 4


def arrays_of(found: Found) -> dict[str, np.ndarray]:
    return {name: np.array(values) for name, values in found.state.arrays().items()}


def assert_same(one: Found, other: Found) -> None:
    for name, values in arrays_of(one).items():
        np.testing.assert_array_equal(values, arrays_of(other)[name], err_msg=name)


def test_kept_maps_and_a_second_pass_through_the_network_count_the_same(dissector: Make) -> None:
    kept = dissector("kept").run(quiet_trainer)
    twice = dissector("twice", keep_gb=0).run(quiet_trainer)
    assert_same(kept, twice)


def test_an_interrupted_dissection_continues_to_the_same_counts(
    dissector: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = dissector("whole").run(quiet_trainer)
    step, calls = CountPass.predict_step, []

    def stop_at_third(self: CountPass, batch: Any, batch_idx: int) -> None:
        calls.append(batch.rows)
        if len(calls) == 3:
            raise GapnetError("stopped")
        step(self, batch, batch_idx)

    monkeypatch.setattr(CountPass, "predict_step", stop_at_third)
    with pytest.raises(GapnetError, match="stopped"):
        dissector("parts", save_every=0).run(quiet_trainer)
    continued = dissector("parts").run(quiet_trainer)
    assert_same(continued, whole)
    assert calls[2:4] == [calls[2], calls[2]]  # the two batches before are not counted again


def test_a_state_of_another_network_is_an_error(dissector: Make) -> None:
    dissector("same", identity="one").run(quiet_trainer)
    with pytest.raises(GapnetError, match="resume=true"):
        dissector("same", identity="other").run(quiet_trainer)


def test_files_to_continue_from_are_deleted(dissector: Make) -> None:
    made = dissector("clean")
    made.run(quiet_trainer)
    made.clean()
    assert list(made.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ({"share": 1}, "share=1"),
        ({"rotations": -1}, "rotations=-1"),
        ({"side": 0}, "side=0"),
        ({"memory_gb": 0}, "memory_gb=0"),
    ],
)
def test_wrong_settings_are_errors(dissector: Make, settings: dict[str, Any], part: str) -> None:
    with pytest.raises(GapnetError, match=part):
        dissector(**settings)
