"""`python -m gapnet`, the same as the console script `gapnet`."""

from gapnet.cli.main import main

if __name__ == "__main__":
    main()
