"""Make the pictures of README and docs: python experiments/pictures/make.py."""

import sys
from itertools import chain
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(1, str(CHECKOUT))  # the Python that runs this need not have gapnet installed

from gallery import gallery  # noqa: E402
from protocol_examples import protocol_examples  # noqa: E402
from report_page import write_report_pictures  # noqa: E402
from symptoms import symptoms  # noqa: E402

from gapnet.explanations.montage import montage  # noqa: E402

FOLDER = CHECKOUT / "docs" / "pictures"
QUALITY = 85


def main() -> None:
    """Write every picture into docs/pictures."""
    for name, columns, tiles in chain(gallery(), symptoms(), protocol_examples()):
        path = FOLDER / f"{name}.jpg"
        montage(tiles, columns=columns).save(path, quality=QUALITY, optimize=True)
        print(path.relative_to(CHECKOUT), f"{path.stat().st_size / 1000:.0f} kB")
    write_report_pictures()


if __name__ == "__main__":
    main()
