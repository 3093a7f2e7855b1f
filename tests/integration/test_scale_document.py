"""docs/scale.md and its chart are what `make scale` writes from the committed figures."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.scale import __main__ as program
from benchmarks.scale import document, figures
from dynamodb_stream_encryptor.planning.prices import find_prices


def test_page_and_chart_are_what_the_figures_make_of_them() -> None:
    prices = find_prices(program.REGION, None)
    assert prices is not None
    made, chart = document.sections(figures.read(), prices)
    page = document.PAGE.read_text(encoding="utf-8")
    assert document.filled(page, made) == page
    assert document.CHART.read_text(encoding="utf-8") == chart
    assert ElementTree.fromstring(chart).tag.endswith("svg")
    assert document.CHART.name in page


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have the program write beside the documents."""
    (tmp_path / "scale.md").write_text(document.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(document, "ROOT", tmp_path)
    monkeypatch.setattr(document, "PAGE", tmp_path / "scale.md")
    monkeypatch.setattr(document, "CHART", tmp_path / "chart.svg")
    return tmp_path


def test_check_when_something_would_change_then_it_says_so_and_writes_nothing(
    copies: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["scale", "--check"])
    assert program.main() == 1
    assert "would change chart.svg" in capsys.readouterr().out
    assert not (copies / "chart.svg").exists()


def test_program_when_run_then_it_writes_what_is_missing_and_nothing_else(
    copies: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["scale"])
    assert program.main() == 0
    assert capsys.readouterr().out == "wrote chart.svg\n"


def test_program_when_started_as_a_module_then_its_help_says_what_it_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scale", "--help"],
        cwd=document.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "docs/scale.md" in done.stdout
