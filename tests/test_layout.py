from pathlib import Path

import pytest

from gapnet.errors import GapnetError
from gapnet.layout import read_config, whole, write_whole


def write_half(path: Path) -> None:
    with whole(path) as unfinished:
        unfinished.write_text("half")
        raise KeyboardInterrupt


def test_a_file_that_is_not_completed_leaves_nothing(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.txt", "before")
    with pytest.raises(KeyboardInterrupt):
        write_half(tmp_path / "a.txt")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("a.txt", "before")]


@pytest.mark.parametrize(
    "text", ["a: {b: [1, 2.5, null, 'x']}\n", "", "- 1\n", "a: '*b'\nc: '!!python/name:d'\n"]
)
def test_plain_yaml_is_given_as_it_stands(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    assert read_config(tmp_path / "config.yaml") == text


LAUGHS = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40)
)


@pytest.mark.parametrize(
    "content",
    [
        LAUGHS.encode(),
        b"a: !!python/object/apply:os.system [ls]",
        b"a: !<tag:yaml.org,2002:python/name:os.system> x",
        b"!!map {a: 1}",
        b"a: " + b"[" * 100_000,
        b"a: " + b"{b: " * 60,
        b"a: [",
        b"\xff\xfe\x00",
        b"a: \x00",
        b"x" * 2**20,
    ],
)
def test_yaml_that_could_do_or_become_more_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.yaml").write_bytes(content)
    with pytest.raises(GapnetError, match=r"config\.yaml: is not the configuration of a run \("):
        read_config(tmp_path / "config.yaml")
