"""What gapnet objects writes: a table of all objects, both lists of every scene, and a page."""

import json
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from gapnet.metrics.proportion import wilson_interval
from gapnet.report.section_page import Captioned, Section, write_sections
from gapnet.runs.folder import short
from gapnet.runs.layout import REPORT
from gapnet.system.csv_file import write_csv_file
from gapnet.system.files import write_file
from gapnet.transfer.overlap import OverlapRule, RankedObject, most_frequent, most_informative

TABLE, SUMMARY = "objects.csv", "objects.json"
HEADER = (
    *("scene", "object", "images", "of", "frequency", "frequency_low", "frequency_high"),
    *("overlapping", "informative", "informative_low", "informative_high"),
)
Scenes = Mapping[str, Sequence[RankedObject]]


def write_objects(
    scenes: Scenes,
    rule: OverlapRule,
    folder: Path,
    *,
    facts: Mapping[str, str],
    pictures: Mapping[str, Sequence[Captioned]],
) -> list[str]:
    """Write all files, and return lines: one for each scene, and two with names of files."""
    rows = ((scene, *_values(thing)) for scene, things in scenes.items() for thing in things)
    write_csv_file(folder / TABLE, HEADER, rows)
    lists = {
        scene: {
            "images": things[0].total,
            "informative": [_described(thing) for thing in most_informative(things, rule)],
            "frequent": [_described(thing) for thing in most_frequent(things, rule)],
        }
        for scene, things in scenes.items()
    }
    summary = {"rule": vars(rule), "scenes": lists}
    write_file(folder / SUMMARY, json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
    sections = [
        Section(f"{scene}, {things[0].total:,} images", rows=_rows(things, rule), pictures=drawn)
        for (scene, things), drawn in zip(scenes.items(), pictures.values(), strict=True)
    ]
    title = "Informative objects of scenes"
    write_sections(title, {**facts, **_facts(rule)}, sections, folder / REPORT)
    lines = [_line(scene, things, rule) for scene, things in scenes.items()]
    return [*lines, f"objects: {short(folder / TABLE)}", f"report: {short(folder / REPORT)}"]


def _values(thing: RankedObject) -> tuple[object, ...]:
    return (
        *(thing.name, thing.images, thing.total, thing.frequency),
        *wilson_interval(thing.images, thing.total),
        *(thing.overlapping, thing.informative),
        *wilson_interval(thing.overlapping, thing.images),
    )


def _described(thing: RankedObject) -> dict[str, object]:
    return {
        "object": thing.name,
        "images": thing.images,
        "frequency": thing.frequency,
        "frequency_interval": wilson_interval(thing.images, thing.total),
        "overlapping": thing.overlapping,
        "informative": thing.informative,
        "informative_interval": wilson_interval(thing.overlapping, thing.images),
    }


def _facts(rule: OverlapRule) -> dict[str, str]:
    return {
        "region": f"pixels whose map is at least {rule.high:.0%} of its maximum; the map is that "
        "of the predicted scene",
        "overlap": f"at least {rule.overlap:.0%} of the object's pixels are inside the region",
        "ranked": f"by overlap: objects in at least {rule.least:.0%} of the images of the scene",
    }


def _rows(things: Sequence[RankedObject], rule: OverlapRule) -> list[tuple[str, ...]]:
    """Return a header and both lists side by side."""
    header = ("informative", "overlaps in", "95% interval", "n")
    informative = [
        (thing.name, *_share(thing.overlapping, thing.images), f"{thing.images:,}")
        for thing in most_informative(things, rule)
    ]
    frequent = [
        (thing.name, *_share(thing.images, thing.total)) for thing in most_frequent(things, rule)
    ]
    pairs = zip_longest(informative, frequent, fillvalue=("",) * len(header))
    rows = [(*left, *right[: len(header) - 1]) for left, right in pairs]
    return [(*header, "frequent", "is in", "95% interval"), *rows]


def _share(hits: int, count: int) -> tuple[str, str]:
    low, high = wilson_interval(hits, count)
    return f"{hits / count:.2f}", f"{low:.2f} to {high:.2f}"


def _line(scene: str, things: Sequence[RankedObject], rule: OverlapRule) -> str:
    marked, common = most_informative(things, rule), most_frequent(things, rule)
    informative = ", ".join(f"{thing.name} {thing.informative:.2f}" for thing in marked)
    frequent = ", ".join(f"{thing.name} {thing.frequency:.2f}" for thing in common)
    return f"{scene}: informative {informative}; frequent {frequent}"
