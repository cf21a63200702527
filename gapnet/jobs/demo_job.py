"""Shows a network in a browser."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gapnet.explanations.explain import on_gpu
from gapnet.models.network_choice import NetworkChoice
from gapnet.system.extras import load_extra
from gapnet.system.value_checks import whole_number

HIGHEST_PORT = 65_535


@dataclass(frozen=True)
class DemoJob:
    """A demo of a network.

    Args:
        network: the network.
        port: of the page on this machine; None is the first free one from 7860.
    """

    network: NetworkChoice
    port: int | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        whole_number("port", self.port, least=1, most=HIGHEST_PORT, optional=True)


def open_demo(job: DemoJob) -> Any:
    """Return the demo's page; without Gradio, raise an error before the network loads."""
    page = load_extra("gapnet.explanations.demo_page", extra="demo")
    return page.build_page(on_gpu(job.network.load()))


def run_demo(job: DemoJob, *, announce: Callable[[str], None]) -> None:
    """Serve the demo on this machine until it is interrupted.

    Args:
        job: the demo.
        announce: is called with the page's address.
    """
    page = open_demo(job)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every request
    _, address, _ = page.launch(
        server_name="127.0.0.1",
        server_port=job.port,
        share=False,
        quiet=True,
        prevent_thread_lock=True,
    )
    announce(address)
    page.block_thread()
