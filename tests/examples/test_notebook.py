"""The notebook in examples/ runs from top to bottom, and is committed without outputs."""

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import CHECKOUT

NOTEBOOK = CHECKOUT / "examples" / "own_pictures.ipynb"
LARGEST = 20_000  # bytes
TIMEOUT = 600  # seconds of a cell
PICTURES = 4  # that it shows


def test_it_is_committed_without_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
    assert NOTEBOOK.stat().st_size < LARGEST


@pytest.mark.slow
def test_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
    monkeypatch.setenv("PYTHONPATH", path)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=TIMEOUT, resources=resources).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    printed = "".join(output["text"] for output in outputs if output.get("name") == "stdout")
    assert "Egyptian cat: " in printed
    assert sum("image/png" in output.get("data", ()) for output in outputs) == PICTURES
    assert outputs[-1]["data"]["text/plain"] == "['chelsea', 'coffee', 'rocket']"
