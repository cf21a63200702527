import gc

import pytest

gc.disable()  # until the modules are imported: none of their objects is garbage
DEAR = ("alone", "tries", "hostile", "filled")  # fixtures that train


def pytest_configure(config: pytest.Config) -> None:
    """Load the fixtures, whose imports take seconds, unless other processes run the tests."""
    runs_tests = hasattr(config, "workerinput") or not config.getoption("numprocesses", None)
    if runs_tests:
        config.pluginmanager.import_plugin("tests.fixtures")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have tests that share a dear fixture run in one process, where several run side by side."""
    for item in items:
        for name in set(DEAR) & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group(name))


def pytest_collection_finish() -> None:
    """Let the garbage collector never look again at the objects of modules, a million of them."""
    gc.freeze()
    gc.enable()
