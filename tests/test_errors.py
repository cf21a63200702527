from pathlib import Path

import pytest
from torch._utils import ExceptionWrapper

from gapnet.data.loading.images import UnreadableImageError
from gapnet.errors import LONGEST, GapnetError, reading

PATH = Path("folder/a.json")


def test_an_error_is_one_line() -> None:
    assert str(GapnetError("a: is wrong\n  in this way\x85\u2028;\r\nmend it")) == (
        "a: is wrong in this way  ; mend it"
    )


def test_a_long_error_keeps_what_it_is_about_and_what_to_do() -> None:
    line = str(GapnetError(f"{PATH}: {'x' * 10_000}; mend it"))
    assert line.startswith(f"{PATH}: xxx")
    assert line.endswith("xxx; mend it")
    assert len(line) == LONGEST + len(" ... ")


def test_an_error_of_a_loader_s_process_keeps_its_message() -> None:
    original = UnreadableImageError(f"{PATH}: cannot be read; restore it")
    sent = ExceptionWrapper((type(original), original, None), "in DataLoader worker process 0")
    with pytest.raises(UnreadableImageError) as error:
        sent.reraise()  # as a DataLoader does with an error of its worker
    assert str(error.value) == f"{PATH}: cannot be read; restore it"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("odd\nbytes"), "is no JSON (odd bytes); mend it"),
        (RecursionError("too deep"), "is no JSON (too deep); mend it"),
        (MemoryError(), "is no JSON (MemoryError); mend it"),
        (IsADirectoryError(21, "Is a directory"), "is no JSON (Is a directory); mend it"),
        (FileNotFoundError(2, "No such file"), "no such file"),
        (GapnetError("its own"), None),
    ],
)
def test_whatever_a_decoder_raises_names_the_file(error: Exception, message: str | None) -> None:
    with pytest.raises(GapnetError) as raised, reading(PATH, "is no JSON", "mend it"):
        raise error
    assert str(raised.value) == ("its own" if message is None else f"{PATH}: {message}")


def test_what_is_no_error_passes() -> None:
    with pytest.raises(KeyboardInterrupt), reading(PATH, "is no JSON"):
        raise KeyboardInterrupt
