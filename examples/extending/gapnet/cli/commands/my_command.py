"""Count the images of each class of a data set."""

# The first line above is what `gapnet --help` prints. The name of the file is the command's name.

from omegaconf import DictConfig

from gapnet.errors import GapnetError


def complete(arguments: list[str]) -> list[str]:
    """Return the arguments, changed if need be: here, a bare word is the split."""
    return [word if "=" in word or word.startswith("-") else f"split={word}" for word in arguments]


def task(cfg: DictConfig) -> None:
    """Run the command with its configuration, which conf/my_command.yaml describes."""
    # Imported here, because `gapnet my_command --help` must not wait for torch.
    from gapnet.jobs.my_job import count_images
    from rich.table import Table

    from gapnet.config.build import build
    from gapnet.system.output import print_table

    if "data" not in cfg:
        raise GapnetError("data=null: name a data set, such as data=ilsvrc data.root=DIR")
    source = build(cfg, "data")  # what `_target_` names, with the other keys as arguments
    table = Table("class", "images", title=f"{source.title}, {cfg.split}")
    for name, images in count_images(source, cfg.split).items():
        table.add_row(name, str(images))
    print_table(table)
