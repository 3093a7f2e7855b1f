"""docs/scale.md and its chart are what `make scale` writes from the committed figures."""

import subprocess
import sys
from pathlib import Path
from typing import TypeAlias
from xml.etree import ElementTree

import pytest

from benchmarks.scale import __main__ as program
from benchmarks.scale import document, figures
from dynamodb_stream_encryptor.planning.prices import find_prices

Made: TypeAlias = tuple[dict[str, str], str]


@pytest.fixture(scope="module")
def made() -> Made:
    prices = find_prices(program.REGION, None)
    assert prices is not None
    return document.sections(figures.read(), prices)


def test_page_and_chart_are_what_the_figures_make_of_them(made: Made) -> None:
    assert document.store(*made, document.PAGE, document.CHART, only_look=True) == [], "run make scale"
    assert ElementTree.fromstring(made[1]).tag.endswith("svg")
    assert f"images/{document.CHART.name}" in document.PAGE.read_text(encoding="utf-8")


def test_what_would_change_when_only_looked_at_then_it_is_told_and_not_written_else_written_once(
    made: Made, tmp_path: Path
) -> None:
    page, chart = tmp_path / "page.md", tmp_path / "chart.svg"
    stale = document.PAGE.read_text(encoding="utf-8").replace("\n| ", "\n| old ", 5)
    page.write_text(stale, encoding="utf-8")

    assert document.store(*made, page, chart, only_look=True) == [page, chart]
    assert page.read_text(encoding="utf-8") == stale
    assert not chart.exists()

    assert document.store(*made, page, chart, only_look=False) == [page, chart]
    assert chart.read_text(encoding="utf-8") == made[1]
    assert document.store(*made, page, chart, only_look=False) == []


def test_program_when_started_as_a_module_then_its_help_says_what_it_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scale", "--help"],
        cwd=document.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "docs/scale.md" in done.stdout


def test_what_reckons_when_imported_then_it_asks_no_service() -> None:
    modules = "tables, costs, throughput, simulation, windows, chart, document"
    code = f"from benchmarks.scale import {modules}\nimport sys\nprint({{'boto3', 'botocore'}} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], cwd=document.ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
