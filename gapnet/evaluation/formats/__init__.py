"""Files of predictions that other tools read and write, one format a file."""
