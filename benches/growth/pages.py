"""What came of a run: tables, pictures, and the section of docs/performance.md that shows them."""

import pathlib
import statistics

import chain
import curves
import draw
import overload
import seen
from bench import ROOT

RECORD = ROOT / "benches/record"
DOCUMENT = ROOT / "docs/performance.md"
BEGIN, END = "<!-- benches/growth/run writes from here -->", "<!-- to here -->"
# From this load average on, at the start of a run, it is told: as much as one processor's work was going on.
BUSY_MIN = 1
LABELS = {"swagip": "swagip", "nginx": "nginx", "haproxy": "HAProxy"}


def middle(runs, *path):
    """The median, over rounds, of what stands there."""
    values = runs
    for key in path:
        values = [value[key] for value in values]
    return statistics.median(values)


def curve(results, *path, factor=1):
    """Points of one server, in order."""
    return [(int(point), middle(runs, *path) * factor) for point, runs in results.items()]


def note(part):
    about = part["about"]
    busy = f"; load average {about['busy']} at the start" if about["busy"] >= BUSY_MIN else ""
    rounds = f"medians of {about['rounds']} rounds" if about["rounds"] > 1 else "one round"
    return f"{about['machine']}; {about['date']}, {about['commit']}; {rounds}{busy}"


def pictures(record):
    """SVG texts by the names of their files."""
    found = {}
    if part := record.get("curves"):
        for name, results in part["results"].items():
            own = record.get("instructions", {"results": {}})["results"].get(name)
            found[f"growth-{name}.svg"] = draw.chart(curves.AXES[name].title, axis_panels(name, results, own), note(part))
    if part := record.get("replicas"):
        found["growth-replicas.svg"] = draw.chart("Replicas after HAProxy, as deploy/haproxy.cfg has it", replica_panels(part["results"]), note(part))
    if part := record.get("overload"):
        for way, results in part["results"].items():
            title = f"Offered load, as multiples of what a server carries: {overload.WAYS[way]}"
            found[f"growth-overload-{way}.svg"] = draw.chart(title, overload_panels(results), note(part))
    return found


def axis_panels(name, results, own=None):
    unit = curves.AXES[name].unit
    cost = draw.Panel("CPU for a request, µs", unit, {LABELS[each]: curve(points, "cpu_us") for each, points in results.items()})
    if own:
        return [cost, draw.Panel("Instructions of swagip's own for a request", unit, {"swagip": curve(own, "instructions")})]
    if name not in ("idle", "threads"):
        return [cost]
    memory = {LABELS[each]: curve(points, "own_kib", factor=1 / 1024) for each, points in results.items()}
    return [cost, draw.Panel("Memory of its own, MiB", unit, memory, logarithmic=True)]


def replica_panels(results):
    parts = ("haproxy", "swagip")
    busy = {LABELS[each]: curve(results, "cpu_us", each) for each in parts}
    idle = {LABELS[each]: curve(results, "idle_us_a_second", each, factor=1e-4) for each in parts}
    return [draw.Panel("CPU for a request, µs", "replicas", busy), draw.Panel("CPU for checks alone, % of a processor", "replicas", idle)]


def overload_panels(results):
    share = {LABELS[name]: goodput(runs) for name, runs in results.items()}
    slow = {LABELS[name]: by_multiple(runs, "p99", 1e-3) for name, runs in results.items()}
    return [draw.Panel("Goodput, % of the best", "times", share), draw.Panel("p99 since a request was due, ms", "times", slow, logarithmic=True)]


def by_multiple(runs, key, factor=1.0):
    return [(float(multiple), middle([run["runs"][multiple] for run in runs], key) * factor) for multiple in runs[0]["runs"]]


def goodput(runs):
    points = by_multiple(runs, "goodput")
    best = max(y for _, y in points) or 1
    return [(x, 100 * y / best) for x, y in points]


def sentence(name, results):
    """What a curve says, in one sentence."""
    unit = curves.AXES[name].unit
    ends = {each: (curve(points, "cpu_us")[0], curve(points, "cpu_us")[-1]) for each, points in results.items()}
    (first, _), (last, _) = next(iter(ends.values()))
    rises = [f"{LABELS[each]} {start:.1f} → {end:.1f} (× {end / start:.2f})" for each, ((_, start), (_, end)) in ends.items()]
    return f"From {first:,} to {last:,} {unit}, µs a request: {', '.join(rises)}."


def section(record):
    """The text of docs/performance.md between the two marks."""
    texts = []
    writers = {"curves": curves_text, "overload": overload_text, "replicas": replicas_text, "chain": chain_text, "start": start_text, "seen": seen_text}
    for key, write in writers.items():
        if part := record.get(key):
            texts += [*write(part["results"]), "", f"({note(part)}.)", ""]
        if key == "curves" and "instructions" in record:
            texts += [*instructions_text(record["instructions"]["results"]), ""]
    return "\n".join(texts)


def curves_text(results):
    for name, found in results.items():
        yield from ["", f"**{curves.AXES[name].title}.** {sentence(name, found)}"]
        if name == "idle":
            yield memory_sentence(found)
        yield from ["", f"![{curves.AXES[name].title}](../benches/record/growth-{name}.svg)"]


def instructions_text(results):
    """What one more of each costs, between the two ends of its curve."""
    yield from ["What swagip itself adds, in instructions (callgrind; user space only, exact):", "", "| | first | last | one more takes |", "|---|---|---|---|"]
    for name, found in results.items():
        (low, first), *_, (high, last) = curve(found, "instructions")
        axis = curves.AXES[name]
        yield f"| {axis.title} | {low:,} {counted(low, axis.unit)}: {first:,.0f} | {high:,}: {last:,.0f} | {(last - first) / (high - low):,.2f} |"


def counted(number, unit):
    """The unit, which is a plural, as it stands after this number."""
    return unit.removesuffix("s") if number == 1 else unit


def memory_sentence(results):
    each = []
    for name, points in results.items():
        memory = curve(points, "own_kib", factor=1024)
        (first, least), (last, most) = memory[0], memory[-1]
        each.append(f"{LABELS[name]} {(most - least) / (last - first):,.0f}")
    return f"Bytes of a server's own memory that an idle connection adds: {', '.join(each)}."


def overload_text(results):
    yield from ["### Overloaded", "", f"The server has {100 - overload.HOG_PERCENT} % of a processor. Latency is counted from when a request was due."]
    for way, found in results.items():
        yield from ["", f"**{overload.WAYS[way].capitalize()}.** {overload.RULES[way]}", ""]
        yield "| | carries | at | goodput | of the best | p50 ms | p99 ms | p99.9 ms | answers to the median client, to the worst |"
        yield "|---|---|---|---|---|---|---|---|---|"
        for name, runs in found.items():
            yield from overload_rows(name, runs)
        yield from ["", f"![Goodput and latency by offered load](../benches/record/growth-overload-{way}.svg)"]


def overload_rows(name, runs):
    share = dict(goodput(runs))
    for multiple in runs[0]["runs"]:
        cells = [run["runs"][multiple] for run in runs]
        times = " | ".join(f"{middle(cells, key) / 1e3:,.1f}" for key in ("p50", "p99", "p99.9"))
        yield (
            f"| {LABELS[name]} | {middle(runs, 'carried'):,.0f}/s | {multiple} × | {middle(cells, 'goodput'):,.0f}/s | {share[float(multiple)]:.0f} % "
            f"| {times} | {middle(cells, 'median'):,.0f}, {middle(cells, 'least'):,.0f} |"
        )


def replicas_text(results):
    first, last = list(results)[0], list(results)[-1]
    yield from ["### Replicas after HAProxy", ""]
    parts = [
        f"{LABELS[each]} {middle(results[first], 'cpu_us', each):.1f} → {middle(results[last], 'cpu_us', each):.1f}" for each in ("haproxy", "swagip")
    ]
    idle = [f"{LABELS[each]} {middle(results[last], 'idle_us_a_second', each) / 1e4:.2f} %" for each in ("haproxy", "swagip")]
    yield f"From {first} to {last} replicas, µs a request: {', '.join(parts)}. Share of a processor for the checks of {last} alone: {', '.join(idle)}."
    yield f"A scrape with {last} of them: {', '.join(scrape_words(results[last], each) for each in ('haproxy', 'swagip'))}."
    yield from ["", "![CPU of HAProxy and of swagip, apart](../benches/record/growth-replicas.svg)"]


def scrape_words(runs, name):
    cost, length = middle(runs, "scrape", name, "cpu_us") / 1e3, middle(runs, "scrape", name, "bytes") / 1e3
    return f"{LABELS[name]} {cost:.2f} ms of a processor and {length:,.0f} KB"


def chain_text(results):
    yield from ["### What the lines of deploy/haproxy.cfg cost", ""]
    yield f"µs of a processor for a request, of HAProxy and of {chain.FEW} replicas, with one thing changed at a time. The ratio is that of the sum to the"
    yield "sum with the file as it ships (for TLS: with h2load, but without TLS), round by round:"
    yield from ["", "| | HAProxy | swagip | ratio | fresh connections: HAProxy | swagip | ratio |", "|---|---|---|---|---|---|---|"]
    for name, runs in results.items():
        base = results["h2load" if chain.VARIANTS[name].alpn else "shipped"]
        cells = [cell for way in ("kept", "fresh") for cell in chain_cells(runs, base, way)]
        yield f"| {chain.VARIANTS[name].says} | {' | '.join(cells)} |"


def chain_cells(runs, base, way):
    if way not in runs[0] or way not in base[0]:
        return ["", "", ""]
    ratio = statistics.median(sum(run[way].values()) / sum(other[way].values()) for run, other in zip(runs, base))
    return [f"{middle(runs, way, 'haproxy'):.1f}", f"{middle(runs, way, 'swagip'):.1f}", f"{ratio:.2f}"]


def start_text(results):
    yield from ["### From nothing", "", "A hundred start at once on one processor; the figures for each are medians, up to its first answer:", ""]
    yield "| | all have answered after | CPU each, ms | page faults each | resident MiB | its own MiB | program's file, KB |"
    yield "|---|---|---|---|---|---|---|"
    for name, runs in results.items():
        yield (
            f"| {LABELS[name]} | {middle(runs, 'seconds'):.2f} s | {middle(runs, 'cpu_ms'):.1f} | {middle(runs, 'faults'):,.0f} "
            f"| {middle(runs, 'resident_kib') / 1024:.1f} | {middle(runs, 'own_kib') / 1024:.1f} | {middle(runs, 'file_bytes') / 1e3:,.0f} |"
        )


def seen_text(results):
    yield from ["### Metrics and the access log", ""]
    yield "µs of a processor for a curl request on 64 kept connections. The ratio is to the server with neither, round by round, with the least and the greatest"
    yield "in brackets. A line that is not read at once is kept, and dropped when the buffer is full:"
    yield ""
    yield "| | " + " | ".join(f"{seen.DEPTHS[way]}, µs | ratio" for way in seen.WAYS) + " | lines read |"
    yield "|---|" + "---|---|" * len(seen.WAYS) + "---|"
    for name, runs in results.items():
        cells = [cell for way in seen.WAYS for cell in seen_cells(runs, results[seen.BASE], way)]
        read = f"{middle(runs, 'read'):.1%}".replace("%", " %") if "read" in runs[0] else ""
        yield f"| {seen.VARIANTS[name].says} | {' | '.join(cells)} | {read} |"


def seen_cells(runs, base, way):
    ratios = [run[way]["cpu_us"] / other[way]["cpu_us"] for run, other in zip(runs, base)]
    return [f"{middle(runs, way, 'cpu_us'):.2f}", f"{statistics.median(ratios):.3f} [{min(ratios):.3f}–{max(ratios):.3f}]"]


def between_marks(document, text, begin=BEGIN, end=END):
    """The document with this text between its marks."""
    before, _, rest = document.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"the marks are not there: {begin} … {end}")
    return f"{before}{begin}\n{text.strip()}\n\n{end}{after}"


def table(record):
    """Every figure, for growth.txt."""
    for key, part in record.items():
        yield f"{key}: " + "; ".join(f"{name} {value}" for name, value in part["about"].items())
        yield from rows(part["results"], [])
        yield ""


def rows(found, path):
    """Medians over the rounds of each number, a line for each list of rounds."""
    if isinstance(found, list):
        numbers = ", ".join(f"{name} {value:.6g}" for name, value in flat(found).items())
        yield f"  {' '.join(path):28} {numbers}"
        return
    for key, value in found.items():
        yield from rows(value, [*path, key])


def flat(runs, before=""):
    found = {}
    for key, value in runs[0].items():
        each = [run[key] for run in runs]
        found |= flat(each, f"{before}{key}.") if isinstance(value, dict) else {f"{before}{key}": statistics.median(each)}
    return found


def write(record):
    (RECORD / "growth.txt").write_text("\n".join(table(record)))
    for name, text in pictures(record).items():
        (RECORD / name).write_text(text)
    DOCUMENT.write_text(between_marks(DOCUMENT.read_text(), section(record)))


def is_current(record):
    """Whether the pictures and the document are those that the record makes."""
    document = DOCUMENT.read_text()
    return between_marks(document, section(record)) == document and all(
        (RECORD / name).exists() and (RECORD / name).read_text() == text for name, text in pictures(record).items()
    )


def record_file():
    return pathlib.Path(RECORD / "growth.json")
