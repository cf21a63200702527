"""Train a network and evaluate it: `python train.py --help`."""

from gapnet.__main__ import main

if __name__ == "__main__":
    main("train")
