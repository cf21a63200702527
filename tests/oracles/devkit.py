"""The ILSVRC development kit's two error curves, worked out guess by guess and box by box."""

from tests.oracles.boxes import Box

Guess = tuple[int, Box]  # (label, box)
Truth = tuple[int, list[Box]]  # (the image's one label, its boxes)

GUESSES = 5


def devkit_errors(
    guesses: list[list[Guess]], truths: list[Truth], *, blacklist: set[int]
) -> tuple[list[float], list[float]]:
    """Compute the classification and the localization error for 1, 2, 3, 4 and 5 guesses allowed.

    Classification: the share of all images where every allowed guess has a wrong label.
    Localization: each image costs the least, over its allowed guesses, of `_cost`; images of the
    blacklist cost nothing and are taken off the denominator. An image with fewer guesses than
    allowed is judged by those it has; without any, it is wrong.

    Args:
        guesses: for each image its guesses, the most confident first; those past the fifth
            never count, and a label may come again.
        truths: for each image its label and its boxes, in inclusive pixels of the original.
        blacklist: 1-based places of images in the list, each of which must exist.
    """
    classification, localization = [], []
    for allowed in range(1, GUESSES + 1):
        wrong_labels = wrong_places = 0
        for place, (guessed, truth) in enumerate(zip(guesses, truths, strict=True), start=1):
            tried = guessed[:allowed]
            wrong_labels += min((int(label != truth[0]) for label, _ in tried), default=1)
            if place not in blacklist:
                wrong_places += min((_cost(guess, truth) for guess in tried), default=1)
        classification.append(wrong_labels / len(truths))
        localization.append(wrong_places / (len(truths) - len(blacklist)))
    return classification, localization


def _cost(guess: Guess, truth: Truth) -> int:
    """Give 0 where the label is right and some box overlaps by half or more, else 1.

    This is the least, over the true boxes, of max(label wrong, overlap < 0.5).
    """
    label, box = guess
    wrong_label = int(label != truth[0])
    costs = [max(wrong_label, int(overlap(box, true_box) < 0.5)) for true_box in truth[1]]
    return min(costs, default=1)


def overlap(a: Box, b: Box) -> float:
    """Divide intersection by union with inclusive last pixels; -1 where the boxes are apart."""
    width = min(a[2], b[2]) - max(a[0], b[0]) + 1
    height = min(a[3], b[3]) - max(a[1], b[1]) + 1
    if width <= 0 or height <= 0:
        return -1.0
    area_a = (a[2] - a[0] + 1) * (a[3] - a[1] + 1)
    area_b = (b[2] - b[0] + 1) * (b[3] - b[1] + 1)
    return width * height / (area_a + area_b - width * height)
