"""`python -m benchmarks`: measures, and writes what docs/performance.md shows."""

import argparse
import os
import sys
from pathlib import Path
from typing import Final

from benchmarks import chart, page, results
from benchmarks.entries import BY_NAME, ENTRIES
from benchmarks.parties import REGION, ROOT
from benchmarks.run import Plan, Progress, run
from benchmarks.samples import SIZES
from dynamodb_stream_encryptor.planning.prices import Prices, find_prices
from local.dynamodb_local import installed
from local.errors import LocalStackError
from local.sessions import SAMPLES

PAGE: Final = ROOT / "docs/performance.md"
_ITEMS: Final = {1: 100, 6: 100, 50: 24, 300: 6}
_QUICK_ITEMS: Final = {1: 40, 6: 40, 50: 12, 300: 4}


def main(arguments: list[str] | None = None) -> int:
    """Measure or render; return the exit code."""
    options = _options(arguments)
    prices = find_prices(REGION, options.prices)
    if prices is None:
        print(f"There are no prices for {REGION}.", file=sys.stderr)
        return 1
    if options.render:
        write(results.load(), prices)
        return 0
    try:
        installed()
    except LocalStackError as error:
        print(f"NOTHING IS MEASURED: {error}", file=sys.stderr)
        return 1
    plan = _plan(options)
    found = run(plan, Progress())
    if plan.whole:
        results.save(found)
        write(found, prices)
        print(f"Written: {results.FILE.relative_to(ROOT)}, {PAGE.relative_to(ROOT)}, docs/{page.CHART}")
    else:
        print(page.writes_table(found, prices))
        print("Only a run of all contenders and sizes is written down.")
    for missing in found["missing"]:
        print(f"NOT MEASURED: {missing}", file=sys.stderr)
    return 0


def write(found: page.Results, prices: Prices) -> None:
    """Render the page and its chart."""
    PAGE.write_text(page.rendered(PAGE.read_text(encoding="utf-8"), found, prices), encoding="utf-8")
    (PAGE.parent / page.CHART).write_text(chart.chart(found, prices), encoding="utf-8")


def _plan(options: argparse.Namespace) -> Plan:
    names, wanted = options.contenders or list(BY_NAME), options.sizes or list(SIZES)
    items = _QUICK_ITEMS if options.quick else _ITEMS
    return Plan(
        entries=[entry for entry in ENTRIES if entry.name in names],
        sizes={size: items[size] for size in SIZES if size in wanted},
        rounds=options.rounds or (2 if options.quick else 7),
        reads=4 if options.quick else 12,
        records=60 if options.quick else 1_000,
        imports=3 if options.quick else 7,
        kms_milliseconds=options.kms_ms,
        sessions=options.sessions,
        whole=not options.contenders and not options.sizes,
        quick=options.quick,
    )


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench",
        description="Measures what encrypting a table costs, beside what one would use instead, and writes "
        "docs/performance.md. A quarter of an hour; on DynamoDB Local (npm, Java 17).",
        epilog="With make: QUICK=1 CONTENDERS=kms,lisa SIZES=6 ROUNDS=3 SESSIONS=FILE. Only a run of all contenders "
        "and sizes is written down.",
    )
    parser.add_argument("--quick", action="store_true", help="few items and rounds: four minutes")
    parser.add_argument("--contenders", type=_names, help=f"only these of: {', '.join(BY_NAME)}")
    parser.add_argument("--sizes", type=_sizes, help=f"only these sizes in KB of: {', '.join(map(str, SIZES))}")
    parser.add_argument("--rounds", type=int, help="rounds that count (7; quick: 2)")
    parser.add_argument("--kms-ms", type=float, default=8, help="milliseconds after which KMS answers (8)")
    parser.add_argument("--sessions", type=Path, default=_sessions(), help="sessions as .jsonl or .jsonl.gz")
    parser.add_argument("--prices", type=Path, help="a price list, as for stream-encryptor plan")
    parser.add_argument("--render", action="store_true", help="measure nothing: write the page from results.json")
    return parser.parse_args(arguments)


def _sessions() -> Path:
    return Path(os.environ.get("SESSIONS_FILE") or SAMPLES)


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in BY_NAME]:
        raise argparse.ArgumentTypeError(f"{unknown[0]} is none of {', '.join(BY_NAME)}")
    return names


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(size) for size in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no list of numbers") from None
    if unknown := [size for size in sizes if size not in SIZES]:
        raise argparse.ArgumentTypeError(f"{unknown[0]} is none of {', '.join(map(str, SIZES))}")
    return sizes


if __name__ == "__main__":
    sys.exit(main())
