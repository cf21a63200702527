"""`gapnet evaluate`."""

from omegaconf import DictConfig, OmegaConf

from gapnet.cli.runs import CONFIG, checkpoint_of, run_of
from gapnet.errors import GapnetError

GROUPS = ("data", "view", "loader", "trainer", "saliency", "boxer", "guesses", "protocol", "report")


def complete(arguments: list[str]) -> list[str]:
    """Make "run" a choice of every group, and the choice of those that the arguments do not name.

    An evaluation then starts from what its run was trained with, and any key of that can be overridden.
    """
    from hydra.core.config_store import ConfigStore

    given = {name: value for name, equals, value in (argument.partition("=") for argument in arguments) if equals}
    folder = run_of(given.get("run"), given.get("checkpoint"))
    if folder is None:
        return arguments
    trained = OmegaConf.load(folder / CONFIG)
    for group in GROUPS:
        ConfigStore.instance().store(group=group, name="run", node=trained[group])
    return [*(f"{group}=run" for group in GROUPS if group not in given), *arguments]


def task(cfg: DictConfig) -> None:
    """Evaluate a checkpoint."""
    from gapnet.cli.assemble import data_of, localizer_of, quiet_lightning
    from gapnet.cli.config import build
    from gapnet.cli.evaluation import check_classes, evaluate_network
    from gapnet.cli.runs import open_folder
    from gapnet.training.checkpoint import load_network

    if cfg.run is None and cfg.checkpoint is None:
        raise GapnetError("nothing to evaluate: name a run folder with run=... or a file with checkpoint=...")
    quiet_lightning()
    network = load_network(checkpoint_of(run_of(cfg.run, cfg.checkpoint), cfg.checkpoint))
    source = build(cfg, "data")
    check_classes(network, source.classes)
    data, localizer = data_of(cfg, source, network), localizer_of(cfg)
    data.check(source.select_split, cfg.split or source.test_split)
    evaluate_network(cfg, network, data, localizer, open_folder(cfg))
