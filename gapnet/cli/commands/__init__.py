"""One command per file: it parses its arguments, runs one job and prints the result."""
