"""docs/scale.md, whose tables this program writes between markers, and its chart."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.scale import tables
from benchmarks.scale.figures import Figures
from dynamodb_stream_encryptor.planning.prices import Prices

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs/scale.md"
CHART: Final = ROOT / "docs/images/scale-window.svg"
COMPARED: Final = Path(__file__).with_name("local.json")
"""What `benchmarks/scale/local.py` measured last."""

_MARKED: Final = re.compile(r"(<!-- made: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def sections(figures: Figures, prices: Prices) -> tuple[dict[str, str], str]:
    """Return what stands between the markers, by their names, and the chart."""
    windows, chart = tables.windows(figures)
    return {
        "rests-on": tables.rests_on(figures),
        "costs": tables.costs(figures, prices),
        "from-then-on": tables.from_then_on(figures, prices),
        "a-million": tables.a_million(figures, prices),
        "times": tables.times(figures),
        "settings": tables.settings_for(figures),
        "steady": tables.steadily(figures),
        "bounds": tables.bounds(figures),
        "many-shards": tables.many_shards(figures),
        "checked": tables.checked(json.loads(COMPARED.read_text(encoding="utf-8"))),
        "windows": windows,
        "batch-windows": tables.batch_windows(figures),
        "shortages": tables.short_of(figures),
        "limits": tables.published(),
    }, chart


def filled(page: str, made: Mapping[str, str]) -> str:
    """Return a page with what is made between its markers.

    Raises:
        ValueError: the page has not exactly the markers that there is something for.
    """
    found = [name for _, name, _ in _MARKED.findall(page)]
    if sorted(found) != sorted(made):
        raise ValueError(f"the page has markers for {sorted(found)}, and there is text for {sorted(made)}")
    return _MARKED.sub(lambda match: f"{match[1]}{made[match[2]]}\n{match[3]}", page)


def store(made: Mapping[str, str], chart: str, page_file: Path, chart_file: Path, *, only_look: bool) -> list[Path]:
    """Write the page and the chart where they would change, unless ``only_look``; return which would, or did.

    Raises:
        OSError: one cannot be read or written.
        ValueError: the page has not exactly the markers that there is something for.
    """
    texts = {page_file: filled(page_file.read_text(encoding="utf-8"), made), chart_file: chart}
    stale = [file for file, text in texts.items() if not file.exists() or file.read_text(encoding="utf-8") != text]
    for file in stale:
        if not only_look:
            file.write_text(texts[file], encoding="utf-8")
    return stale
