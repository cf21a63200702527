"""Some images of a split, for quick tries."""

from random import Random

from gapnet.data.records import Records


def limited(records: Records, limit: int | None) -> Records:
    """Return at most `limit` records, always the same ones."""
    if limit is None or limit >= len(records):
        return records
    return records.take(sorted(Random(0).sample(range(len(records)), limit)))
