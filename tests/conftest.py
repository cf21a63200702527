import gc

import pytest

gc.disable()  # until the modules are imported: none of their objects is garbage
TRAINING = ("alone", "tries", "hostile", "filled")  # fixtures that train, for half a minute or more


def pytest_configure(config: pytest.Config) -> None:
    """Load the fixtures, whose imports take seconds, unless other processes run the tests."""
    runs_tests = hasattr(config, "workerinput") or not config.getoption("numprocesses", None)
    if runs_tests:
        config.pluginmanager.import_plugin("tests.fixtures")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that share a fixture that trains in one of several processes."""
    for item in items:
        for name in set(TRAINING) & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group(name))


def pytest_collection_finish() -> None:
    """Let the garbage collector never look again at the objects of modules, a million of them."""
    gc.freeze()
    gc.enable()
