"""Networks of the Hugging Face hub: a local server answers as the hub does."""

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import timm
import torch
from huggingface_hub import ModelCard, hf_hub_download
from safetensors.torch import save_file

import gapnet
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import save
from gapnet.models.weights import hub
from tests.refusals import refused

COMMIT = "0" * 40


class Hub(BaseHTTPRequestHandler):
    """The hub's answers to HEAD and GET of /OWNER/NAME/resolve/REVISION/FILE."""

    root: Path

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.wfile.write(self.answer())

    def answer(self) -> bytes:
        owner, name, _, revision, file = self.path.strip("/").split("/")
        repository = self.root / owner / name
        error = None
        if name == "gated":
            error = "GatedRepo"
        elif not repository.is_dir():
            error = "RepoNotFound"
        elif revision not in ("main", COMMIT):
            error = "RevisionNotFound"
        elif not (repository / file).is_file():
            error = "EntryNotFound"
        self.send_response(200 if error is None else 403 if error == "GatedRepo" else 404)
        if error is not None:
            self.send_header("X-Error-Code", error)
        self.send_header("X-Repo-Commit", COMMIT)
        content = b"" if error else (repository / file).read_bytes()
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.end_headers()
        return content

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def repositories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield the folder of a local server, which gapnet takes for the hub."""
    root = tmp_path / "repositories"
    root.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Local", (Hub,), {"root": root}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    place = f"http://127.0.0.1:{server.server_port}"
    fetch = partial(hf_hub_download, endpoint=place)

    def local(*args: object, cache_dir: object, **options: object) -> str:
        return fetch(*args, cache_dir=tmp_path / "cache", **options)

    monkeypatch.setattr(hub, "hf_hub_download", local)
    yield root
    server.shutdown()
    thread.join()
    server.server_close()


def network() -> GapNet:
    torch.manual_seed(0)
    made = gapnet.create_model("tiny_gap", 2, input_size=32, width=8).eval()
    made.set_classes(["c1", "c2"], ["cat", "dog"])
    return made


def is_same(one: GapNet, other: GapNet) -> bool:
    images = torch.randn(2, 3, 32, 32)
    return torch.equal(one(images), other(images)) and one.class_names == other.class_names


def test_a_network_is_loaded_by_its_name(repositories: Path) -> None:
    save(network(), repositories / "owner" / "name")
    assert is_same(gapnet.load("hf-hub:owner/name"), network())
    assert is_same(gapnet.load(Path("hf-hub:owner/name@main")), network())
    assert is_same(GapNet.from_pretrained("owner/name"), network())
    assert is_same(GapNet.from_pretrained("owner/name", revision=COMMIT), network())
    shutil.rmtree(repositories / "owner")
    assert is_same(GapNet.from_pretrained("owner/name", local_files_only=True), network())


def test_a_training_may_start_from_the_hub(repositories: Path) -> None:
    save(network(), repositories / "owner" / "name")
    arguments = {"input_size": 32, "width": 8, "weights": "hf-hub:owner/name"}
    assert gapnet.create_model("tiny_gap", 2, **arguments).class_names == ["cat", "dog"]


def timm_folder(
    folder: Path, name: str = "test_efficientnet", **changes: object
) -> torch.nn.Module:
    """Write a folder as timm does."""
    torch.manual_seed(0)
    options = {"img_size": 64} if "vit" in name else {}
    module = timm.create_model(name, num_classes=3, **options).eval()
    folder.mkdir(parents=True)
    save_file(module.state_dict(), folder / "model.safetensors")
    config = {
        "architecture": name,
        "num_classes": 3,
        "label_names": ["a", "b", "c"],
        "label_descriptions": {"a": "ape"},
        "pretrained_cfg": {"input_size": [3, 64, 64], "mean": [0.1, 0.2, 0.3], "std": [1, 1, 1]},
    }
    (folder / "config.json").write_text(json.dumps(config | changes))
    return module


@pytest.mark.parametrize("name", ["test_efficientnet", "test_vit"])  # with and without class maps
def test_a_classifier_of_timm_is_loaded_by_its_name(repositories: Path, name: str) -> None:
    module = timm_folder(repositories / "someone" / "theirs", name)
    loaded = gapnet.load("hf-hub:someone/theirs")
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(loaded(images), module(images), atol=1e-5, rtol=1e-5)
    assert loaded.facts.input_size == (64, 64)
    assert list(loaded.facts.mean) == [0.1, 0.2, 0.3]
    assert loaded.class_names == ["ape", "b", "c"]


@pytest.mark.parametrize(
    "changes",
    [
        {"model_args": {"output_stride": 8}},
        {"num_classes": "3"},
        {"num_classes": 10**9},
        {"pretrained_cfg": {"input_size": [3, 10**5, 10**5]}},
        {"pretrained_cfg": {"mean": "x"}},
        {"pretrained_cfg": {"std": [1, 0, 1]}},
        {"pretrained_cfg": {"mean": [0.5]}},
        {"pretrained_cfg": 3},
        {"label_descriptions": 3},
        {"architecture": ["resnet18"]},
        {"architecture": "hf-hub:other/network"},
    ],
)
def test_a_folder_of_timm_that_cannot_be_built_is_refused(tmp_path: Path, changes: dict) -> None:
    timm_folder(tmp_path / "a", **changes)
    with refused():
        gapnet.load(tmp_path / "a")


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("hf-hub:owner/nothing", ["hf-hub:owner/nothing"]),
        ("hf-hub:owner/gated", ["hf-hub:owner/gated"]),
        ("hf-hub:owner/empty", ["hf-hub:owner/empty", "model.safetensors"]),
        ("hf-hub:owner/empty@other", ["hf-hub:owner/empty", "'other'"]),
        ("hf-hub:owner/text", ["model.safetensors"]),
        ("hf-hub:owner/foreign", ["model.safetensors"]),
        ("hf-hub:a b/c/d", ["hf-hub:OWNER/NAME"]),
        ("hf-hub:", ["hf-hub:OWNER/NAME"]),
    ],
)
def test_what_is_no_network_on_the_hub_is_one_line(
    repositories: Path, name: str, parts: list[str]
) -> None:
    write(repositories / "owner" / "empty" / "README.md", b"nothing")
    write(repositories / "owner" / "text" / "model.safetensors", b"hello")
    (repositories / "owner" / "foreign").mkdir()
    save_file({"a": torch.ones(1)}, repositories / "owner" / "foreign" / "model.safetensors")
    with refused(*parts):
        gapnet.load(name)


def test_without_a_connection_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with refused("hf-hub:owner/name"):
        GapNet.from_pretrained("owner/name", cache_dir=tmp_path, local_files_only=True)

    def unreachable(*_: object, **__: object) -> str:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(hub, "hf_hub_download", unreachable)
    with refused("hf-hub:owner/name", "ConnectionError"):
        gapnet.load("hf-hub:owner/name")


class Api:
    """The part of HfApi that uploads; it copies the files."""

    folder: Path
    calls: list[tuple[str, dict[str, object]]]

    def __init__(self, token: str | None) -> None:
        self.calls.append(("token", {"token": token}))

    def create_repo(self, repo: str, **options: object) -> str:
        self.calls.append(("create_repo", {"repo": repo, **options}))
        return f"the hub/{repo}"

    def create_branch(self, repo: str, **options: object) -> None:
        self.calls.append(("create_branch", {"repo": repo, **options}))

    def upload_folder(self, *, repo_id: str, folder_path: Path, **options: object) -> None:
        shutil.copytree(folder_path, self.folder / repo_id)
        self.calls.append(("upload_folder", options))


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[Api]:
    patched = type("Patched", (Api,), {"folder": tmp_path / "uploaded", "calls": []})
    monkeypatch.setattr(hub, "HfApi", patched)
    return patched


def test_a_network_is_pushed_with_its_card(api: type[Api]) -> None:
    address = network().push_to_hub("owner/name", private=True, token="t", branch="draft")
    assert address == "the hub/owner/name"
    folder = api.folder / "owner" / "name"
    assert is_same(gapnet.load(folder), network())
    assert ModelCard.load(folder / "README.md").data.library_name == "gapnet"
    assert ("token", {"token": "t"}) in api.calls
    assert ("create_repo", {"repo": "owner/name", "private": True, "exist_ok": True}) in api.calls
    assert [options["branch"] for call, options in api.calls if call == "create_branch"] == [
        "draft"
    ]


def test_save_pretrained_writes_and_pushes(api: type[Api], tmp_path: Path) -> None:
    assert network().save_pretrained(tmp_path / "mine", card="# mine\n") is None
    assert (tmp_path / "mine" / "README.md").read_text() == "# mine\n"
    assert is_same(GapNet.from_pretrained(tmp_path / "mine"), network())
    network().save_pretrained(tmp_path / "mine", repo_id="owner/name", push_to_hub=True)
    assert is_same(gapnet.load(api.folder / "owner" / "name"), network())


def test_an_upload_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(Api):
        calls: list = []  # noqa: RUF012

        def create_repo(self, repo: str, **options: object) -> str:
            raise OSError("401 Client Error.\nmore lines")

    monkeypatch.setattr(hub, "HfApi", Failing)
    with refused("hf-hub:owner/name", "401"):
        network().push_to_hub("owner/name")
    with refused("repo_id=a b"):
        network().push_to_hub("a b")
