"""WebDataset shards: written, fetched and read."""
