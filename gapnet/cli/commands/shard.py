"""Write a data set as WebDataset shards."""

from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig, ListConfig

from gapnet.cli.commands import doctor
from gapnet.errors import GapnetError
from gapnet.system.extras import load_extra
from gapnet.system.output import say
from gapnet.system.value_checks import number, whole_number

if TYPE_CHECKING:
    from gapnet.data.shards.manifest import Split


def complete(arguments: list[str]) -> list[str]:
    """Refuse keys of `data` without a data set."""
    return doctor.complete(arguments)


def task(cfg: DictConfig) -> None:
    """Write shards, and print how to use them."""
    from gapnet.config.build import build

    folder = _folder_of(cfg)
    _check_values(cfg)
    write_shards = load_extra("gapnet.data.shards.write", extra="shards").write_shards
    source = build(cfg, "data")
    splits = None if cfg.splits is None else list(cfg.splits)
    manifest = write_shards(source, folder, splits=splits, mb=cfg.mb, workers=cfg.workers)
    for name, split in manifest.splits.items():
        say(f"{name}: {_sum_up(split)}")
    say(f"to train and evaluate on them: data=ilsvrc_shards data.root={folder}")


def _sum_up(split: "Split") -> str:
    from gapnet.data.sources.shards import MB

    size = sum(shard.bytes for shard in split.shards) / MB
    shards = "1 shard" if len(split.shards) == 1 else f"{len(split.shards):,} shards"
    return f"{split.index.images:,} images in {shards}, {size:,.1f} MB"


def _folder_of(cfg: DictConfig) -> Path:
    """Return the folder to write; refuse values with which no shards can be written."""
    if "data" not in cfg:
        raise GapnetError("data: must name a data set, as in data=ilsvrc data.root=DIR")
    if cfg.to is None:
        raise GapnetError("to=null: must be the folder to write the shards to")
    if "://" in str(cfg.to):
        raise GapnetError(f"to={cfg.to}: must be a local folder; upload it afterwards")
    return Path(cfg.to)


def _check_values(cfg: DictConfig) -> None:
    if not (cfg.splits is None or (isinstance(cfg.splits, ListConfig) and len(cfg.splits))):
        raise GapnetError(f"splits={cfg.splits}: must be a list, such as [val], or null")
    number("mb", cfg.mb, above=0)
    whole_number("workers", cfg.workers, least=1, optional=True)
