"""Evaluate a trained network again, or score predictions."""

from omegaconf import DictConfig

from gapnet.config.groups import FROM_RUN
from gapnet.config.run_groups import groups_of
from gapnet.errors import GapnetError
from gapnet.runs.folder import find_run


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
    folder = find_run(*(str(each) if each else None for each in named))
    if folder is None:
        return arguments
    imports = given.get("imports")
    trusted = list(map(str, imports)) if isinstance(imports, list) else []
    for group, trained in groups_of(folder, trusted).items():
        ConfigStore.instance().store(group=group, name="run", node=trained)
    return [*(f"{group}=run" for group in FROM_RUN if group not in given), *arguments]


def task(cfg: DictConfig) -> None:
    """Evaluate a checkpoint, or score what is predicted already."""
    from gapnet.cli.results import show_results
    from gapnet.config.jobs import evaluate_job, score_job
    from gapnet.jobs import evaluate, score

    given = [name for name in ("checkpoint", "predictions", "maps") if cfg[name] is not None]
    if cfg.run is None and not given:
        raise GapnetError(
            "nothing to evaluate: name a run folder with run=..., a file with checkpoint=..., "
            "predictions=... or maps=..."
        )
    if len(given) > 1:
        raise GapnetError(f"{' and '.join(given)}: name one of them")
    if given in (["predictions"], ["maps"]):
        show_results(score(score_job(cfg)))
    else:
        show_results(evaluate(evaluate_job(cfg)))
