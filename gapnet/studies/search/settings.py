"""Checks of the settings of `gapnet search`."""

from pathlib import Path

from omegaconf import DictConfig
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from gapnet.errors import GapnetError
from gapnet.studies.search.trials import VALIDATION
from gapnet.system.value_checks import whole_number
from gapnet.text.redact import is_secret, redact

DIRECTIONS = ("minimise", "maximise")


def check_search_settings(cfg: DictConfig) -> None:
    """Check the values of a search's own keys."""
    if cfg.storage is not None:
        _check_storage(str(cfg.storage))
    whole_number("n_trials", cfg.n_trials, least=1)
    whole_number("seed", cfg.seed)
    if cfg.direction not in DIRECTIONS:
        raise GapnetError(f"direction={cfg.direction}: must be {' or '.join(DIRECTIONS)}")
    if not str(cfg.metric).startswith(VALIDATION):
        raise GapnetError(
            f"metric={cfg.metric}: must begin with {VALIDATION}, since a search uses only the "
            "validation split"
        )
    if cfg.name is not None and Path(str(cfg.name)).name != str(cfg.name):
        raise GapnetError(f"name={cfg.name}: must be the name of a folder, not a path")


def _check_storage(url: str) -> None:
    """Refuse a URL with a password: it would be written into the files of every trial."""
    try:
        parts = make_url(url)
    except ArgumentError:
        return  # opening the storage raises the error
    if parts.password is not None or any(map(is_secret, parts.query)):
        raise GapnetError(
            f"storage={redact(url)}: must have no password in it; put it into PGPASSWORD or "
            "~/.pgpass (PostgreSQL), or an option file (MySQL: ?read_default_file=~/.my.cnf)"
        )
