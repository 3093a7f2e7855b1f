"""Writes docs/scale.md and its chart from the benchmark's figures; with --check, tells whether they are up to date."""

import argparse
import sys
from pathlib import Path

from benchmarks.results import FILE
from benchmarks.scale import document, figures
from dynamodb_stream_encryptor.planning.prices import find_prices

REGION = "us-east-1"


def main() -> int:
    """Write the page, or check it; return the exit code: 1 where it is not what would be written."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where something would change")
    parser.add_argument(
        "--figures",
        type=Path,
        default=FILE,
        help="figures, as benchmarks/results.json has them (default: that)",
    )
    given = parser.parse_args()
    prices = find_prices(REGION, None)
    if prices is None:
        print(f"There are no prices for {REGION}.", file=sys.stderr)
        return 1
    made, chart = document.sections(figures.read(given.figures), prices)
    stale = document.store(made, chart, document.PAGE, document.CHART, only_look=given.check)
    for file in stale:
        print(f"{'would change' if given.check else 'wrote'} {file.relative_to(document.ROOT)}")
    if not stale:
        print("docs/scale.md is what the figures make of it.")
    return int(bool(stale) and given.check)


if __name__ == "__main__":
    sys.exit(main())
