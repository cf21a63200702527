"""Find the nearest neighbours of images by their features."""

from pathlib import Path

from omegaconf import DictConfig

from gapnet.errors import GapnetError
from gapnet.runs.layout import CONFIG
from gapnet.system.output import say


def complete(arguments: list[str]) -> list[str]:
    """Start from the data set of the features."""
    return start_from_features(arguments)


def start_from_features(arguments: list[str]) -> list[str]:
    """Choose the data set with which the features were made, unless the arguments choose one."""
    from hydra.core.override_parser.types import Sweep

    folder = override_values(arguments).get("features")
    if isinstance(folder, Sweep):
        raise GapnetError("features: must be one folder; repeat the command for each folder")
    if folder is None or not Path(str(folder), CONFIG).is_file():
        return arguments
    return start_from_data(Path(str(folder)), arguments)


def start_from_data(folder: Path, arguments: list[str]) -> list[str]:
    """Choose the data set in a folder's configuration, unless the arguments choose one."""
    from hydra.core.config_store import ConfigStore

    from gapnet.config.run_groups import data_of

    values = override_values(arguments)
    if "data" in values:
        return arguments
    imports = values.get("imports")
    trusted = list(map(str, imports)) if isinstance(imports, list) else []
    ConfigStore.instance().store(group="data", name="run", node=data_of(folder, trusted))
    return ["data=run", *arguments]


def override_values(arguments: list[str]) -> dict[str, object]:
    """Return the values of the overrides among arguments, by key or group."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    overrides = [text for text in arguments if "=" in text and not text.startswith("-")]
    parsed = OverridesParser.create().parse_overrides(overrides)
    return {override.key_or_group: override.value() for override in parsed}


def check_features(cfg: DictConfig) -> None:
    """Refuse a configuration without features."""
    from gapnet.jobs.features import FeatureFolder

    if cfg.features is None:
        raise GapnetError("features=null: name a folder that gapnet features has written")
    FeatureFolder.read(Path(cfg.features))
    if "data" not in cfg:
        raise GapnetError(
            f"features={cfg.features}: has no {CONFIG} that names its data set; name it with "
            "data=... data.root=..."
        )


def task(cfg: DictConfig) -> None:
    """Find neighbours, and print metrics and files."""
    from gapnet.config.retrieval_jobs import neighbours_job
    from gapnet.jobs.neighbours import neighbours

    check_features(cfg)
    for line in neighbours(neighbours_job(cfg)):
        say(line)
