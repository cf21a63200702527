"""Run a command that ends when its parent ends: `python -m gapnet.cli.child PARENT COMMAND ...`."""

import sys

from gapnet.cli.main import main
from gapnet.system.child_process import end_with_parent

if __name__ == "__main__":
    end_with_parent(int(sys.argv.pop(1)))
    main()
