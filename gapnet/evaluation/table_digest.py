"""A digest of a table's values in its metadata, as Parquet's checksums do not cover the footer.

It does not depend on the layout of the file, or on the version of the library that wrote it.
"""

import hashlib
import json

import pyarrow as pa

KEY = b"sha256"  # of the metadata


def with_digest(table: pa.Table) -> pa.Table:
    """Return a table with its digest in the metadata."""
    return table.replace_schema_metadata(
        {**(table.schema.metadata or {}), KEY: table_digest(table).encode()}
    )


def without_digest(table: pa.Table) -> pa.Table:
    """Return a table without the digest in its metadata, after checking it."""
    metadata = dict(table.schema.metadata or {})
    digest = metadata.pop(KEY, None)
    bare = table.replace_schema_metadata(metadata)
    if digest is not None and digest != table_digest(bare).encode():
        raise ValueError("its checksum is wrong")
    return bare


def table_digest(table: pa.Table) -> str:
    """Return a digest of a table's metadata, and of its columns' names, types and values."""
    digest = hashlib.sha256(repr(sorted((table.schema.metadata or {}).items())).encode())
    for name in table.column_names:
        values = table[name].combine_chunks()
        digest.update(repr(name).encode())
        _update(digest, values)
        if pa.types.is_list(values.type):
            _update(digest, values.value_lengths())
            _update(digest, values.flatten())
    return digest.hexdigest()


def _update(digest: "hashlib._Hash", values: pa.Array) -> None:
    """Add an array to a digest: which values are null, and the other values."""
    digest.update(values.is_valid().to_numpy(zero_copy_only=False).tobytes())
    if pa.types.is_string(values.type):
        digest.update(json.dumps(values.to_pylist()).encode())
    elif pa.types.is_primitive(values.type):
        digest.update(f"{values.type} {len(values)}".encode())
        digest.update(values.drop_null().to_numpy(zero_copy_only=False).tobytes())
