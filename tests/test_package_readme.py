"""The package's description: the README, whose links must work on an index of packages."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
README = (CHECKOUT / "README.md").read_text()
REPOSITORY = "https://example.org/owner/gapnet"
TARGET = re.compile(r"\]\(([^)\s]+)\)")


@pytest.fixture(scope="module")
def package_readme() -> ModuleType:
    pytest.importorskip("hatchling")
    spec = importlib.util.spec_from_file_location("readme", CHECKOUT / ".ci/package_readme.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def described(package_readme: ModuleType) -> str:
    metadata: dict[str, dict[str, str]] = {}
    package_readme.PackageReadme(str(CHECKOUT), {}).update(metadata)
    assert metadata["readme"]["content-type"] == "text/markdown"
    return metadata["readme"]["text"]


def test_a_build_for_an_index_links_to_files_of_the_revision(
    package_readme: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPOSITORY", REPOSITORY)
    monkeypatch.setenv("REVISION", "v1.2.3")
    targets, expected = TARGET.findall(described(package_readme)), TARGET.findall(README)
    assert len(targets) == len(expected)
    assert all(target.startswith(("https://", "#")) for target in targets)
    ours = [target for target in targets if target.startswith(REPOSITORY)]
    paths = [re.sub(rf"^{REPOSITORY}/(raw|blob)/v1\.2\.3/|#.*", "", target) for target in ours]
    assert len(ours) >= 15
    assert all((CHECKOUT / path).exists() for path in paths)
    assert f"{REPOSITORY}/raw/v1.2.3/docs/pictures/boxes.jpg" in ours


def test_any_other_build_has_the_readme_as_it_is(
    package_readme: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REPOSITORY", raising=False)
    assert described(package_readme) == README
