"""Draws panels of lines as an SVG, as Grafana would show them."""

import math
from html import escape

WIDTH, HEIGHT, GAP, COLUMNS = 380, 230, 12, 3
LEFT, TOP, RIGHT, BOTTOM = 52, 34, 14, 62
COLORS = ["#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9", "#705da0", "#508642", "#cca300"]
LEGEND_MAX = 10


def ticks(most):
    """Round numbers from 0 to at least `most`."""
    step = 10 ** math.floor(math.log10(most / 4)) if most > 0 else 1
    step *= next(factor for factor in (1, 2, 5, 10) if step * factor * 4 >= most)
    return [step * index for index in range(5) if step * (index - 1) < most]


def named(number, unit):
    if unit == "percentunit":
        return f"{number * 100:g} %"
    if unit in ("bytes", "Bps"):
        for name, size in (("MB", 1e6), ("kB", 1e3)):
            if number >= size:
                return f"{number / size:g} {name}"
        return f"{number:g} B"
    return f"{number:g}"


def panel(title, unit, lines, since, until):
    lines = lines[:LEGEND_MAX]
    most = max((number for _, points in lines for _, number in points), default=1)
    marks = ticks(most * 1.05 or 1)
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    x = lambda when: LEFT + wide * (when - since) / (until - since)
    y = lambda number: TOP + high * (1 - number / marks[-1])
    per_second = " a second" if unit in ("reqps", "cps", "Bps") else ""
    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" rx="3" fill="#181b1f"/>']
    parts.append(f'<text x="12" y="21" class="title">{escape(title)}<tspan class="unit">{per_second}</tspan></text>')
    for mark in marks:
        parts.append(f'<path d="M{LEFT} {y(mark):.1f}h{wide}" stroke="#2c3235"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(mark) + 3.5:.1f}" text-anchor="end">{named(mark, unit)}</text>')
    for index, (_, points) in enumerate(lines):
        path = "L".join(f"{x(when):.1f} {y(number):.1f}" for when, number in points)
        parts.append(f'<path d="M{path}" fill="none" stroke="{COLORS[index % len(COLORS)]}" stroke-width="1.4"/>')
    across, down = 14, HEIGHT - BOTTOM + 22
    for index, (legend, _) in enumerate(lines):
        width = 20 + 6.1 * len(legend)
        if across + width > WIDTH - 8:
            across, down = 14, down + 14
        parts.append(f'<rect x="{across}" y="{down - 5}" width="9" height="3" fill="{COLORS[index % len(COLORS)]}"/>')
        parts.append(f'<text x="{across + 13}" y="{down}">{escape(legend)}</text>')
        across += width
    return "".join(parts)


def svg(panels, since, until):
    """`panels`: title, unit and lines of each; a line is its legend and its points, of seconds and values."""
    rows = -(-len(panels) // COLUMNS)
    width, height = COLUMNS * (WIDTH + GAP) + GAP, rows * (HEIGHT + GAP) + GAP
    text = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="10.5">']
    text.append("<style>text{fill:#9fa7b3}.title{fill:#d8d9da;font-size:13px}.unit{fill:#9fa7b3;font-size:11px}</style>")
    text.append(f'<rect width="{width}" height="{height}" fill="#111217"/>')
    for index, (title, unit, lines) in enumerate(panels):
        place = GAP + index % COLUMNS * (WIDTH + GAP), GAP + index // COLUMNS * (HEIGHT + GAP)
        text.append(f'<g transform="translate({place[0]} {place[1]})">{panel(title, unit, lines, since, until)}</g>')
    text.append("</svg>\n")
    return "\n".join(text)
