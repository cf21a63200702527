from pathlib import Path

import pytest

from gapnet.training.metrics_csv import Curves, begins_with, rows_of, table_of

TEXT = "loss,step\r\n0.5,1\r\n0.25,2\r\n"


def logged(path: Path, *rows: dict[str, float], text: str = "") -> Curves:
    curves = Curves(path, text=text)
    for row in rows:
        curves.log_metrics(
            {name: value for name, value in row.items() if name != "step"}, row["step"]
        )
    curves.save()
    return curves


def content(path: Path) -> str:
    return path.read_bytes().decode()


def test_the_text_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "metrics.csv"
    curves = logged(path, {"loss": 0.5, "step": 1}, {"loss": 0.25, "step": 2})
    assert curves.text == content(path) == TEXT
    curves.log_metrics({"error": 0.75}, 2)
    curves.save()
    assert curves.text == content(path) == "error,loss,step\r\n,0.5,1\r\n,0.25,2\r\n0.75,,2\r\n"


@pytest.mark.parametrize("lying", [None, b"", b"loss,step\r\n0.5,1\r\n0.2", b"\xff\x00" * 9])
def test_a_file_begins_with_the_text_whatever_lies_there(
    tmp_path: Path, lying: bytes | None
) -> None:
    path = tmp_path / "metrics.csv"
    if lying is not None:
        path.write_bytes(lying)
    logged(path, {"loss": 0.125, "step": 3}, text=TEXT)
    assert content(path) == f"{TEXT}0.125,3\r\n"


def test_rows_come_back_from_their_text() -> None:
    assert table_of(rows_of(TEXT)) == TEXT


@pytest.mark.parametrize(
    ("lying", "same"),
    [
        (TEXT, True),
        (f"{TEXT}0.125,3\r\n0.06", True),
        ("error,loss,step\r\n,0.5,1\r\n,0.25,2\r\n0.75,,2\r\n", True),
        (TEXT[:-3], False),
        (TEXT.replace("0.25", "0.35"), False),
        (TEXT.replace("loss", "moss"), False),
        (TEXT.replace("0.5,1", "0.5,1,7"), False),
        ("", False),
        ("loss,step\r\n0.5\udcff", False),
        ("x" * 200_000 + "\r\n1\r\n2\r\n", False),
        (None, False),
    ],
)
def test_altered_rows_differ_from_further_ones(
    tmp_path: Path, lying: str | None, *, same: bool
) -> None:
    path = tmp_path / "metrics.csv"
    if lying is not None:
        path.write_bytes(lying.encode(errors="surrogateescape"))
    assert begins_with(path, TEXT) is same
