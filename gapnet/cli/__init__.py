"""Command line. Slow modules are imported late, so that `--help` is quick."""
