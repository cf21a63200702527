"""A digest of a table's values, kept in its metadata: Parquet's own checksums leave out the footer.

It does not depend on how a file lays the values out, or which version of a library wrote it.
"""

import hashlib
import json

import pyarrow as pa

KEY = b"sha256"  # of the metadata


def with_digest(table: pa.Table) -> pa.Table:
    """Add the digest of a table to its metadata."""
    return table.replace_schema_metadata(
        {**(table.schema.metadata or {}), KEY: digest_of(table).encode()}
    )


def without_digest(table: pa.Table) -> pa.Table:
    """Check the digest of a table, if it has one, and take it out of the metadata."""
    metadata = dict(table.schema.metadata or {})
    told = metadata.pop(KEY, None)
    bare = table.replace_schema_metadata(metadata)
    if told is not None and told != digest_of(bare).encode():
        raise ValueError("its checksum is wrong")
    return bare


def digest_of(table: pa.Table) -> str:
    """Digest the metadata of a table, and the name, type and values of each column."""
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
    """Digest which values are null, and the others."""
    digest.update(values.is_valid().to_numpy(zero_copy_only=False).tobytes())
    if pa.types.is_string(values.type):
        digest.update(json.dumps(values.to_pylist()).encode())
    elif pa.types.is_primitive(values.type):
        digest.update(f"{values.type} {len(values)}".encode())
        digest.update(values.drop_null().to_numpy(zero_copy_only=False).tobytes())
