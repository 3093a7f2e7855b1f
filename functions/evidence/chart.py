"""Horizontal bars as inline SVG: a name, a bar, a number and its share. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH: Final = 760
_ROW: Final = 30
_BAR: Final = 16
_NAMES: Final = 245  # Where bars begin.
_NUMBERS: Final = 130  # What is left free behind the longest.
_LETTER: Final = 8.4  # Width of a letter of a name, roughly: longer names are cut, with the whole as a tooltip.


@dataclass(frozen=True)
class Bar:
    """One bar: how many of `total` items, in a colour of CSS."""

    name: str
    number: int
    colour: str


def bars(title: str, rows: Sequence[Bar], total: int) -> str:
    """Return the chart; lengths are shares of `total`."""
    height = _ROW * len(rows) + 4
    spoken = "; ".join(f"{row.name}: {row.number}" for row in rows)
    drawn = "".join(_row(row, index, total) for index, row in enumerate(rows))
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(f"{title}. {spoken}")}">'
        f'<line class="axis" x1="{_NAMES}" y1="0" x2="{_NAMES}" y2="{height}"/>{drawn}</svg>'
    )


def _row(row: Bar, index: int, total: int) -> str:
    share = row.number / total if total else 0.0
    length = min(share, 1.0) * (_WIDTH - _NAMES - _NUMBERS)
    if row.number:
        length = max(length, 2.0)  # One of a million is still seen.
    middle = index * _ROW + _ROW / 2 + 2
    kind = "" if row.number else " zero"
    text = f"{row.number:,}" + (f" · {_per_cent(share)}" if row.number else "")
    return (
        f"<g><title>{escape(f'{row.name}: {text}')}</title>"
        f'<text class="name{kind}" x="{_NAMES - 12}" y="{middle}" text-anchor="end">{escape(_cut(row.name))}</text>'
        f'<rect x="{_NAMES}" y="{middle - _BAR / 2}" width="{length:.1f}" height="{_BAR}" rx="2" '
        f'fill="{escape(row.colour)}"/>'
        f'<text class="number{kind}" x="{_NAMES + length + 9:.1f}" y="{middle}">{escape(text)}</text></g>'
    )


def _cut(name: str) -> str:
    limit = int(_NAMES / _LETTER)
    return name if len(name) <= limit else f"…{name[1 - limit :]}"


def _per_cent(share: float) -> str:
    """Return a share that says 0 % or 100 % only where it is exactly that."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{share:.1%}".replace(".0%", "%").replace("%", " %")
