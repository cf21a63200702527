"""From files to batches: readers of data sets, and the one DataModule."""
