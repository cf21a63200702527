"""Links and file names in README.md and docs/."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import CHECKOUT
from tests.docs.pages import PAGES

README_LINES = 150
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
FILE = re.compile(r"`((?:conf|docs|examples|experiments|gapnet|tests)/[\w./-]+)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        assert (page.parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_the_text_names_exist(page: Path) -> None:
    for name in FILE.findall(page.read_text()):
        assert (CHECKOUT / name).exists(), name


def test_the_readme_is_short() -> None:
    assert len((CHECKOUT / "README.md").read_text().splitlines()) <= README_LINES


def test_the_menu_and_the_readme_name_every_page() -> None:
    menu = yaml.safe_load((CHECKOUT / "mkdocs.yml").read_text())["nav"]
    listed = [name for entry in menu for name in entry.values()]
    assert sorted(listed) == sorted(page.name for page in PAGES[1:])
    readme = (CHECKOUT / "README.md").read_text()
    assert all(f"docs/{name}" in readme for name in listed if name != "index.md")


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
