"""Line charts as SVG text, in the colours of the page that they are in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10

from markupsafe import escape

from gapnet.text.plain_text import plain

WIDTH, HEIGHT = 480, 300
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 34, 44  # margins
TICKS = 5  # of an axis, at most
CHARACTER, SAMPLE = 7.5, 22  # width of a letter, and of the piece of line before a name
LINE_HEIGHT = 16

Curve = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True)
class Axes:
    """Converts values to positions in the chart; x from `first` to `last`, y from 0 to `top`."""

    first: float
    last: float
    top: float

    @classmethod
    def around(cls, curves: Mapping[str, Curve]) -> "Axes":
        """Return axes that show all finite values."""
        xs = [x for positions, _ in curves.values() for x in positions]
        ys = [y for _, values in curves.values() for y in values if abs(y) < float("inf")]
        first, last = min(xs, default=0), max(xs, default=1)
        return cls(first, last if last > first else first + 1, max([*ys, 0]) * 1.05 or 1)

    def x(self, value: float) -> float:
        """Return the position of a value on the horizontal axis."""
        width = WIDTH - LEFT - RIGHT
        return round(LEFT + width * (value - self.first) / (self.last - self.first), 1)

    def y(self, value: float) -> float:
        """Return the position of a value on the vertical axis."""
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.top, 1)


def line_chart(
    curves: Mapping[str, Curve],
    *,
    x: str,
    y: str,
    title: str,
    marks: Mapping[str, float] | None = None,
) -> str:
    """Return a chart of curves over a common axis, with named vertical marks."""
    axes = Axes.around(curves)
    parts = [
        *_grid(axes, x, y),
        *_lines(axes, curves),
        *_marks(axes, marks or {}),
    ]
    head = (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_text(title)}">'
    )
    return "\n".join([head, *parts, "</svg>"])


def ticks(first: float, last: float) -> list[float]:
    """Return round numbers between two values, at even distances.

    >>> ticks(0, 0.99)
    [0.0, 0.2, 0.4, 0.6, 0.8]
    """
    rough = (last - first) / TICKS
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    start = -floor(-first / step)
    return [round(number * step, 10) for number in range(start, floor(last / step + 1e-9) + 1)]


def _grid(axes: Axes, x: str, y: str) -> Iterator[str]:
    """Yield lines and numbers of the axes, and their names."""
    low = HEIGHT - BOTTOM
    for value in ticks(0, axes.top):
        at = axes.y(value)
        yield f'<path class="grid" d="M{LEFT} {at}H{WIDTH - RIGHT}"/>'
        yield f'<text x="{LEFT - 6}" y="{at + 4}" text-anchor="end">{value:g}</text>'
    for value in ticks(axes.first, axes.last):
        yield f'<text x="{axes.x(value)}" y="{low + 18}" text-anchor="middle">{value:g}</text>'
    middle = (low + TOP) / 2
    yield f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{_text(x)}</text>'
    turned = f'transform="translate(14 {middle}) rotate(-90)"'
    yield f'<text {turned} text-anchor="middle">{_text(y)}</text>'


def _lines(axes: Axes, curves: Mapping[str, Curve]) -> Iterator[str]:
    """Yield the curves, and above them their names."""
    at = float(LEFT)
    for number, (name, (positions, values)) in enumerate(curves.items()):
        points = " ".join(
            f"{axes.x(position)},{axes.y(value)}"
            for position, value in zip(positions, values, strict=True)
            if abs(value) < float("inf")
        )
        style = f"line line{number % 4}"
        yield f'<polyline class="{style}" points="{points}"/>'
        yield f'<path class="{style}" d="M{at} 12h{SAMPLE - 4}"/>'
        yield f'<text x="{at + SAMPLE}" y="16">{_text(name)}</text>'
        at += SAMPLE + CHARACTER * len(plain(name)) + 14


def _marks(axes: Axes, marks: Mapping[str, float]) -> Iterator[str]:
    """Yield vertical lines with their names, one below the other; equal ones share a line."""
    names: dict[float, list[str]] = {}
    for name, position in marks.items():
        names.setdefault(position, []).append(name)
    for number, (position, shared) in enumerate(sorted(names.items())):
        at, top = axes.x(position), TOP + LINE_HEIGHT * number
        left = at < WIDTH / 2
        yield f'<path class="mark mark{number % 3}" d="M{at} {top}V{HEIGHT - BOTTOM}"/>'
        yield (
            f'<text class="label" x="{at + (5 if left else -5)}" y="{top + 9}" '
            f'text-anchor="{"start" if left else "end"}">{_text(", ".join(shared))}</text>'
        )


def _text(value: str) -> str:
    return str(escape(plain(value)))
