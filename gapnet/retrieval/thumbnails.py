"""Small pictures of a data set's images, as texts that a page contains."""

import base64
import io
from dataclasses import dataclass
from functools import cached_property

from gapnet.data.loading.images import Parts, UnreadableImageError, edges_of_part, read_image
from gapnet.data.records import Records
from gapnet.data.sample import Source
from gapnet.errors import GapnetError
from gapnet.ops.overlay import fit

QUALITY = 82  # of JPEG


@dataclass(frozen=True)
class Thumbnails:
    """Small pictures of one split.

    Args:
        source: the data set.
        records: of the split.
        parts: boxes that are shown in place of whole images; None shows these.
        side: pixels of the longer side.
    """

    source: Source
    records: Records
    parts: Parts | None
    side: int

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {image: row for row, image in enumerate(self.records.ids)}

    def check(self, image: str) -> None:
        """Refuse an image that the data set does not have."""
        if image not in self._rows:
            raise GapnetError(
                f"data: {self.source.title} has no image {image}, which the features have; name "
                "the data set of the features with data=... data.root=..."
            )

    def uri(self, image: str) -> str | None:
        """Return a picture as a data URI; None if it cannot be read."""
        self.check(image)
        path, reading = self.records[self._rows[image]].path, self.source.reading
        try:
            picture = read_image(path, exif=reading.exif, files=reading.files)
        except UnreadableImageError:
            return None
        if self.parts is not None:
            picture = picture.crop(edges_of_part(self.parts[image], picture.size))
        buffer = io.BytesIO()
        fit(picture, self.side).save(buffer, format="JPEG", quality=QUALITY)
        return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
