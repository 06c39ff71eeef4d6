"""Curves as a picture: lines over a logarithmic axis, beside each other."""

import math
from html import escape

STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600; font-size: 13px } .note { font-size: 11px; fill: #59636e }
  .grid { stroke: #d1d9e0; fill: none } path.line { fill: none; stroke-width: 2 } circle { stroke: none }
  .c0 { stroke: #0969da; fill: #0969da } .c1 { stroke: #1a7f37; fill: #1a7f37 } .c2 { stroke: #bc4c00; fill: #bc4c00 }
  text.c0, text.c1, text.c2 { stroke: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .note { fill: #9198a1 } .grid { stroke: #3d444d }
    .c0 { stroke: #4493f8; fill: #4493f8 } .c1 { stroke: #3fb950; fill: #3fb950 } .c2 { stroke: #f0883e; fill: #f0883e }
  }
"""
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM, GAP = 760, 258, 44, 62, 48, 52, 30
TICKS_MAX = 5
# The same server has the same colour everywhere.
COLOURS = {"swagip": "c0", "nginx": "c1", "HAProxy": "c2"}
# Names at the ends of lines keep this distance from each other.
NAME_HEIGHT = 13


class Panel:
    """One picture of a row: series are lists of (x, y) by name. With `logarithmic` y is, too; else it begins at 0."""

    def __init__(self, title, unit, series, logarithmic=False):
        self.title, self.unit, self.logarithmic = title, unit, logarithmic
        self.series = {name: points for name, points in series.items() if points}


def chart(title, panels, note):
    width = (WIDTH - GAP * (len(panels) - 1)) / len(panels)
    parts = [f'<text class="title" x="0" y="14">{escape(title)}</text>']
    for index, panel in enumerate(panels):
        parts += drawn(panel, index * (width + GAP), width)
    parts.append(f'<text class="note" x="0" y="{HEIGHT - 4}">{escape(note)}</text>')
    start = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
    return f"{start}\n<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"


def drawn(panel, left, width):
    xs = sorted({x for points in panel.series.values() for x, _ in points})
    ys = [y for points in panel.series.values() for _, y in points]
    x_at = scale(xs[0], xs[-1], left + LEFT, left + width - RIGHT, True)
    low = 10 ** math.floor(math.log10(min(ys))) if panel.logarithmic else 0
    ticks = decades(low, max(ys)) if panel.logarithmic else steps(max(ys))
    y_at = scale(low, ticks[-1], HEIGHT - BOTTOM, TOP, panel.logarithmic)
    yield f'<text x="{left:.0f}" y="34">{escape(panel.title)}</text>'
    for tick in ticks:
        yield f'<path class="grid" d="M{left + LEFT:.1f} {y_at(tick):.1f} H{left + width - RIGHT:.1f}"/>'
        yield f'<text class="note" x="{left + LEFT - 6:.1f}" y="{y_at(tick) + 4:.1f}" text-anchor="end">{short(tick)}</text>'
    for x in spaced(xs, x_at):
        yield f'<text class="note" x="{x_at(x):.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">{short(x)}</text>'
    yield f'<text class="note" x="{left + width - RIGHT:.1f}" y="{HEIGHT - BOTTOM + 29}" text-anchor="end">{escape(panel.unit)}</text>'
    ends = apart({name: y_at(points[-1][1]) for name, points in panel.series.items()})
    for name, points in panel.series.items():
        colour = COLOURS.get(name, "c0")
        path = " L".join(f"{x_at(x):.1f} {y_at(y):.1f}" for x, y in points)
        yield f'<path class="line {colour}" d="M{path}"/>'
        yield from (f'<circle class="{colour}" cx="{x_at(x):.1f}" cy="{y_at(y):.1f}" r="2.5"/>' for x, y in points)
        yield f'<text class="{colour}" x="{x_at(points[-1][0]) + 8:.1f}" y="{ends[name] + 4:.1f}">{escape(name)}</text>'


def scale(low, high, start, end, logarithmic):
    turn = math.log if logarithmic else lambda value: value
    span = (turn(high) - turn(low)) or 1
    return lambda value: start + (turn(value) - turn(low)) / span * (end - start)


def steps(high):
    """Round numbers from 0 to past the highest."""
    rough = (high or 1) / TICKS_MAX
    unit = 10 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)
    return [step * index for index in range(math.ceil(high / step - 1e-9) + 1)]


def decades(low, high):
    count = max(1, math.ceil(math.log10(high / low) - 1e-9))
    return [low * 10**power for power in range(count + 1)]


def spaced(xs, x_at):
    """The points that are far enough from each other for their numbers to be read."""
    shown = []
    for x in xs:
        if not shown or x_at(x) - x_at(shown[-1]) > 30:
            shown.append(x)
    return shown


def apart(places):
    """Moves names down where they would cover each other."""
    below = -math.inf
    for name in sorted(places, key=places.get):
        below = places[name] = max(places[name], below + NAME_HEIGHT)
    return places


def short(number):
    for unit, name in ((1_000_000, "M"), (1_000, "k")):
        if number >= unit:
            return f"{number / unit:.3g}{name}"
    return f"{number:.3g}"
