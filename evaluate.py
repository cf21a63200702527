"""Evaluate a trained network again: `python evaluate.py --help`."""

from gapnet.cli.main import run

if __name__ == "__main__":
    run("evaluate")
