"""Files about the project: how to cite it, and what CI and make run."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from gapnet import __version__

CHECKOUT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
MAKE = re.compile(r"\bmake ((?:[a-z]+ ?)+)")


def read_yaml(name: str) -> Any:
    return yaml.safe_load((CHECKOUT / name).read_text())


def make_targets(commands: str) -> set[str]:
    return {name for names in MAKE.findall(commands) for name in names.split()}


def output_of(*command: str) -> str:
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout


def all_commands(target: str) -> str:
    """Return what make would run on a fresh machine."""
    return output_of("make", "--dry-run", "--what-if=pyproject.toml", target)


def test_the_citation_has_the_keys_that_cff_1_2_requires() -> None:
    citation = read_yaml("CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(citation)
    assert all("name" in author for author in citation["authors"])
    for reference in citation["references"]:
        assert {"authors", "title", "type"} <= set(reference)
        assert all({"family-names", "given-names"} <= set(one) for one in reference["authors"])


def test_the_citation_agrees_with_the_package() -> None:
    citation = read_yaml("CITATION.cff")
    assert citation["version"] == __version__
    assert citation["license"] == PROJECT["project"]["license"]
    (paper,) = citation["references"]
    assert paper["url"] == PROJECT["project"]["urls"]["Paper"]


def test_the_source_distribution_has_every_file_of_the_checkout() -> None:
    listed = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]
    there = {Path(name).parts[0] for name in output_of("git", "ls-files").splitlines()}
    assert there <= {*listed, "pyproject.toml"}


def test_the_workflow_runs_what_ci_run_does() -> None:
    jobs = read_yaml(".github/workflows/ci.yml")["jobs"].values()
    commands = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    assert make_targets("\n".join(commands)) == make_targets((CHECKOUT / ".ci/run").read_text())


def test_the_workflow_tests_the_versions_of_python_that_the_package_names() -> None:
    tested = read_yaml(".github/workflows/ci.yml")["jobs"]["test"]["strategy"]["matrix"]["python"]
    named = [line.rpartition(" :: ")[2] for line in PROJECT["project"]["classifiers"]]
    assert tested == [version for version in named if re.fullmatch(r"3\.\d+", version)]


def test_make_help_lists_every_target() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)
    shown = output_of("make", "--silent", "help")
    assert [line.split()[0] for line in shown.splitlines()] == phony.split()


def test_make_train_installs_gapnet_without_the_tools_of_developers() -> None:
    commands = all_commands("train")
    assert "pip install --quiet --editable .\n" in commands
    assert "[dev]" not in commands


@pytest.mark.parametrize("target", ["test", "slow", "gpu", "lint", "types"])
def test_every_other_target_installs_the_tools_of_developers(target: str) -> None:
    assert "pip install --quiet --editable '.[dev]'\n" in all_commands(target)
