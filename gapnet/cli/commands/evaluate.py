"""`gapnet evaluate`."""

from omegaconf import DictConfig

from gapnet.config.groups import FROM_RUN
from gapnet.config.run_folder import checkpoint_of, run_of
from gapnet.config.run_groups import groups_of
from gapnet.errors import GapnetError


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
    named = [given.get(name) for name in ("run", "checkpoint", "predictions")]
    if any(isinstance(each, Sweep) for each in named):
        raise GapnetError("run, checkpoint and predictions: name one at a time")
    folder = run_of(*(str(each) if each else None for each in named))
    if folder is None:
        return arguments
    imports = given.get("imports")
    trusted = list(map(str, imports)) if isinstance(imports, list) else []
    for group, trained in groups_of(folder, trusted).items():
        ConfigStore.instance().store(group=group, name="run", node=trained)
    return [*(f"{group}=run" for group in FROM_RUN if group not in given), *arguments]


def task(cfg: DictConfig) -> None:
    """Evaluate a checkpoint, or score what is predicted already."""
    from gapnet.config.assemble import quiet_lightning
    from gapnet.jobs.score import score_maps, score_predictions
    from gapnet.system.signals import handled, stop

    given = [name for name in ("checkpoint", "predictions", "maps") if cfg[name] is not None]
    if cfg.run is None and not given:
        raise GapnetError(
            "nothing to evaluate: name a run folder with run=..., a file with checkpoint=..., "
            "predictions=... or maps=..."
        )
    if len(given) > 1:
        raise GapnetError(f"{' and '.join(given)}: name one of them")
    quiet_lightning()
    with handled(stop):
        if cfg.predictions is not None:
            score_predictions(cfg)
        elif cfg.maps is not None:
            score_maps(cfg)
        else:
            _evaluate_network(cfg)


def _evaluate_network(cfg: DictConfig) -> None:
    """Evaluate a checkpoint."""
    from gapnet.config.assemble import connect, data_of, predicting_trainer, ranks_of, rules_of
    from gapnet.config.build import build
    from gapnet.config.overrides import again
    from gapnet.jobs.evaluate import check_classes, evaluate_network
    from gapnet.jobs.labels import numbers_of
    from gapnet.jobs.opening import open_evaluation
    from gapnet.jobs.predict import Subject, check_keep
    from gapnet.models.saved import load
    from gapnet.system.distributed import one_ahead
    from gapnet.system.ranks import run_ranks
    from gapnet.training.lightning_internals import starts_ranks

    rules = rules_of(cfg)
    run = run_of(cfg.run, cfg.checkpoint)
    checkpoint = checkpoint_of(run, cfg.checkpoint)
    check_keep(cfg.keep_maps)
    trainer = predicting_trainer(cfg)
    if starts_ranks(trainer):
        run_ranks("evaluate", again(cfg), count=ranks_of(trainer))
        return
    connect(trainer)
    network = load(checkpoint)
    rules.localizer.saliency.check(network)
    with one_ahead():  # which draws or downloads what the others then find
        source = build(cfg, "data")
    check_classes(network, source.classes, advice="evaluate on what it was trained for")
    numbers_of(cfg, source)
    data = data_of(cfg, source, network, rules.localizer)
    data.check(source.select_split, cfg.split or source.test_split)
    evaluate_network(cfg, Subject(network, data, rules, open_evaluation(cfg), checkpoint))
