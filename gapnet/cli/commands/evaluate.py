"""Evaluate a trained network again, or score predictions."""

from omegaconf import DictConfig

from gapnet.config.groups import FROM_RUN
from gapnet.config.overrides import own_keys
from gapnet.config.run_groups import groups_of
from gapnet.errors import GapnetError
from gapnet.runs.folder import find_run


def complete(arguments: list[str]) -> list[str]:
    """Start from the groups of the run, except those that the arguments name."""
    return start_from_run(arguments, "evaluate")


def start_from_run(arguments: list[str], command: str) -> list[str]:
    """Add the choice "run" to every group, and choose it for groups that the arguments do not name.

    A command then starts from the configuration of its run, and every key can be overridden.
    """
    from hydra.core.config_store import ConfigStore
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import Sweep

    overrides = [text for text in arguments if "=" in text and not text.startswith("-")]
    parsed = OverridesParser.create().parse_overrides(overrides)
    values = {override.key_or_group: override.value() for override in parsed}
    sources = {name: values.get(name) for name in ("run", "checkpoint", "predictions")}
    for name, value in sources.items():
        if isinstance(value, Sweep):
            raise GapnetError(
                f"{name}: must be one value; evaluate several runs one after the other"
            )
    folder = find_run(*(str(value) if value else None for value in sources.values()))
    if folder is None:
        return arguments
    imports = values.get("imports")
    trusted = list(map(str, imports)) if isinstance(imports, list) else []
    for group, node in groups_of(folder, trusted).items():
        ConfigStore.instance().store(group=group, name="run", node=node)
    taken = [group for group in FROM_RUN if group in own_keys(command)]
    return [*(f"{group}=run" for group in taken if group not in values), *arguments]


def task(cfg: DictConfig) -> None:
    """Evaluate a checkpoint, or score existing predictions or maps."""
    sources = [name for name in ("checkpoint", "predictions", "maps") if cfg[name] is not None]
    if cfg.run is None and not sources:
        raise GapnetError(
            "run=null: name a run folder (run=DIR) or a checkpoint (checkpoint=FILE) to evaluate, "
            "or predictions=... or maps=... to score"
        )
    if len(sources) > 1:
        raise GapnetError(f"{', '.join(sources)}: choose one of them")
    if sources in (["predictions"], ["maps"]):
        _score(cfg)
    else:
        _evaluate(cfg)


def _score(cfg: DictConfig) -> None:
    from gapnet.cli.results import show_results
    from gapnet.config.score_jobs import score_job
    from gapnet.jobs import score

    show_results(score(score_job(cfg)))


def _evaluate(cfg: DictConfig) -> None:
    from gapnet.cli.results import show_results
    from gapnet.config.jobs import evaluate_job
    from gapnet.jobs import evaluate

    show_results(evaluate(evaluate_job(cfg)))
