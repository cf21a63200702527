"""Localization errors of a network on the stand-in data, if its class maps had fewer cells.

coarse_maps.py RUN [RUN ...]: averaging the features over squares of cells changes no logit and no
weight, only the maps. So the size of the maps is all that differs between the rows of the table.
Several runs are averaged; the interval is over images and runs.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gapnet.data import DataModule, shapes, whole_view
from gapnet.data.sample import Batch
from gapnet.evaluation.bootstrap import nested_interval
from gapnet.localization import Mirrored, Single, ThresholdBoxer
from gapnet.localization.crops import Crops
from gapnet.metrics.functional import best_iou, pad_lists
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import load
from gapnet.ops.boxes import leave_window
from gapnet.runs.folder import find_checkpoint
from gapnet.runs.saved_config import read_saved_config
from gapnet.saliency import Cam
from gapnet.system.progress import track

SHARES = (1.0, 0.5, 0.25, 0.125)  # of the cells on a side
VIEWS: dict[str, Crops] = {"one view": Single(), "and its mirror image": Mirrored()}
BOXER = ThresholdBoxer()
IOU = 0.5  # at which a box is right

Hits = dict[tuple[int, str], Tensor]  # by cells on a side and view: (images, thresholds)


def hits_of(run: Path) -> Hits:
    """Return in which test images the box of the true class is right, at all thresholds."""
    network = load(find_checkpoint(run, None))
    config = read_saved_config(run)["data"]
    source = shapes(**{key: value for key, value in config.items() if key != "_target_"})
    size = network.facts.input_size
    data = DataModule(source, input_size=size, view=whole_view, batch_size=50, num_workers=0)
    loader = data.loader(source.test_split)
    batches = [_batch_hits(network, batch) for batch in track(loader, str(run), total=len(loader))]
    return {key: torch.cat([hits[key] for hits in batches]) for key in batches[0]}


@torch.inference_mode()
def _batch_hits(network: GapNet, batch: Batch) -> Hits:
    hits = {}
    truth = [boxes for boxes in batch.boxes if boxes is not None]  # all of the stand-in's have some
    for name, crops in VIEWS.items():
        outputs = crops.look(network, network.normalise(batch.images))
        maps = crops.maps(Cam(), network, outputs, batch.labels[:, None])
        for share in SHARES:
            cells = max(2, round(share * maps.shape[-1]))
            boxes = torch.stack(list(_boxes(adaptive_avg_pool2d(maps, cells), batch)))
            overlaps = best_iou(boxes, pad_lists(truth), inclusive=True)
            hits[cells, name] = overlaps >= IOU
    return hits


def _boxes(maps: Tensor, batch: Batch) -> Iterator[Tensor]:
    """Yield the boxes (thresholds, 4) of every image, in pixels of its file."""
    for image_map, window, size in zip(maps, batch.windows, batch.sizes.tolist(), strict=True):
        grid = BOXER.grid((size[0], size[1]))
        (heat,) = BOXER.heat(image_map, grid)
        swept = BOXER.sweep(heat, BOXER.thresholds())
        _, first = np.unique(swept.cuts, return_index=True)
        yield leave_window(torch.from_numpy(swept.boxes[first]).float(), window, grid)


def rows(runs: Sequence[Hits]) -> Iterator[str]:
    """Yield the rows of the table: errors in percent, the mean over runs."""
    thresholds = BOXER.thresholds()
    fixed = int(np.abs(np.array(thresholds) - BOXER.cut).argmin())
    yield "| cells | view | error at 20% | oracle threshold | error at it |"
    yield "|---|---|---|---|---|"
    for cells, view in runs[0]:
        wrong = 1 - torch.stack([hits[cells, view] for hits in runs], dim=1).double()
        errors = 100 * wrong.mean((0, 1))
        low, high = nested_interval(wrong[:, :, fixed], resamples=1000, seed=0)
        best = int(errors.argmin())
        yield (
            f"| {cells} x {cells} | {view} | {errors[fixed]:.1f} ({100 * low:.1f} to "
            f"{100 * high:.1f}) | {100 * thresholds[best]:.0f}% | {errors[best]:.1f} |"
        )


if __name__ == "__main__":
    print("\n".join(rows([hits_of(Path(run)) for run in sys.argv[1:]])))
