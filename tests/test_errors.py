from pathlib import Path

import pytest
from torch.utils.data import DataLoader

from gapnet.data.loading.images import UnreadableImageError
from gapnet.errors import LONGEST, GapnetError, reading

PATH = Path("folder/a.json")


def test_an_error_is_told_in_one_line() -> None:
    assert str(GapnetError("a: is wrong\n  in this way\x85\u2028;\r\nmend it")) == (
        "a: is wrong in this way  ; mend it"
    )


def test_a_long_error_keeps_what_it_is_about_and_what_to_do() -> None:
    told = str(GapnetError(f"{PATH}: {'x' * 10_000}; mend it"))
    assert told.startswith(f"{PATH}: xxx")
    assert told.endswith("xxx; mend it")
    assert len(told) == LONGEST + len(" ... ")


class Broken:
    def __len__(self) -> int:
        return 1

    def __getitem__(self, row: int) -> None:
        raise UnreadableImageError(f"{PATH}: cannot be read; restore it")


def test_an_error_of_a_loader_s_process_is_told_as_it_was() -> None:
    with pytest.raises(UnreadableImageError) as caught:
        next(iter(DataLoader(Broken(), num_workers=1)))
    assert str(caught.value) == f"{PATH}: cannot be read; restore it"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("odd\nbytes"), "is no JSON (odd bytes); mend it"),
        (RecursionError("too deep"), "is no JSON (too deep); mend it"),
        (MemoryError(), "is no JSON (MemoryError); mend it"),
        (IsADirectoryError(21, "Is a directory"), "is no JSON (Is a directory); mend it"),
        (FileNotFoundError(2, "No such file"), "no such file"),
        (GapnetError("its own"), None),
    ],
)
def test_whatever_a_decoder_raises_names_the_file(error: Exception, told: str | None) -> None:
    with pytest.raises(GapnetError) as caught, reading(PATH, "is no JSON", "mend it"):
        raise error
    assert str(caught.value) == ("its own" if told is None else f"{PATH}: {told}")


def test_what_is_no_error_passes() -> None:
    with pytest.raises(KeyboardInterrupt), reading(PATH, "is no JSON"):
        raise KeyboardInterrupt
