"""The measured part of docs/performance.md, from results.json alone: one table, and what is judged. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.dollars import a_million, a_month
from benchmarks.entries import BY_NAME, ENTRIES, LIMIT
from benchmarks.goals import GOALS
from benchmarks.spread import ratio
from dynamodb_stream_encryptor.planning.prices import Prices

Results = Mapping[str, Any]

BEGIN: Final = "<!-- measured: written by make bench -->"
END: Final = "<!-- /measured -->"
CHART: Final = "images/performance.svg"
_MB: Final = 1024**2


def rendered(page: str, results: Results, prices: Prices) -> str:
    """Return ``page`` with what stands between its markers made anew; raise ValueError where it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no markers for what is measured")
    parts = (
        _run(results),
        chart_link(),
        writes_table(results, prices),
        _reads(results),
        _goals(results),
        _others(results),
    )
    return f"{before}{begin}\n\n" + "\n".join(part for part in parts if part) + f"\n{end}{after}"


def chart_link() -> str:
    """Return the chart, as Markdown."""
    return f"![Items a second, processor time and cost by contender, at 6 KB; the table has the figures]({CHART})\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first are numbers."""
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def figure(number: float) -> str:
    """Return a number with as many digits as say something, as in ``0``, ``0.86``, ``12.3`` and ``1,234``."""
    if number == 0:
        return "0"
    size = abs(number)
    return f"{number:,.0f}" if size >= 99.95 else f"{number:.1f}" if size >= 9.995 else f"{number:.2f}"


def spread(one: Mapping[str, Any]) -> str:
    """Return a median, and the range of its rounds."""
    return f"{figure(one['median'])} ({figure(one['low'])}–{figure(one['high'])})"


def _run(results: Results) -> str:
    run = results["run"]
    quick = "**A quick run**: few items and rounds, so that times vary. " if run["quick"] else ""
    busy = run["load"] > run["cores"] / 2
    load = f"**The machine had other work** (load {run['load']:g}): items a second say little. " if busy else ""
    return (
        f"{quick}{load}Measured on {run['date']}: {run['cores']} cores ({run['processor']}, {run['system']}), Python "
        f"{run['python']}, {run['engine']}, KMS answering after {run['kmsMilliseconds']:g} ms, items from "
        f"`{run['sessions']}`.\n"
    )


def writes_table(results: Results, prices: Prices) -> str:
    """Return the table of what was measured of writes."""
    head = (
        "size, contender",
        "items/s",
        "of the limit",
        "CPU ms an item",
        "KMS calls",
        "DynamoDB requests",
        "stored/plain",
        "write units",
        f"{prices.currency} a million",
        f"{prices.currency} a month",
    )
    rows = []
    for size in sizes(results):
        plain = [f" ({figure(write['plainBytes'] / 1024)} KB)" for write in measured(results, size).values()][:1]
        rows.append([f"**{size} KB**{''.join(plain)}", *[""] * (len(head) - 1)])
        limit = measured(results, size).get(LIMIT)
        for name, write in measured(results, size).items():
            speed = write["itemsPerSecond"]
            share = f"{ratio(speed, limit['itemsPerSecond']):.0%}" if limit else "–"
            rows.append(
                [
                    BY_NAME[name].title,
                    spread(speed),
                    share.replace("%", " %"),
                    spread(write["cpuMilliseconds"]),
                    figure(write["kmsCalls"]),
                    figure(write["dynamodbRequests"]),
                    figure(write["storedBytes"] / write["plainBytes"]),
                    figure(write["writeUnits"]),
                    figure(a_million(write, prices)),
                    figure(a_month(write, prices)),
                ]
            )
        rows += [
            [BY_NAME[name].title, "does not fit", *["–"] * (len(head) - 2)]
            for name, by_size in results["writes"].items()
            if "tooLarge" in by_size.get(size, {})
        ]
    return table(head, rows) + (
        "\nItems a second and processor time are medians, with the range of the rounds. The contenders take turns, "
        "round by round; a ratio is the median of each round's, so that what slows the machine slows both sides. "
        f"{prices.currency} a million: one re-write of a million items by list prices of {prices.region} (read "
        f"{prices.as_of}): scan, KMS, write units on demand, and Lambda for the time measured here, at 1,769 MB. "
        f"{prices.currency} a month: storing them. What does not fit would be larger than the 400 KB that DynamoDB "
        "stores.\n"
    )


def sizes(results: Results) -> list[str]:
    """Return the sizes that were measured, ascending."""
    return sorted({size for by_size in results["writes"].values() for size in by_size}, key=int)


def measured(results: Results, size: str) -> dict[str, Any]:
    """Return what was measured of a size, by contender, in the order of `benchmarks/entries.py`."""
    found = {entry.name: results["writes"].get(entry.name, {}).get(size, {}) for entry in ENTRIES}
    return {name: write for name, write in found.items() if "itemsPerSecond" in write}


def _reads(results: Results) -> str:
    rows = [
        [
            f"GET of {size} KB, {'first' if which == 'first' else 'repeated'}",
            spread(read[which]["milliseconds"]),
            spread(read[which]["cpuMilliseconds"]),
            figure(read[which]["kmsCalls"]),
            figure(read[which]["dynamodbRequests"]),
        ]
        for size, read in results.get("reads", {}).items()
        for which in ("first", "repeated")
    ]
    head = ("read, by the reader's function", "ms", "CPU ms", "KMS calls", "DynamoDB requests")
    return "### Reads\n\n" + table(head, rows) if rows else ""


def _goals(results: Results) -> str:
    rows = []
    for goal in GOALS:
        reached = goal.reached(results)
        bound = f"{'≥' if goal.at_least else '≤'} {goal.bound:g}{goal.unit}"
        if reached is None:
            rows.append([goal.what, bound, "not measured", "–"])
        else:
            shown = f"{reached:.3g}{goal.unit}"
            rows.append([goal.what, bound, shown, "met" if goal.is_met(reached) else "**not met**"])
    return "### Goals\n\n" + table(("figure, at 6 KB", "goal", "reached", ""), rows)


def _others(results: Results) -> str:
    lines = []
    if memory := results.get("memory"):
        lines.append(
            f"- Peak memory of the stream's function, a batch of {memory['records']:,} records of 50 KB items: "
            f"{memory['peakBytes'] / _MB:.0f} MB, of which {memory['startedBytes'] / _MB:.0f} MB before the batch."
        )
    for name, layer in results.get("layers", {}).items():
        compiled = f"{layer['compiledFiles']:,} of {layer['sourceFiles']:,} modules compiled"
        lines.append(f"- {name}: {layer['bytes'] / _MB:.1f} MB unzipped, {compiled}.")
    if imports := results.get("coldImports"):
        each = ", ".join(
            f"{name.removesuffix('Function')} {one['cpuSeconds']['median']:.2f} s ({one['modules']} modules)"
            for name, one in imports.items()
        )
        lines.append(f"- Cold imports, processor time: {each}.")
    lines += [f"- Not measured: {missing}." for missing in results["missing"]]
    return "### Memory, layer, cold imports\n\n" + "\n".join(lines) + "\n" if lines else ""
