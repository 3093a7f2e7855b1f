"""The chart: three panels of bars, one bar a contender, as an SVG that is readable in light and dark. Pure.

It stands in a page as an image, so its colours cannot come from the page: it has its own for either scheme, on no
background. What it shows is also its title and description, for whoever cannot see it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from benchmarks.dollars import a_million
from benchmarks.entries import BY_NAME
from benchmarks.page import figure, measured
from dynamodb_stream_encryptor.planning.prices import Prices

SIZE: Final = "6"

_NAMES: Final = 262  # Where the bars of the first panel begin.
_PANEL: Final = 206
_GAP: Final = 26
_NUMBER: Final = 46  # What is left free behind the longest bar, for its figure.
_TOP: Final = 62
_ROW: Final = 34
_BAR: Final = 18
_BOTTOM: Final = 46
_TICKS: Final = 3

_STYLE: Final = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.unit, .tick { fill: #59636e; } .tick { font-size: 11px; } .head { font-weight: 600; }
.ours { fill: #1a7f5a; } .limit { fill: #8c959f; } .other { fill: #4a7ab5; }
.grid { stroke: #d1d9e0; } .axis { stroke: #59636e; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; } .unit, .tick { fill: #9198a1; }
.ours { fill: #3fb984; } .limit { fill: #818b98; } .other { fill: #6ea8e8; }
.grid { stroke: #3d444d; } .axis { stroke: #9198a1; }
}
"""


@dataclass(frozen=True)
class Panel:
    """One figure of every contender.

    Attributes:
        head: what is shown.
        axis: the axis's label: unit, and which way is better.
        figures: one a contender.
    """

    head: str
    axis: str
    figures: Sequence[float]


def chart(results: Mapping[str, Any], prices: Prices) -> str:
    """Return the chart of the writes at 6 KB; raise ValueError where none was measured."""
    writes = measured(results, SIZE)
    if not writes:
        raise ValueError(f"nothing was measured at {SIZE} KB")
    panels = (
        Panel(
            "Items a second", "items/s, more is better", [one["itemsPerSecond"]["median"] for one in writes.values()]
        ),
        Panel(
            "Processor time",
            "ms an item, less is better",
            [one["cpuMilliseconds"]["median"] for one in writes.values()],
        ),
        Panel(
            "Cost, list prices",
            f"{prices.currency} a million items, less is better",
            [a_million(one, prices) for one in writes.values()],
        ),
    )
    return drawn(list(writes), panels)


def drawn(names: Sequence[str], panels: Sequence[Panel]) -> str:
    """Return the chart of ``panels`` for the contenders ``names``."""
    width = _NAMES + len(panels) * (_PANEL + _GAP)
    height = _TOP + _ROW * len(names) + _BOTTOM
    title = f"What re-writing items of {SIZE} KB takes, by contender"
    spoken = ". ".join(
        f"{BY_NAME[name].title}: "
        + ", ".join(f"{figure(panel.figures[row])} {panel.axis.partition(',')[0]}" for panel in panels)
        for row, name in enumerate(names)
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-labelledby="title description">',
        f'<title id="title">{escape(title)}</title><desc id="description">{escape(spoken)}.</desc>',
        f"<style>{_STYLE}</style>",
        f'<text class="head" x="12" y="22">{escape(title)}</text>',
        *(_name(name, row) for row, name in enumerate(names)),
        *(_panel(panel, names, _NAMES + number * (_PANEL + _GAP)) for number, panel in enumerate(panels)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def step(largest: float) -> float:
    """Return the distance of an axis's ticks, 1, 2 or 5 times a power of ten: few of them reach ``largest``."""
    rough = largest / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)


def _name(name: str, row: int) -> str:
    return f'<text x="{_NAMES - 12}" y="{_middle(row) + 4.5}" text-anchor="end">{escape(BY_NAME[name].title)}</text>'


def _panel(panel: Panel, names: Sequence[str], left: float) -> str:
    largest = max(panel.figures)
    scale = (_PANEL - _NUMBER) / largest
    bottom = _TOP + _ROW * len(names)
    apart = step(largest)
    ticks = [apart * number for number in range(int(largest / apart) + 1)]
    return "\n".join(
        [
            f'<text class="head" x="{left}" y="{_TOP - 12}">{escape(panel.head)}</text>',
            *(_tick(left + tick * scale, tick, bottom) for tick in ticks),
            *(
                f'<rect class="{_colour(name)}" x="{left}" y="{_middle(row) - _BAR / 2}" '
                f'width="{max(number * scale, 1):.1f}" height="{_BAR}" rx="2"/>'
                f'<text x="{left + number * scale + 6:.1f}" y="{_middle(row) + 4.5}">{figure(number)}</text>'
                for row, (name, number) in enumerate(zip(names, panel.figures, strict=True))
            ),
            f'<line class="axis" x1="{left}" y1="{_TOP}" x2="{left}" y2="{bottom}"/>',
            f'<text class="unit" x="{left}" y="{bottom + 36}">{escape(panel.axis)}</text>',
        ]
    )


def _tick(x: float, number: float, bottom: float) -> str:
    return (
        f'<line class="grid" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}"/>'
        f'<text class="tick" x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{number:g}</text>'
    )


def _middle(row: int) -> float:
    return _TOP + row * _ROW + _ROW / 2


def _colour(name: str) -> str:
    kind = BY_NAME[name].kind
    return kind if kind in ("limit", "other") else "ours"
