from tests.cli.conftest import gapnet

__all__ = ["gapnet"]
