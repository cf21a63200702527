import subprocess
import sys

import pytest

from gapnet import __main__ as entry


@pytest.mark.parametrize(("command", "name"), [(None, "gapnet"), ("train", "gapnet train")])
def test_ctrl_c_during_the_first_imports_ends_with_one_line(
    command: str | None,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(entry, "import_module", interrupted)
    with pytest.raises(SystemExit) as end:
        entry.main(command)
    assert end.value.code == 130
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{name}: SIGINT")


def test_an_entry_point_imports_only_quick_modules() -> None:
    code = "import sys, gapnet.__main__; print('yaml' in sys.modules, 'gapnet.cli' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
