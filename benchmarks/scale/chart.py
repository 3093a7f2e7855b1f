"""Lines over two logarithmic axes, as an SVG file of its own. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH: Final = 600
_HEIGHT: Final = 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 20, 64, 52
_FONT: Final = "font-family:system-ui,-apple-system,'Segoe UI',sans-serif"


@dataclass(frozen=True)
class Series:
    """One line.

    Attributes:
        name: what it shows.
        colour: of CSS.
        points: places along both axes, from left to right.
        dashed: whether it is broken.
    """

    name: str
    colour: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis: its title, where it begins and ends, and the numbers that are written along it."""

    title: str
    least: float
    most: float
    ticks: Sequence[float]

    def place(self, value: float) -> float:
        """Return how far along the axis a value is, from 0 to 1; what is beyond an end is at that end."""
        bounded = min(max(value, self.least), self.most)
        return math.log(bounded / self.least) / math.log(self.most / self.least)


@dataclass(frozen=True)
class Mark:
    """A straight line across the chart at a value of one axis, with a few words."""

    text: str
    value: float
    upright: bool = False


def lines(title: str, x: Axis, y: Axis, series: Sequence[Series], marks: Sequence[Mark] = ()) -> str:
    """Return the chart. Solid and broken lines of one colour have one entry in the legend."""
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-labelledby="title" style="{_FONT}">',
        f'<title id="title">{escape(title)}</title>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="6" fill="#ffffff"/>',
    ]
    drawn += _grid(x, y)
    drawn += [_mark(mark, x, y) for mark in marks]
    drawn += [_line(one, x, y) for one in series]
    drawn += _legend([one for one in series if not one.dashed])
    return "\n".join([*drawn, "</svg>"]) + "\n"


def _across(x: Axis, value: float) -> float:
    return _LEFT + x.place(value) * (_WIDTH - _LEFT - _RIGHT)


def _up(y: Axis, value: float) -> float:
    return _HEIGHT - _BOTTOM - y.place(value) * (_HEIGHT - _TOP - _BOTTOM)


def _grid(x: Axis, y: Axis) -> list[str]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    drawn = []
    for tick in x.ticks:
        at = _across(x, tick)
        drawn.append(f'<line x1="{at:.1f}" y1="{_TOP}" x2="{at:.1f}" y2="{bottom}" stroke="#e4e7eb"/>')
        drawn.append(_text(f"{tick:,g}", at, bottom + 19, "middle"))
    for tick in y.ticks:
        at = _up(y, tick)
        drawn.append(f'<line x1="{_LEFT}" y1="{at:.1f}" x2="{right}" y2="{at:.1f}" stroke="#e4e7eb"/>')
        drawn.append(_text(f"{tick:,g} s", _LEFT - 8, at + 5, "end"))
    drawn.append(_text(x.title, (_LEFT + right) / 2, _HEIGHT - 10, "middle"))
    drawn.append(_text(y.title, 10, 20, "start"))
    return drawn


def _mark(mark: Mark, x: Axis, y: Axis) -> str:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    if mark.upright:
        at = _across(x, mark.value)
        line = f'<line x1="{at:.1f}" y1="{_TOP}" x2="{at:.1f}" y2="{bottom}" stroke="#8c959f" stroke-dasharray="2 3"/>'
        return line + _text(mark.text, at - 6, bottom - 8, "end", "#57606a")
    at = _up(y, mark.value)
    line = f'<line x1="{_LEFT}" y1="{at:.1f}" x2="{right}" y2="{at:.1f}" stroke="#8c959f" stroke-dasharray="2 3"/>'
    return line + _text(mark.text, _LEFT + 6, at - 6, "start", "#57606a")


def _line(series: Series, x: Axis, y: Axis) -> str:
    points = " ".join(f"{_across(x, at):.1f},{_up(y, value):.1f}" for at, value in series.points)
    broken = ' stroke-dasharray="6 4"' if series.dashed else ""
    return (
        f'<polyline points="{points}" fill="none" stroke="{escape(series.colour)}" stroke-width="2.5" '
        f'stroke-linejoin="round"{broken}><title>{escape(series.name)}</title></polyline>'
    )


def _legend(series: Sequence[Series]) -> list[str]:
    drawn, at = [], 10.0
    for one in series:
        drawn.append(
            f'<line x1="{at:.1f}" y1="44" x2="{at + 22:.1f}" y2="44" stroke="{escape(one.colour)}" stroke-width="3"/>'
        )
        drawn.append(_text(one.name, at + 28, 49, "start"))
        at += 28 + 8.2 * len(one.name) + 22
    return drawn


def _text(text: str, x: float, y: float, anchor: str, colour: str = "#24292f") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="15" fill="{colour}" text-anchor="{anchor}">{escape(text)}</text>'
