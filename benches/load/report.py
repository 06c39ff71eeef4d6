"""What came of a run: a table, and a chart for the README."""

import statistics
from html import escape

from loads import WORKLOADS

BASE = "floor"
QUANTILES = ("p50", "p99", "p99.9")


def ratios(runs, base, key):
    """Round by round: the median, the least and the greatest."""
    values = [run[key] / other[key] for run, other in zip(runs, base)]
    return statistics.median(values), min(values), max(values)


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def table(outcome):
    lines = [f"{name}: {value}" for name, value in outcome["about"].items()]
    for workload, results in outcome["results"].items():
        load = WORKLOADS[workload]
        base = "nginx" if load.pace else BASE if BASE in results else next(iter(results))
        rounds = len(results[base])
        lines += ["", f"{workload}: {load.description} ({load.tool}); medians of {rounds} rounds; ratios to {base}, round by round"]
        lines += latencies(results, base) if load.pace else costs(results, base)
    return "\n".join(lines) + "\n"


def costs(results, base):
    yield f"{'server':12}{'CPU us':>9}{'ratio':>8}{'[least..most]':>18}{'requests/s':>12}{'p50 us':>9}{'p99 us':>9}{'errors':>8}{'bytes':>7}"
    for name, runs in results.items():
        middle, least, most = ratios(runs, results[base], "cpu_us")
        rate = statistics.median(run["requests"] / run["seconds"] for run in runs)
        spread = f"[{least:.3f}..{most:.3f}]"
        # wrk loses its percentiles now and then and says 0.
        p50, p99 = (f"{value:9.0f}" if (value := median(runs, key)) else f"{'-':>9}" for key in ("p50", "p99"))
        yield (
            f"{name:12}{median(runs, 'cpu_us'):9.3f}{middle:8.3f}{spread:>18}{rate:12.0f}{p50}{p99}"
            f"{sum(run['errors'] for run in runs):8}{runs[0]['answer_bytes']:7}"
        )


def latencies(results, base):
    yield f"{'server':12}" + "".join(f"{quantile + ' us':>11}{'ratio':>8}" for quantile in QUANTILES) + f"{'requests/s':>12}{'errors':>8}"
    for name, runs in results.items():
        cells = (f"{median(runs, key):11.0f}{ratios(runs, results[base], key)[0]:8.3f}" for key in QUANTILES)
        rate = statistics.median(run["requests"] / run["seconds"] for run in runs)
        yield f"{name:12}" + "".join(cells) + f"{rate:12.0f}{sum(run['errors'] for run in runs):8}"


def syscalls(results):
    for workload, found in results.items():
        for name, runs in found.items():
            calls = ", ".join(f"{call} {count:.3f}" for call, count in runs[0]["calls"].items())
            print(f"{workload:12}{name:12}{runs[0]['total']:7.3f} a request: {calls}")


STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600 } .note { font-size: 11px; fill: #59636e }
  .bar { fill: #9aa4af } .ours { fill: #0969da } .floor { stroke: #59636e; stroke-dasharray: 3 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .note { fill: #9198a1 } .bar { fill: #656c76 } .ours { fill: #4493f8 } .floor { stroke: #9198a1 }
  }
"""

WIDTH, LEFT, RIGHT, ROW, GAP = 720, 80, 60, 20, 34


def chart(outcome):
    """Bars of processor time for each request, as multiples of the floor's; one group for each workload that is not paced."""
    groups = {name: results for name, results in outcome["results"].items() if not WORKLOADS[name].pace and BASE in results}
    parts, y = [], 28
    for workload, results in groups.items():
        shown = {name: ratios(runs, results[BASE], "cpu_us")[0] for name, runs in results.items() if name not in (BASE, "control")}
        scale = (WIDTH - LEFT - RIGHT) / max(shown.values(), default=1)
        parts.append(f'<text class="title" x="0" y="{y + 13}">{escape(workload)}: {escape(WORKLOADS[workload].description)}</text>')
        y += 22
        for index, (name, ratio) in enumerate(sorted(shown.items(), key=lambda row: row[1])):
            top, kind = y + index * ROW, "ours" if name == "swagip" else "bar"
            parts.append(f'<text x="{LEFT - 8}" y="{top + 13}" text-anchor="end">{escape(name)}</text>')
            parts.append(f'<rect class="{kind}" x="{LEFT}" y="{top + 2}" width="{ratio * scale:.1f}" height="{ROW - 5}" rx="2"/>')
            parts.append(f'<text x="{LEFT + max(ratio, 1) * scale + 6:.1f}" y="{top + 13}">{ratio:.2f}</text>')
        parts.append(f'<path class="floor" d="M{LEFT + scale:.1f} {y} v{len(shown) * ROW}"/>')
        y += len(shown) * ROW + GAP - 22
    notes = ["1 (dashed) is a C program on epoll that parses nothing.", f"{outcome['about']['machine']}; {outcome['about']['date']}"]
    parts += [f'<text class="note" x="0" y="{y + 8 + 16 * row}">{escape(note)}</text>' for row, note in enumerate(notes)]
    title = "CPU per request, as a multiple of the least that epoll allows"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 32}" role="img" aria-label="{title}">\n<style>{STYLE}</style>\n'
        + "\n".join([f'<text class="title" x="0" y="14">{title}</text>', *parts])
        + "\n</svg>\n"
    )
