"""URLs of data sets: which are allowed, and servers that misbehave."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gapnet.data.shards import urls
from gapnet.data.shards.manifest import MANIFEST
from gapnet.data.shards.urls import check_url, download
from gapnet.data.sources.shards import Shards
from gapnet.errors import GapnetError
from tests.data.sharded import read_all, served
from tests.refusals import refused

Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urls, "WAITS", (0.0, 0.0))


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *arguments: object) -> None:
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{made.server_port}"
    finally:
        made.shutdown()
        made.server_close()


def begin(handler: BaseHTTPRequestHandler, **headers: str) -> None:
    handler.send_response(200)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()


@pytest.mark.parametrize(
    "url",
    [
        "reference::file:///tmp/evil.json",
        "simplecache::https://host/x",
        "https://host/x::file:///y",
        "reference://x",
        "memory://x",
        "github://a:b@c/",
        "jinja://x",
        "://x",
        "HTTP2://x",
        "local://x",
        "zip://a::https://b/c.zip",
        "dir::file:///x",
    ],
)
def test_other_schemes_and_chains_are_refused(url: str, tmp_path: Path) -> None:
    with refused("data.root", "file://"):
        Shards(url, cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    "url",
    [
        "https://me:hunter2@host/x",
        "https://hunter2@host/x",
        "https://me:hunter2/@host/x",
        "s3://key:hunter2@bucket/x",
        "https://host/x?token=hunter2",
        "https://host/x?X-Amz-Signature=hunter2&y=1",
        "https://host/x#hunter2",
    ],
)
def test_a_url_with_a_secret_is_refused_and_the_secret_not_shown(url: str) -> None:
    with pytest.raises(GapnetError, match=r"^data\.root=") as caught:
        check_url("data.root", url)
    assert "hunter2" not in str(caught.value)


def test_a_password_comes_from_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    seen = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers.get("Authorization"))
        begin(handler)
        handler.wfile.write(b"x")

    with server(answer) as url, (tmp_path / "x").open("wb") as file:
        download(f"{url}/x", file, limit=9)
    assert seen == ["Basic bWU6aHVudGVyMg=="]


def endless(handler: BaseHTTPRequestHandler) -> None:
    begin(handler)
    try:
        while True:
            handler.wfile.write(bytes(2**20))
    except OSError:
        handler.server.stopped = True  # the other side has hung up


def test_a_manifest_that_does_not_end_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gapnet.data.shards.fetch.LARGEST_MANIFEST", 2**21)
    with server(endless) as url, refused(f"data.root={url}", MANIFEST, "2,097,152 bytes"):
        Shards(url, cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_shard_that_does_not_end_is_cut_off_and_nothing_stays(
    tmp_path: Path, written: Path
) -> None:
    root = Path(shutil.copytree(written, tmp_path / "shards"))
    for shard in root.glob("val-*.tar"):
        with shard.open("r+b") as file:
            file.truncate(2**23)  # sparse
    with served(root) as told:
        source = Shards(told.url, cache=tmp_path / "cache")
        with refused(f"data.root={told.url}", "val-000000.tar", "bytes"):
            source.reading.files.open(source.records("val")[0].path)
    left = [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert not [name for name in left if "unfinished" in name or name.endswith(".tar")]


def test_a_compressed_body_is_not_unpacked(tmp_path: Path) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        begin(handler, Content_Encoding="gzip")
        handler.wfile.write(b"\x1f\x8b raw")

    with server(answer) as url, (tmp_path / "x").open("wb") as file:
        download(f"{url}/x", file, limit=100)
    assert (tmp_path / "x").read_bytes() == b"\x1f\x8b raw"


def test_a_server_that_sends_drops_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urls, "SILENCE", 0.1)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        begin(handler)
        for _ in range(20):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.02)

    with server(answer) as url, refused(f"data.root={url}", MANIFEST, "bytes"):
        Shards(url, cache=tmp_path)


def test_a_silent_server_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urls, "SILENCE", 0.1)
    with server(lambda handler: time.sleep(0.3)) as url, pytest.raises(GapnetError):
        Shards(url, cache=tmp_path)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "s3://bucket/x"])
def test_a_redirect_away_from_http_is_not_followed(tmp_path: Path, target: str) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", f"{target}/{MANIFEST}")
        handler.end_headers()

    with server(answer) as url, refused(f"data.root={url}"):
        Shards(url, cache=tmp_path)


def test_a_redirect_within_http_is_followed(tmp_path: Path, written: Path) -> None:
    with served(written) as told:

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(302)
            handler.send_header("Location", told.url + handler.path)
            handler.end_headers()

        with server(answer) as url:
            read_all(Shards(url, cache=tmp_path / "cache"))
