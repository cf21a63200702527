"""The wheel: built, installed elsewhere, run from an empty folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import CHECKOUT, SMALL


@pytest.mark.slow
def test_the_wheel_trains_in_an_empty_folder(tmp_path: Path) -> None:
    site, home = tmp_path / "site", tmp_path / "home"
    home.mkdir()
    pip = [sys.executable, "-m", "pip", "--quiet"]
    build = [
        *pip,
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(tmp_path),
        str(CHECKOUT),
    ]
    subprocess.run(build, check=True)
    (wheel,) = tmp_path.glob("gapnet-*.whl")
    # A plain folder, not an environment of its own: its packages would be the same, in gigabytes.
    subprocess.run([*pip, "install", "--no-deps", "--target", str(site), str(wheel)], check=True)
    assert (site / "gapnet" / "conf" / "train.yaml").is_file()
    assert (site / "gapnet" / "report" / "templates" / "report.html.jinja").is_file()
    assert (site / "gapnet" / "report" / "scripts" / "page.css").is_file()
    script = site / "bin" / "gapnet"
    environment = {"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin", "HOME": str(home)}
    for arguments in (
        ["train", "debug=fast", *SMALL],
        ["evaluate", "run=runs/latest", "split=val"],
    ):
        done = subprocess.run(
            [sys.executable, str(script), *arguments],
            cwd=home,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert {path.name for path in home.iterdir()} >= {"data", "runs"}
    assert str(site) in where(environment, home)


def where(environment: dict[str, str], home: Path) -> str:
    code = "import gapnet; print(gapnet.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
