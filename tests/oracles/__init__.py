"""Re-derive maps, boxes and scores in plain Python and numpy, for the tests to compare with."""
