"""Run a command that ends with the process that started it, however that ends.

`python -m gapnet.cli.child PARENT COMMAND [ARGUMENT ...]`
"""

import os
import sys
from collections.abc import Sequence

from gapnet.system.child_process import end_with_parent


def bound(name: str, arguments: Sequence[str]) -> list[str]:
    """Give the command line of a gapnet command that ends with this process."""
    return [sys.executable, "-m", "gapnet.cli.child", str(os.getpid()), name, *arguments]


def main() -> None:
    """Bind this process to its parent, and run the command."""
    end_with_parent(int(sys.argv.pop(1)))
    from gapnet.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
