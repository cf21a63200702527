"""The page's scripts compute what the library computes; node runs them."""

import json
import shutil
import subprocess
from importlib.resources import files
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from gapnet.evaluation.breakdown import break_down
from gapnet.evaluation.overlaps import framed_truth, guess_overlaps
from gapnet.evaluation.protocols import Protocol
from gapnet.localization.boxers.threshold import ThresholdBoxer
from gapnet.metrics.functional import PaddedBoxes
from gapnet.ops.boxes import clip, leave_window
from gapnet.report.gallery_data import rules_of
from gapnet.report.gallery_image import CELLS, Explained, reduced, to_levels
from tests.report.pages import random_maps

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node, which runs the scripts, is not here")
MAPS, CUTS = 200, 20
ROUNDING = 2e-6  # of values from 0 to 1, in single precision
GRIDS = [(7, 7), (14, 14), (10, 13), (1, 5)]
WINDOWS = [(0.0, 0.0, 90.0, 61.0), (12.0, 0.0, 76.0, 64.0), (-10.5, 3.25, 71.5, 85.25)]
SIZE = (80, 90)  # height and width of the images


def run_scripts(code: str, data: object, *names: str) -> Any:
    """Return the JSON that code prints, with the scripts and `data` before it."""
    scripts = [
        files("gapnet.report").joinpath("scripts", f"{name}.js").read_text() for name in names
    ]
    program = "\n".join([f"const data = {json.dumps(data)};", *scripts, code])
    done = subprocess.run(
        [str(NODE), "-"], input=program, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


def explained(maps: Tensor, window: tuple[float, ...]) -> Explained:
    return Explained([0], [1.0], list(range(len(maps))), maps, window, {})


def safe_cuts(heat: Tensor, *, seed: int) -> list[float]:
    """Return thresholds that no pixel is so near to that rounding decides."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.rand(3 * CUTS, generator=generator).double()
    values = heat.double().flatten().sort().values
    sides = (drawn - ROUNDING, drawn + ROUNDING)
    below, up_to = (torch.searchsorted(values, side) for side in sides)
    cuts = drawn[below == up_to][:CUTS].sort().values.tolist()
    assert len(cuts) == CUTS
    return cuts


@pytest.mark.parametrize(("connectivity", "count"), [(8, MAPS), (4, 20)])
def test_boxes_are_the_library_s_for_200_maps_at_20_thresholds(
    connectivity: Any, count: int
) -> None:
    boxer, cases, expected = ThresholdBoxer(connectivity=connectivity), [], []
    for number in range(count):
        window = WINDOWS[number % len(WINDOWS)]
        maps = random_maps(1, *GRIDS[number % len(GRIDS)], seed=number)
        values = to_levels(maps[0]).values().float()[None]
        grid = tuple(round(window[side + 2] - window[side]) for side in (1, 0))
        heat = boxer.heat(values, grid)[0]
        cuts = safe_cuts(torch.from_numpy(heat), seed=number)
        cells = torch.from_numpy(boxer.sweep(heat, cuts).boxes).float()
        pixels = clip(leave_window(cells, torch.tensor(window), grid), torch.tensor(SIZE))
        expected.append(pixels)
        cases.append({"explained": explained(maps, window).json(), "cuts": cuts})
    code = f"""
    const boxes = data.map(({{ explained, cuts }}) => {{
      const grid = gridOver(explained.window);
      const heat = normalise(resize(mapOf(explained, 0), explained.grid, grid));
      return cuts.map((cut) => toPixels(
        largestBox(heat, grid, cut, {int(connectivity == 8)}), explained.window, grid, [90, 80]));
    }});
    console.log(JSON.stringify(boxes));"""
    boxes = torch.tensor(run_scripts(code, cases, "maps", "boxes"))
    torch.testing.assert_close(boxes, torch.stack(expected), atol=1e-4, rtol=0)


def test_a_map_without_positive_values_has_the_whole_view_as_its_box() -> None:
    case = explained(torch.full((1, 3, 3), -1.0), (0, 0, 9, 9)).json()
    code = """
    const heat = normalise(resize(mapOf(data, 0), data.grid, [9, 9]));
    console.log(JSON.stringify(largestBox(heat, [9, 9], 0.2, 1)));"""
    assert run_scripts(code, case, "maps", "boxes") == [0, 0, 8, 8]


def test_eight_bits_move_a_value_by_at_most_half_a_level() -> None:
    (heat,) = random_maps(1, 14, 14, seed=3)
    levels = to_levels(heat)
    step = (heat.max() - heat.min()).item() / 255
    assert (levels.values() - heat).abs().max().item() <= step / 2 + 1e-6


def test_large_maps_are_reduced_to_means_of_cells() -> None:
    maps = torch.arange(4.0 * CELLS * CELLS).view(1, 2 * CELLS, 2 * CELLS)
    small = reduced(maps)
    assert small.shape == (1, CELLS, CELLS)
    assert small[0, 0, 0].item() == maps[0, :2, :2].mean().item()


@pytest.mark.parametrize("frame", ["file", "wsol", "tscam", "psol", "adl"])
@pytest.mark.parametrize("inclusive", [True, False])
def test_overlaps_and_verdicts_are_the_library_s(*, frame: str, inclusive: bool) -> None:
    protocol = Protocol(frame=frame, inclusive=inclusive)
    generator = torch.Generator().manual_seed(0)
    corners = (torch.rand(300, 3, 2, 2, generator=generator) * 79).round().sort(2).values
    boxes, sizes = corners.flatten(2), torch.tensor([SIZE]).expand(300, 2).double()
    truth = PaddedBoxes(boxes[:, 1:], torch.ones(300, 2, dtype=torch.bool))
    labels = torch.arange(300) % 2
    guesses = SimpleNamespace(labels=torch.zeros(300, 1).long(), boxes=boxes[:, :1].double())
    predictions: Any = SimpleNamespace(guesses=guesses, sizes=sizes)
    overlaps = guess_overlaps(predictions, truth, protocol)[:, 0]
    right = protocol.right(overlaps)
    kinds = break_down(predictions, labels, truth, protocol, right=right)
    expected = [next((name for name in kinds if kinds[name][row]), "right") for row in range(300)]
    images = [
        {"size": [90, 80], "label": label, "framed": framed}
        for label, framed in zip(
            labels.tolist(), framed_truth(truth, sizes, protocol).xyxy.tolist(), strict=True
        )
    ]
    data = {"rules": rules_of(protocol), "images": images, "boxes": boxes[:, 0].tolist()}
    code = """
    console.log(JSON.stringify(data.images.map((image, row) => [
      bestOverlap(data.boxes[row], image, data.rules),
      kindOf(0, data.boxes[row], image, data.rules)])));"""
    computed = run_scripts(code, data, "boxes", "verdicts")
    assert [kind for _, kind in computed] == expected
    assert torch.allclose(torch.tensor([row[0] for row in computed]).double(), overlaps, atol=1e-6)
