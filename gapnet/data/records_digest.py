"""Digest of the images of a split, by which predictions for other data are refused."""

import hashlib
import json

from gapnet.data.record_table import LABELS
from gapnet.data.records import Records


def digest_of_data(records: Records) -> str:
    """Return a digest of ids, labels, masks, and of which images have boxes."""
    digest, table = hashlib.sha256(), records.table
    boxed = table["boxes"].is_valid()
    columns = [table["id"], table["label"], table["masks"], boxed]
    if records.multi_label:
        columns.append(table[LABELS])
    for column in columns:
        digest.update(json.dumps(column.to_pylist()).encode())
    return digest.hexdigest()[:16]
