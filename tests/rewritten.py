"""Parquet files of gapnet's, changed by a test, with a digest that is right again."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gapnet.evaluation.table_digest import KEY, with_digest


def rewrite(path: Path, how: Callable[[pa.Table], pa.Table]) -> None:
    changed = how(pq.read_table(path))
    metadata = {key: value for key, value in changed.schema.metadata.items() if key != KEY}
    pq.write_table(with_digest(changed.replace_schema_metadata(metadata)), path)
