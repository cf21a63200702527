"""Shards of small data sets, and a server for them."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from gapnet.data.shards.write import write_shards
from gapnet.data.sources.ilsvrc import Ilsvrc
from gapnet.data.sources.shards import Shards

SPLITS = ("train_cls", "val", "test")
SMALL_MB = 0.02  # a shard: some eight images of the small stand-in data


def write_small(root: Path, to: Path) -> Path:
    """Write the stand-in data as several shards a split."""
    write_shards(Ilsvrc(root, test_split="test"), to, mb=SMALL_MB, workers=1)
    return to


def read_all(source: Shards) -> None:
    """Read every image."""
    for split in SPLITS:
        for record in source.records(split):
            source.reading.files.open(record.path).close()


class Served:
    """Count what a server was asked for; the first `failing` requests for shards fail."""

    def __init__(self, url: str) -> None:
        self.url, self.failing = url, 0
        self.asked: Counter[str] = Counter()


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """Serve a folder over HTTP."""

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked[self.path] += 1
            if self.path.endswith(".tar") and told.failing:
                told.failing -= 1
                self.send_error(503)
            else:
                super().do_GET()

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    server.handle_error = lambda *_: None  # a client that has read enough hangs up
    told = Served(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
