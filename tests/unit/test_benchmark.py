"""The benchmark's own arithmetic and pictures, of results that are given."""

import base64
import copy
import re
import sys
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import pytest

from benchmarks import chart, cold_imports, dollars, page, results
from benchmarks.contenders import ATTRIBUTES
from benchmarks.entries import BY_NAME, ENTRIES
from benchmarks.goals import GOALS
from benchmarks.kms_stand_in import Keys, Refused
from benchmarks.samples import KB, SIZES, items_of
from benchmarks.spread import Spread, ratio
from benchmarks.writes import check_encrypted, summed_up
from dynamodb_stream_encryptor.planning.local_kms import ENCRYPTED_KEY_SIZE
from dynamodb_stream_encryptor.planning.prices import Prices, find_prices
from item_crypto.core.codec import item_size
from local.sessions import SAMPLES, load_sessions

SVG: Final = "{http://www.w3.org/2000/svg}"
MARKED: Final = f"# Costs\n\nBefore.\n\n{page.BEGIN}\nformer figures\n{page.END}\n\nAfter.\n"


def write(speed: float = 100, cpu: float = 5, kms: float = 1, stored: float = 4000) -> dict[str, Any]:
    return {
        "items": 100,
        "itemsPerSecond": Spread.of([speed]).as_json(),
        "cpuMilliseconds": Spread.of([cpu - 1, cpu, cpu + 1]).as_json(),
        "kmsCalls": kms,
        "dynamodbRequests": 1.01,
        "plainBytes": 6144.0,
        "storedBytes": stored,
        "writeUnits": 6.0,
        "readUnits": 2.0,
    }


@pytest.fixture
def found() -> dict[str, Any]:
    return {
        "shape": results.SHAPE,
        "run": results.described(False, 8, "sessions.jsonl", "DynamoDB Local 0.0"),
        "writes": {
            "limit": {"6": write(speed=200, cpu=2, kms=0), "50": write(speed=50)},
            "kms": {"6": write(speed=140), "50": write(speed=20)},
            "lisa": {"6": write(speed=34, kms=2, stored=18_000), "50": {"items": 100, "tooLarge": True}},
        },
        "missing": ["cold imports and layer: nothing is built"],
    }


@pytest.fixture
def prices() -> Prices:
    found = find_prices("eu-central-1", None)
    assert found is not None
    return found


# Figures


def test_rounds_when_summed_up_then_the_middle_one_and_their_range() -> None:
    assert Spread.of([3, 1, 2]).as_json() == {"median": 2, "low": 1, "high": 3, "rounds": [3, 1, 2]}
    assert Spread.of([4, 1]).median == 2.5


def test_ratios_are_those_of_each_round_so_that_a_slow_minute_of_the_machine_counts_for_nothing() -> None:
    mine, theirs = (Spread.of(figures).as_json() for figures in ([10, 5, 10], [40, 20, 20]))
    assert ratio(mine, theirs) == 0.25
    with pytest.raises(ValueError, match="zip"):
        ratio(mine, Spread.of([1]).as_json())


def test_given_no_round_then_nothing_is_said_of_it() -> None:
    with pytest.raises(ValueError, match="no round"):
        Spread.of([])


def test_what_an_item_took_is_told_by_item() -> None:
    items = [{"sessionId": {"S": "a"}, "history": {"S": "x" * 2000}}]
    written = [{"sessionId": {"S": "a"}, "encrypted_history": {"S": "x" * 3000}}]
    taken = [{"seconds": 0.5, "processorSeconds": 0.004, "kmsCalls": 1, "requests": 2} for _ in range(2)]

    summed = summed_up(items, written, taken)

    assert summed["itemsPerSecond"] == {"median": 2, "low": 2, "high": 2, "rounds": [2, 2]}
    assert summed["cpuMilliseconds"]["median"] == 4
    assert (summed["kmsCalls"], summed["dynamodbRequests"]) == (1, 2)
    assert (summed["plainBytes"], summed["storedBytes"]) == (item_size(items[0]), item_size(written[0]))
    assert (summed["writeUnits"], summed["readUnits"]) == (3, 1)  # Of the larger; and of what was read.


def test_given_an_item_that_is_still_in_plaintext_then_the_run_fails() -> None:
    items = [{"sessionId": {"S": "a"}, "history": {"S": "x"}}]
    with pytest.raises(ValueError, match="still in plaintext"):
        check_encrypted(items, copy.deepcopy(items))


def test_a_million_items_cost_what_the_price_list_says(prices: Prices) -> None:
    one = write(speed=100)
    expected = (
        6 * prices.write_requests  # six units an item
        + 1.5 * prices.read_requests  # 6 KB in units of 4
        + 100 * prices.kms_requests  # a million calls
        + 10_000 * 1769 / 1024 * prices.lambda_seconds["x86_64"]  # a million items at 100 a second
    )
    assert dollars.a_million(one, prices) == pytest.approx(expected)
    assert dollars.a_month(one, prices) == pytest.approx(4000 * 1e6 / 1024**3 * prices.storage)


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (0.857, "0.86"), (9.994, "9.99"), (12.34, "12.3"), (99.96, "100"), (1234.5, "1,234")],
)
def test_figures_have_as_many_digits_as_say_something(number: float, shown: str) -> None:
    assert page.figure(number) == shown


# Items


@pytest.mark.parametrize("size", SIZES)
def test_items_have_about_the_size_and_a_key_of_their_own(size: int) -> None:
    items = items_of(list(load_sessions(SAMPLES)), size, 5)

    assert len({item["sessionId"]["S"] for item in items}) == 5
    for item in items:
        assert size * KB / 2 < item_size(item) < min(size * KB * 1.6, 400 * KB)
        assert set(ATTRIBUTES) <= item.keys()
    assert items == items_of(list(load_sessions(SAMPLES)), size, 5)


# The page


def test_the_page_is_made_anew_between_its_markers_and_nowhere_else(found: dict[str, Any], prices: Prices) -> None:
    once = page.rendered(MARKED, found, prices)

    assert once.startswith("# Costs\n\nBefore.\n\n")
    assert once.endswith("\n\nAfter.\n")
    assert "former figures" not in once
    assert page.rendered(once, found, prices) == once


def test_given_a_page_without_markers_then_it_is_left_alone(found: dict[str, Any], prices: Prices) -> None:
    with pytest.raises(ValueError, match="no markers"):
        page.rendered("# Costs\n", found, prices)


def test_every_contender_that_was_measured_has_a_row_in_each_size(found: dict[str, Any], prices: Prices) -> None:
    rows = [row for row in page.writes_table(found, prices).splitlines() if row.startswith("| ")][2:]

    titles = [row.split(" | ")[0].removeprefix("| ") for row in rows]
    limit, kms, lisa = (BY_NAME[name].title for name in ("limit", "kms", "lisa"))
    assert titles == ["**6 KB** (6.00 KB)", limit, kms, lisa, "**50 KB** (6.00 KB)", limit, kms, lisa]
    assert all(row.count(" | ") == 9 for row in rows)
    assert f"| {lisa} | does not fit | – |" in rows[-1]
    assert "| 140 (140–140) | 70 % | 5.00 (4.00–6.00) | 1.00 | 1.01 | 0.65 | 6.00 |" in rows[2]


def test_goals_are_judged_and_what_was_not_measured_is_said(found: dict[str, Any], prices: Prices) -> None:
    shown = page.rendered(MARKED, found, prices)

    assert "| items/s, KMS keyring, of the limit's | ≥ 0.65× | 0.7× | met |" in shown
    assert "| items/s, KMS keyring, of LISA's | ≥ 4× | 4.12× | met |" in shown
    assert "| items/s, KMS keyring, of the guide's | ≥ 6× | not measured | – |" in shown
    assert "- Not measured: cold imports and layer: nothing is built." in shown
    found["writes"]["kms"]["6"] = write(speed=100)
    assert "| items/s, KMS keyring, of the limit's | ≥ 0.65× | 0.5× | **not met** |" in page.rendered(
        MARKED, found, prices
    )


def test_a_quick_run_says_so(found: dict[str, Any], prices: Prices) -> None:
    assert "A quick run" not in page.rendered(MARKED, found, prices)
    found["run"]["quick"] = True
    assert "**A quick run**" in page.rendered(MARKED, found, prices)


def test_the_page_and_its_chart_are_those_of_the_results_in_the_repository(prices: Prices) -> None:
    document = Path(results.FILE.parents[1] / "docs/performance.md").read_text(encoding="utf-8")
    svg = Path(results.FILE.parents[1] / "docs" / page.CHART).read_text(encoding="utf-8")

    assert page.rendered(document, results.load(), prices) == document
    assert chart.chart(results.load(), prices) == svg


def test_a_machine_that_had_other_work_is_told(found: dict[str, Any], prices: Prices) -> None:
    found["run"] |= {"cores": 2, "load": 0.4}
    assert "other work" not in page.rendered(MARKED, found, prices)
    found["run"]["load"] = 3.0
    assert "**The machine had other work** (load 3)" in page.rendered(MARKED, found, prices)


def test_given_results_of_another_shape_then_they_are_refused(tmp_path: Path) -> None:
    results.save({"shape": 0}, tmp_path / "results.json")
    with pytest.raises(ValueError, match="make bench"):
        results.load(tmp_path / "results.json")


def test_every_goal_can_be_found_where_everything_was_measured(found: dict[str, Any]) -> None:
    found["writes"] |= {entry.name: {"6": write()} for entry in ENTRIES}
    found["reads"] = {"6": {"repeated": {"kmsCalls": 0}}}
    found["memory"] = {"records": 1000, "peakBytes": 100 * 1024**2}
    found["layers"] = {"CryptoLayer": {"bytes": 40 * 1024**2}}
    found["coldImports"] = {
        name: {"cpuSeconds": {"median": seconds}}
        for name, seconds in (("StreamEncryptorFunction", 0.3), ("Other", 0.5))
    }
    unmeasured = {goal.what for goal in GOALS if goal.reached(found) is None}

    # Of a keyring or an encoding that has no contender nothing can be said.
    words = {"hierarchical": "hierarchical keyring", "binary": "binary"}
    absent = [word for kind, word in words.items() if kind not in {entry.kind for entry in ENTRIES}]
    assert unmeasured == {goal.what for goal in GOALS if any(word in goal.what for word in absent)}


# The chart


@pytest.fixture
def svg(found: dict[str, Any], prices: Prices) -> ElementTree.Element:
    return ElementTree.fromstring(chart.chart(found, prices))


def test_the_chart_says_in_words_what_it_shows(svg: ElementTree.Element) -> None:
    named = svg.get("aria-labelledby", "").split()
    texts = {element.get("id"): element.text or "" for element in svg.iter() if element.get("id")}

    assert svg.get("role") == "img"
    assert all(texts[name] for name in named)
    assert "this application, KMS keyring: 140 items/s, 5.00 ms an item" in texts["description"]


def test_the_chart_has_a_bar_a_contender_in_each_panel_and_each_within_the_picture(svg: ElementTree.Element) -> None:
    _, _, width, height = map(float, svg.get("viewBox", "").split())
    bars = list(svg.iter(f"{SVG}rect"))

    assert len(bars) == 3 * 3
    for bar in bars:
        assert 0 < float(bar.get("x", 0)) + float(bar.get("width", 0)) < width
        assert 0 < float(bar.get("y", 0)) + float(bar.get("height", 0)) < height


def test_the_longest_bar_is_the_largest_figure_and_the_others_are_in_proportion(svg: ElementTree.Element) -> None:
    widths = [float(bar.get("width", 0)) for bar in svg.iter(f"{SVG}rect")][:3]  # Items a second: 200, 140, 34.
    assert [width / widths[0] for width in widths] == pytest.approx([1, 0.7, 0.17], abs=0.01)


def test_every_axis_has_a_label_with_its_unit(svg: ElementTree.Element) -> None:
    labels = [text.text for text in svg.iter(f"{SVG}text") if text.get("class") == "unit"]
    assert labels == ["items/s, more is better", "ms an item, less is better", "USD a million items, less is better"]


def test_every_colour_of_the_chart_has_one_for_dark_pages(svg: ElementTree.Element) -> None:
    style = svg.find(f"{SVG}style")
    assert style is not None
    light, dark = (style.text or "").split("@media (prefers-color-scheme: dark)")
    classes = {element.get("class") for element in svg.iter() if element.get("class")} - {"head"}
    for name in classes | {"text"}:
        rule = re.compile(rf"(?:^|[.\s]){name}\b[^{{]*{{[^}}]*#")
        assert rule.search(light), name
        assert rule.search(dark), name


@pytest.mark.parametrize("largest", [0.02, 1, 7, 99, 100, 12_345])
def test_an_axis_has_a_few_round_ticks(largest: float) -> None:
    assert 1 <= largest / chart.step(largest) <= 3 + 1e-9
    assert f"{chart.step(largest):e}"[0] in "125"


# The KMS stand-in


KEY, OTHER = ("arn:aws:kms:eu-central-1:111122223333:key/" + name for name in ("one", "two"))
CONTEXT: Final = {"userId": "user-24", "sessionId": "dlg-1", "purpose": "session-encryption"}


@pytest.fixture
def kms() -> Keys:
    return Keys([KEY, OTHER])


@pytest.fixture
def data_key(kms: Keys) -> dict[str, Any]:
    return kms.answer("GenerateDataKey", {"KeyId": KEY, "KeySpec": "AES_256", "EncryptionContext": CONTEXT})


def test_a_data_key_is_as_long_as_kms_makes_it_and_comes_back(kms: Keys, data_key: dict[str, Any]) -> None:
    assert len(base64.b64decode(data_key["CiphertextBlob"])) == ENCRYPTED_KEY_SIZE
    assert len(base64.b64decode(data_key["Plaintext"])) == 32
    reordered = dict(reversed(CONTEXT.items()))
    asked = {"CiphertextBlob": data_key["CiphertextBlob"], "EncryptionContext": reordered}
    assert kms.answer("Decrypt", asked) == {"KeyId": KEY, "Plaintext": data_key["Plaintext"]}
    assert kms.answer("Decrypt", asked | {"KeyId": KEY})["Plaintext"] == data_key["Plaintext"]


@pytest.mark.parametrize(
    "context", [{}, CONTEXT | {"userId": "user-25"}, CONTEXT | {"more": "x"}, {"userId": "user-24"}]
)
def test_given_another_context_then_it_refuses(kms: Keys, data_key: dict[str, Any], context: dict[str, str]) -> None:
    with pytest.raises(Refused, match="InvalidCiphertextException"):
        kms.answer("Decrypt", {"CiphertextBlob": data_key["CiphertextBlob"], "EncryptionContext": context})


def test_given_another_key_then_it_refuses(kms: Keys, data_key: dict[str, Any]) -> None:
    asked = {"CiphertextBlob": data_key["CiphertextBlob"], "EncryptionContext": CONTEXT}
    with pytest.raises(Refused, match="IncorrectKeyException"):
        kms.answer("Decrypt", asked | {"KeyId": OTHER})
    with pytest.raises(Refused, match="InvalidCiphertextException"):
        Keys([KEY]).answer("Decrypt", asked)
    with pytest.raises(Refused, match="NotFoundException"):
        kms.answer("GenerateDataKey", {"KeyId": KEY + "x", "KeySpec": "AES_256"})


@pytest.mark.parametrize("place", [0, 16, 30, 77])
def test_given_a_flipped_bit_then_it_refuses(kms: Keys, data_key: dict[str, Any], place: int) -> None:
    blob = bytearray(base64.b64decode(data_key["CiphertextBlob"]))
    blob[place] ^= 1
    asked = {"CiphertextBlob": base64.b64encode(blob).decode(), "EncryptionContext": CONTEXT}
    with pytest.raises(Refused, match="InvalidCiphertextException"):
        kms.answer("Decrypt", asked)


def test_given_an_operation_that_it_does_not_have_then_it_says_so(kms: Keys) -> None:
    with pytest.raises(Refused, match="UnsupportedOperationException"):
        kms.answer("ScheduleKeyDeletion", {"KeyId": KEY})


# What was built


BUILT: Final = """
Globals: {Function: {Runtime: python%s, Layers: [Ref: Layer]}}
Parameters: {KeyringType: {Type: String, Default: kms}, Architecture: {Type: String, Default: of-nobody}}
Conditions: {IsHierarchical: {"Fn::Equals": [Ref: KeyringType, hierarchical]}}
Resources:
  Layer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: Layer}
  Foreign:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: Foreign, CompatibleArchitectures: [of-nobody]}
  ForTenants:
    Type: AWS::Serverless::LayerVersion
    Condition: IsHierarchical
    Properties: {ContentUri: ForTenants}
  OneFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: OneFunction
      Handler: one.handler.lambda_handler
      Layers: ["Fn::If": [IsHierarchical, {Ref: ForTenants}, {Ref: "AWS::NoValue"}]]
"""


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "template.yaml").write_text(BUILT % ".".join(map(str, sys.version_info[:2])))
    for name, text in {
        "Layer/python/shared.py": "x = 1\n",
        "Foreign/python/shared.py": "raise ImportError\n",
        "ForTenants/python/heavy.py": "x = 1\n",
        "OneFunction/one/handler.py": """
import shared
from importlib.util import find_spec
assert find_spec("heavy") is None, "a layer that the function has not by default"
""",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_handlers_are_imported_from_what_was_built_and_nothing_is_written_there(built: Path) -> None:
    before = sorted(built.rglob("*"))
    found = cold_imports.find(built)

    assert list(found.layers) == ["Layer", "ForTenants"]
    measured = cold_imports.measure(found, 2)
    assert len(measured["OneFunction"]["cpuSeconds"]["rounds"]) == 2
    assert measured["OneFunction"]["cpuSeconds"]["median"] >= 0
    assert sorted(built.rglob("*")) == before


def test_the_layers_size_tells_how_much_of_it_is_compiled(built: Path) -> None:
    (built / "Layer/python/shared.pyc").write_bytes(b"1234")
    assert cold_imports.layer_sizes(cold_imports.find(built)) == {
        "Layer": {"bytes": 10, "compiledBytes": 4, "compiledFiles": 1, "sourceFiles": 1},
        "ForTenants": {"bytes": 6, "compiledBytes": 0, "compiledFiles": 0, "sourceFiles": 1},
    }


def test_given_nothing_built_or_nothing_that_can_be_imported_then_it_says_so(tmp_path: Path, built: Path) -> None:
    with pytest.raises(cold_imports.NotBuilt, match="run sam build"):
        cold_imports.find(tmp_path / "nowhere")
    (built / "OneFunction/one/handler.py").write_text("import what_is_not_there\n")
    with pytest.raises(cold_imports.NotBuilt, match=r"OneFunction cannot be imported: .*what_is_not_there"):
        cold_imports.measure(cold_imports.find(built), 1)


@pytest.mark.parametrize("is_there", [False, True], ids=["no interpreter", "one that runs nothing"])
def test_given_no_interpreter_of_the_layers_version_then_it_says_so(
    tmp_path: Path, built: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    if is_there:
        shim = tmp_path / f"python{sys.version_info.major}.{sys.version_info.minor}"
        shim.write_text("#!/bin/sh\nexit 127\n")
        shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(cold_imports.NotBuilt, match="that runs"):
        cold_imports.measure(cold_imports.find(built), 1)
