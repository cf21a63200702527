"""Explain pictures: show their classes, and where a network sees them."""

from omegaconf import DictConfig

from gapnet.config.overrides import quoted
from gapnet.system.output import say

FLAGS_WITH_VALUE = {"--cfg", "-c", "--config-dir", "-cd", "--package", "-p"}
PRINTED = 20  # pictures whose classes are printed
STANDARD_INPUT = "-"
MODEL = "model="  # Hydra would take it for a choice of conf/model


def complete(arguments: list[str]) -> list[str]:
    """Put the words that are neither overrides nor flags into images=[...].

    >>> complete(["a.jpg", "b.jpg", "model=timm/resnet50", "top=5"])
    ["published='timm/resnet50'", 'top=5', "images=['a.jpg','b.jpg']"]
    """
    others: list[str] = []
    pictures: list[str] = []
    for previous, word in zip(["", *arguments], arguments, strict=False):
        if word.startswith(MODEL):
            others.append(with_published(word))
            continue
        is_flag = word.startswith("-") and word != STANDARD_INPUT
        is_override = "=" in word or word.startswith("~")
        kept = is_flag or is_override or previous in FLAGS_WITH_VALUE
        (others if kept else pictures).append(word)
    return [*others, f"images=[{','.join(map(quoted, pictures))}]"] if pictures else others


def with_published(word: str) -> str:
    """Return model=NAME with the key of a published network; other arguments are unchanged."""
    if not word.startswith(MODEL):
        return word
    return f"published={quoted(word.removeprefix(MODEL))}"


def task(cfg: DictConfig) -> None:
    """Explain the pictures, and print the classes and where the overlays are."""
    from gapnet.config.picture_jobs import picture_job
    from gapnet.jobs.picture_job import predict_pictures

    results = predict_pictures(picture_job(cfg))
    for row in results.rows[:PRINTED]:
        say(f"{row.image}: {row.name} {row.score:.1%}, box {' '.join(f'{x:g}' for x in row.box)}")
    if len(results.rows) > PRINTED:
        say(f"... and {len(results.rows) - PRINTED} more rows")
    if results.finished_before:
        say(f"{results.finished_before} pictures were finished before, and were skipped")
    if results.input:
        say(f"input: {results.input}")
    say(f"table: {results.table}")
    say(f"pictures: {results.folder}")
    results.check()
