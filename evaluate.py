"""Evaluate a trained network again: `python evaluate.py --help`."""

from gapnet.__main__ import main

if __name__ == "__main__":
    main("evaluate")
