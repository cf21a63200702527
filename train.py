"""Train a network and evaluate it: `python train.py --help`."""

from gapnet.cli.main import run

if __name__ == "__main__":
    run("train")
