"""`gapnet evaluate`."""

from omegaconf import DictConfig

from gapnet.cli.runs import checkpoint_of, load_config, run_of
from gapnet.errors import GapnetError
from gapnet.layout import CONFIG

GROUPS = ("data", "view", "loader", "trainer", "saliency", "boxer", "guesses", "protocol", "report")


def complete(arguments: list[str]) -> list[str]:
    """Make "run" a choice of every group, and the choice of those that the arguments do not name.

    An evaluation then starts from what its run was trained with, and any key of that can be
    overridden.
    """
    from hydra.core.config_store import ConfigStore
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import Sweep

    overrides = [each for each in arguments if "=" in each and not each.startswith("-")]
    parsed = OverridesParser.create().parse_overrides(overrides)
    given = {each.key_or_group: each.value() for each in parsed}
    run, checkpoint = given.get("run"), given.get("checkpoint")
    if isinstance(run, Sweep) or isinstance(checkpoint, Sweep):
        raise GapnetError("run and checkpoint: name one at a time")
    folder = run_of(str(run) if run else None, str(checkpoint) if checkpoint else None)
    if folder is None:
        return arguments
    trained = load_config(folder)
    missing = [group for group in GROUPS if group not in trained]
    if missing:
        raise GapnetError(f"{folder / CONFIG}: is no run's configuration (it lacks {missing[0]})")
    for group in GROUPS:
        ConfigStore.instance().store(group=group, name="run", node=trained[group])
    return [*(f"{group}=run" for group in GROUPS if group not in given), *arguments]


def task(cfg: DictConfig) -> None:
    """Evaluate a checkpoint."""
    from gapnet.cli.assemble import data_of, quiet_lightning, rules_of
    from gapnet.cli.config import build
    from gapnet.cli.evaluation import check_classes, evaluate_network
    from gapnet.cli.predicting import Subject
    from gapnet.cli.runs import open_folder
    from gapnet.models.saved import load

    if cfg.run is None and cfg.checkpoint is None:
        raise GapnetError(
            "nothing to evaluate: name a run folder with run=... or a file with checkpoint=..."
        )
    quiet_lightning()
    rules = rules_of(cfg)
    run = run_of(cfg.run, cfg.checkpoint)
    checkpoint = checkpoint_of(run, cfg.checkpoint)
    network = load(checkpoint)
    rules.localizer.saliency.check(network)
    source = build(cfg, "data")
    check_classes(network, source.classes, advice="evaluate on what it was trained for")
    data = data_of(cfg, source, network)
    data.check(source.select_split, cfg.split or source.test_split)
    evaluate_network(cfg, Subject(network, data, rules, open_folder(cfg), checkpoint))
