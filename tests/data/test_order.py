import pytest
import torch

from gapnet.data.loading.order import Chunks, shuffled


def order(count: int, chunks: Chunks | None = None, seed: int = 3) -> list[int]:
    return shuffled(count, torch.Generator().manual_seed(seed), chunks)


def dealt(count: int, chunks: int, mixed: int) -> Chunks:
    return Chunks(torch.arange(count).view(-1, chunks).T.contiguous().unbind(), mixed)


def plain(count: int) -> list[int]:
    return torch.randperm(count, generator=torch.Generator().manual_seed(3)).tolist()


def test_without_chunks_it_is_a_permutation_of_torch() -> None:
    assert order(50) == plain(50)


@pytest.mark.parametrize("mixed", [6, 100])
def test_chunks_that_may_all_be_mixed_change_nothing(mixed: int) -> None:
    assert order(60, dealt(60, chunks=6, mixed=mixed)) == plain(60)


@pytest.mark.parametrize("mixed", [1, 2, 5])
def test_each_row_comes_once(mixed: int) -> None:
    assert sorted(order(60, dealt(60, chunks=6, mixed=mixed))) == list(range(60))


def test_a_chunk_may_have_fewer_rows_than_are_mixed() -> None:
    chunks = Chunks([torch.tensor([2]), torch.tensor([0, 1]), torch.tensor([3, 4])], 2)
    assert sorted(order(5, chunks)) == list(range(5))


@pytest.mark.parametrize("mixed", [1, 3])
def test_no_more_chunks_are_wanted_at_a_time_than_are_mixed(mixed: int) -> None:
    rows = order(400, dealt(400, chunks=20, mixed=mixed))
    chunk = [row % 20 for row in rows]  # which `dealt` put it into
    last = {each: place for place, each in enumerate(chunk)}
    wanted: set[int] = set()
    most = 0
    for place, each in enumerate(chunk):
        wanted.add(each)
        most = max(most, len(wanted))
        wanted -= {each} if last[each] == place else set()
    assert most == mixed


def test_chunks_and_their_rows_come_in_another_order_under_another_seed() -> None:
    chunks = dealt(400, chunks=20, mixed=3)
    assert order(400, chunks) == order(400, chunks)
    assert order(400, chunks) != order(400, chunks, seed=4)
