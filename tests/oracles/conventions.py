"""What the published evaluators of weakly supervised localization compute, rule by rule.

"wsol" is wsolevaluation, "tscam" TS-CAM, "psol" PSOL and "adl" the tensorpack version of ADL, each
as it treats ImageNet. Sizes are (height, width), boxes x1, y1, x2, y2.
"""

import cv2
import numpy as np
import numpy.typing as npt

from tests.oracles.boxes import Box

Array = npt.NDArray[np.float64]
IntBox = tuple[int, int, int, int]
Guess = tuple[int, Box]  # (label, box in the evaluator's own frame)

SIDE = 224  # the frame of all four
RESIZED = 256  # PSOL and ADL stretch to this square, then keep its middle 224
BORDER = (RESIZED - SIDE) // 2
OVERLAPS_V2 = (0.3, 0.5, 0.7)
FOREGROUND, IGNORED = 1, 255


def normalised(scoremap: npt.ArrayLike) -> Array:
    """Shift the least value to 0 and scale the greatest to 1, in 64 bits (wsolevaluation).

    A map with any NaN and a map of one value become all zeros.
    """
    values = np.array(scoremap, np.float64)
    if np.isnan(values).any() or values.min() == values.max():
        return np.zeros(values.shape)
    values -= values.min()
    return values / values.max()


def wsol_true_box(box: Box, size: tuple[int, int], side: int = SIDE) -> IntBox:
    """Scale a true box to the square frame as wsolevaluation does: x * side / width, cut to int.

    Both corners are cut towards zero alike, so that the last column is not rounded outwards;
    nothing is clipped to the frame.

    Args:
        box: in original pixels, used as annotated.
        size: (height, width) of the original.
        side: of the frame.
    """
    height, width = size
    x1, y1, x2, y2 = (float(edge) for edge in box)
    return (
        int(x1 * side / width),
        int(y1 * side / height),
        int(x2 * side / width),
        int(y2 * side / height),
    )


def wsol_boxes(scoremap: npt.ArrayLike, threshold: float) -> tuple[IntBox, list[IntBox]]:
    """Box a map of values in [0, 1] at one threshold as wsolevaluation does.

    The map becomes 8 bits by cutting 255 * value; pixels strictly above int(threshold * maximum)
    count, the maximum being that of the 8-bit map. Contours are OpenCV's in RETR_TREE, so that the
    rims of holes are contours too, and 8-connected. A contour's box is its bounding rectangle's
    x, y, x + width, y + height, the far corner clipped to the map's last pixel: one pixel too far
    but at the map's edge. Without any contour the one box is 0, 0, 0, 0.

    Returns:
        The box of the contour of the greatest cv2.contourArea (the polygon through the pixel
        centres, 0 for a line; the first of equals), and the boxes of all contours.
    """
    grey = (np.asarray(scoremap, np.float64) * 255).astype(np.uint8)
    cut = int(threshold * int(grey.max()))
    above = np.where(grey > cut, 255, 0).astype(np.uint8)
    contours = cv2.findContours(above, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)[-2]
    if not contours:
        return (0, 0, 0, 0), [(0, 0, 0, 0)]
    areas = [cv2.contourArea(contour) for contour in contours]
    boxes = [_clipped(cv2.boundingRect(contour), shape=grey.shape) for contour in contours]
    return boxes[areas.index(max(areas))], boxes


def _clipped(rectangle: tuple[int, int, int, int], *, shape: tuple[int, int]) -> IntBox:
    """Turn x, y, width, height into corners, the far one not beyond the last pixel."""
    x, y, width, height = (int(value) for value in rectangle)
    return x, y, min(x + width, shape[1] - 1), min(y + height, shape[0] - 1)


def inclusive_iou(a: Box, b: Box) -> float:
    """Divide intersection by union, sides counted as x2 - x1 + 1 (wsol, TS-CAM, ADL)."""
    return _ratio(a, b, extra=1)


def exclusive_iou(a: Box, b: Box) -> float:
    """Divide intersection by union, sides counted as x2 - x1, never negative (PSOL)."""
    return _ratio(a, b, extra=0)


def _ratio(a: Box, b: Box, *, extra: int) -> float:
    """Divide intersection by union; 0 where the union is empty."""
    common = (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3]))
    shared, area_a, area_b = (_area(box, extra=extra) for box in (common, a, b))
    union = area_a + area_b - shared
    return float(shared / union) if union > 0 else 0.0


def _area(box: Box, *, extra: int) -> float:
    """Multiply the sides, none below 0."""
    return max(box[2] - box[0] + extra, 0) * max(box[3] - box[1] + extra, 0)


def max_box_acc(
    maps: list[npt.ArrayLike],
    sizes: list[tuple[int, int]],
    true_boxes: list[list[Box]],
    *,
    interval: float,
    side: int = SIDE,
) -> tuple[float, float]:
    """Find the best share of images, over one threshold for all, whose largest contour's box hits.

    A hit is an IoU of at least 0.5, inclusive, with any true box, in the square integer frame.
    The thresholds are np.arange(0, 1, interval).

    Args:
        maps: (side, side) each, in [0, 1].
        sizes: (height, width) of the originals.
        true_boxes: of each image, in original pixels.
        interval: between thresholds.
        side: of the frame.

    Returns:
        The accuracy in [0, 1] and the lowest threshold that reaches it.
    """
    best, best_threshold = -1.0, 0.0
    truths = _square_truths(sizes, true_boxes, side=side)
    for threshold in np.arange(0, 1, interval):
        right = 0
        for scoremap, boxes in zip(maps, truths, strict=True):
            largest, _ = wsol_boxes(scoremap, threshold)
            right += max(inclusive_iou(largest, box) for box in boxes) >= 0.5
        if right / len(maps) > best:
            best, best_threshold = right / len(maps), float(threshold)
    return best, best_threshold


def max_box_acc_v2(
    maps: list[npt.ArrayLike],
    sizes: list[tuple[int, int]],
    true_boxes: list[list[Box]],
    *,
    interval: float,
    side: int = SIDE,
) -> float:
    """Average, over IoU 0.3, 0.5 and 0.7, the best accuracy where any contour's box may hit.

    For each IoU the threshold is chosen anew; the box of any contour, holes' rims included, may
    meet any true box. The arguments are those of `max_box_acc`; the result is in [0, 1].
    """
    thresholds = np.arange(0, 1, interval)
    truths = _square_truths(sizes, true_boxes, side=side)
    overlaps = np.zeros((len(maps), len(thresholds)))
    for image, (scoremap, boxes) in enumerate(zip(maps, truths, strict=True)):
        for column, threshold in enumerate(thresholds):
            _, boxes_of_map = wsol_boxes(scoremap, threshold)
            overlaps[image, column] = max(inclusive_iou(a, b) for a in boxes_of_map for b in boxes)
    best = [(overlaps >= level).mean(axis=0).max() for level in OVERLAPS_V2]
    return float(sum(best) / len(best))


def _square_truths(
    sizes: list[tuple[int, int]], true_boxes: list[list[Box]], *, side: int
) -> list[list[IntBox]]:
    """Put every image's true boxes into the square frame."""
    pairs = zip(sizes, true_boxes, strict=True)
    return [[wsol_true_box(box, size, side) for box in boxes] for size, boxes in pairs]


def loaded_mask(
    image: npt.ArrayLike, size: tuple[int, int] = (SIDE, SIDE)
) -> npt.NDArray[np.bool_]:
    """Resize a grey mask by cv2's nearest neighbour and keep the values above 0.5, so any from 1.

    Args:
        image: (H, W), the values as read from the file (0 to 255) or a bool array.
        size: (height, width) of the result.
    """
    values = np.asarray(image).astype(np.float32)
    return cv2.resize(values, (size[1], size[0]), interpolation=cv2.INTER_NEAREST) > 0.5


def pixel_truth(
    masks: list[npt.ArrayLike],
    ignore: npt.ArrayLike | None,
    size: tuple[int, int] = (SIDE, SIDE),
) -> npt.NDArray[np.uint8]:
    """Join an image's masks: 1 in any mask, 255 in the ignored region outside all masks, else 0.

    Each array is loaded by `loaded_mask`. The published data has one ignored region for every
    image; None stands for an empty one.
    """
    truth = np.zeros(size, np.uint8)
    if ignore is not None:
        truth[loaded_mask(ignore, size)] = IGNORED
    for mask in masks:
        truth[loaded_mask(mask, size)] = FOREGROUND
    return truth


def px_ap(
    maps: list[npt.ArrayLike],
    masks: list[list[npt.ArrayLike]],
    ignores: list[npt.ArrayLike | None],
    *,
    interval: float,
) -> float:
    """Sum precision times gain in recall while the threshold falls, over the pixels of all images.

    The thresholds are 1 and then np.arange(0, 1, interval) downwards; a pixel is taken where its
    score reaches the threshold. Where the recall grows the precision after the step counts (no
    interpolation). Ignored pixels count nowhere, and all images' pixels go into one curve.

    Args:
        maps: (H, W) each, in [0, 1].
        masks: of each image, its instances' masks.
        ignores: of each image, its ignored region, or None.
        interval: between thresholds.

    Returns:
        The average precision in [0, 1].
    """
    scores, labels = [], []
    for scoremap, parts, ignore in zip(maps, masks, ignores, strict=True):
        values = np.asarray(scoremap, np.float64)
        truth = pixel_truth(parts, ignore, (values.shape[0], values.shape[1]))
        scores.append(values[truth != IGNORED])
        labels.append(truth[truth != IGNORED] == FOREGROUND)
    pixels, inside = np.concatenate(scores), np.concatenate(labels)
    if not inside.any():
        raise ValueError("no pixel is inside a mask")
    area, last_recall = 0.0, 0.0
    for threshold in [1.0, *np.arange(0, 1, interval)[::-1]]:
        taken = pixels >= threshold
        if taken.any():
            recall = (taken & inside).sum() / inside.sum()
            area += (recall - last_recall) * (taken & inside).sum() / taken.sum()
            last_recall = recall
    return float(area)


def tscam_true_box(box: Box, size: tuple[int, int]) -> IntBox:
    """Scale to 224 x 224 by x / width * 224, clip to 0 and 223, then cut to int (TS-CAM)."""
    height, width = size
    return (
        int(max(box[0] / width * SIDE, 0)),
        int(max(box[1] / height * SIDE, 0)),
        int(min(box[2] / width * SIDE, SIDE - 1)),
        int(min(box[3] / height * SIDE, SIDE - 1)),
    )


def psol_true_box(box: Box, size: tuple[int, int]) -> Box:
    """Take 1 off each edge, stretch to 256 x 256, keep the middle 224 x 224 (PSOL).

    Both sides are stretched, whatever the shape: the shorter side has no part in it. The edges
    stay floats; the near ones are held at 0 and the far ones at 224, so that a box outside the
    crop comes out inside out and has no area.
    """
    height, width = size
    across, down = RESIZED / width, RESIZED / height
    near = (max(BORDER, (box[0] - 1) * across), max(BORDER, (box[1] - 1) * down))
    far_end = BORDER + SIDE
    far = (min(far_end, (box[2] - 1) * across), min(far_end, (box[3] - 1) * down))
    x1, y1, x2, y2 = ((edge - BORDER) / SIDE * SIDE for edge in (*near, *far))
    return x1, y1, x2, y2


def adl_true_box(box: Box, size: tuple[int, int]) -> IntBox:
    """Stretch to 256 x 256, take 16 off for the middle crop and cut to int towards 0 (ADL).

    Nothing is clipped: edges may be negative, or beyond 224.
    """
    height, width = size
    across, down = RESIZED / width, RESIZED / height
    return (
        int(box[0] * across - BORDER),
        int(box[1] * down - BORDER),
        int(box[2] * across - BORDER),
        int(box[3] * down - BORDER),
    )


def true_box_in_frame(name: str, box: Box, size: tuple[int, int]) -> Box:
    """Map a true box to the frame that the named code compares boxes in.

    Args:
        name: "wsol", "tscam", "psol" or "adl".
        box: in original pixels, as the XML gives it.
        size: (height, width) of the original.
    """
    rules = {
        "wsol": wsol_true_box,
        "tscam": tscam_true_box,
        "psol": psol_true_box,
        "adl": adl_true_box,
    }
    return rules[name](box, size)


def convention_errors(
    name: str,
    guesses: list[list[Guess]],
    known_boxes: list[Box],
    labels: list[int],
    true_boxes: list[list[Box]],
    *,
    sizes: list[tuple[int, int]],
    by_class: bool = False,
) -> dict[str, float]:
    """Compute the localization errors "top1", "top5" and "gt_known" by the named code's rules.

    The frames are those of `true_box_in_frame`, the rest is in `_wrong`. PSOL passes over images
    without true boxes; no code leaves out the blacklist.

    Args:
        name: "wsol", "tscam", "psol" or "adl".
        guesses: of each image up to five, the most confident first.
        known_boxes: of each image the box made for the true class.
        labels: of each image.
        true_boxes: of each image, in original pixels, inclusive, as the XML gives them.
        sizes: (height, width) of each image.
        by_class: average the classes' own errors, which is what PSOL prints; where all classes
            have equally many images, as in the validation set, that is the same number.
    """
    rows: dict[int, list[tuple[bool, bool, bool]]] = {}
    for image, label in enumerate(labels):
        truths = [true_box_in_frame(name, box, sizes[image]) for box in true_boxes[image]]
        if truths or name != "psol":
            wrong = _wrong(
                name, guesses[image], known=known_boxes[image], label=label, truths=truths
            )
            rows.setdefault(label if by_class else 0, []).append(wrong)
    shares = np.mean([np.mean(group, axis=0) for group in rows.values()], axis=0)
    return dict(zip(("top1", "top5", "gt_known"), shares.tolist(), strict=True))


def _wrong(
    name: str, guesses: list[Guess], *, known: Box, label: int, truths: list[Box]
) -> tuple[bool, bool, bool]:
    """Tell whether one image is wrong by its first guess, by its first five and by its box.

    wsol: IoU >= 0.5 with +1, all true boxes. It measures only the known box; the guesses go
    through the same test, as in its forks.
    tscam: with +1, all true boxes, IoU > 0.5 for the guesses but >= 0.5 for the known box.
    psol: IoU > 0.5 without +1, all true boxes of the class. Its own guesses share one box.
    adl: IoU >= 0.5 with +1, the first true box alone. It has no top 5, and its top 1 takes the
    box of the true class, which is the guess's own where the label is right.
    """
    if name == "adl":
        truths = truths[:1]
    strict = name in {"tscam", "psol"}
    right = [
        guessed == label and _hits(name, box, truths, strict=strict) for guessed, box in guesses[:5]
    ]
    known_right = _hits(name, known, truths, strict=name == "psol")
    return not any(right[:1]), not any(right), not known_right


def _hits(name: str, box: Box, truths: list[Box], *, strict: bool) -> bool:
    """Tell whether the best IoU exceeds 0.5, or reaches it where not strict."""
    measure = exclusive_iou if name == "psol" else inclusive_iou
    best = max((measure(box, truth) for truth in truths), default=0.0)
    return best > 0.5 if strict else best >= 0.5
