"""Numbers of things in words: "1 items" is nowhere printed."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import dynamodb_stream_encryptor.counted
import evidence.counted
from dynamodb_stream_encryptor.commands.status import summary as status_summary
from dynamodb_stream_encryptor.progress import progress_line
from dynamodb_stream_encryptor.sweep import read_sweep
from dynamodb_stream_encryptor.sweep_text import outcome
from evidence.summary import summary
from evidence.sweep import read_sweep as read_evidence
from evidence.verdict import judge, wanted
from tests.fake_control import KEY, status, sweep

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("layers", "functions", "dynamodb_stream_encryptor", "local")
COUNTED = pytest.mark.parametrize("module", [dynamodb_stream_encryptor.counted, evidence.counted], ids=str)

NOUNS = {
    "attribute", "backup", "copy", "day", "failure", "hour", "item", "key", "letter", "message", "minute", "page",
    "record", "second", "segment", "session", "sweep", "time", "try", "value",
}  # fmt: skip
"""What is counted, beside all that is given to `counted` anywhere."""


@COUNTED
@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 items"), (1, "1 item"), (2, "2 items"), (1102, "1,102 items"), (1001, "1,001 items")]
)
def test_one_is_one_thing(module, number, words):
    assert module.counted(number, "item") == words


def sources() -> Iterator[tuple[str, ast.Module]]:
    for place in PLACES:
        for path in (ROOT / place).rglob("*.py"):
            if "node_modules" not in path.parts:
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def nouns(trees: list[tuple[str, ast.Module]]) -> set[str]:
    """Return what is counted anywhere, each noun by its last word."""
    given = {
        str(node.args[1].value)
        for _, tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "counted"
        and isinstance(node.args[1], ast.Constant)
    }
    assert given, "nothing is counted: does the helper have another name?"
    return NOUNS | {noun.split()[-1] for noun in given}


def uncounted(trees: list[tuple[str, ast.Module]]) -> list[str]:
    """Return the f-strings that put a plural behind a number that may be 1; constants are what they are."""
    plural = re.compile(rf"\0 ([a-z]+ )?({'|'.join(f'{noun}s|{noun[:-1]}ies' for noun in nouns(trees))})\b(?!/)")
    found = []
    for path, tree in trees:
        for node in ast.walk(tree):
            if not isinstance(node, ast.JoinedStr):
                continue
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else _placeholder(part) for part in node.values
            )
            found += [f"{path}:{node.lineno}: {text!r}"] if plural.search(text) else []
    return found


def _placeholder(part: ast.expr) -> str:
    assert isinstance(part, ast.FormattedValue)
    is_constant = isinstance(part.value, ast.Name) and part.value.id.isupper()
    is_fraction = part.format_spec is not None and re.search(r"\.[1-9]f", ast.unparse(part.format_spec))  # As in 1.00.
    return "NUMBER" if is_constant or is_fraction else "\0"


def test_no_plural_stands_behind_a_number_that_may_be_1():
    assert uncounted(list(sources())) == []


@pytest.mark.parametrize("text", ["{n} items", "{n:,} of {m:,} failures", "about {n} more segments left"])
def test_the_check_can_fail(text):
    tree = ast.parse(f"f'{text}'")
    assert uncounted([*sources(), ("broken.py", tree)])


def test_the_page_counts_by_its_own_helper():
    plural = re.compile(r"\)\} (items|failures|segments|messages|values|sweeps|letters|days)\b")
    for path in (ROOT / "web/admin/src").rglob("*.ts*"):
        assert not plural.search(path.read_text(encoding="utf-8")), path


def only_one(**fields):
    counts = {"plaintext": 0, "encrypted": 1}
    one = {"scanned": 1, "estimatedItems": 1, "segments": 1, "segmentsDone": 0, "itemsPerSecond": 1.0, "rate": 1}
    return sweep(**{**one, "counts": counts, "underKey": {KEY: 1}, "values": {"seen": 1, "decrypted": 0}, **fields})


@pytest.mark.parametrize("state", ["running", "done", "paused", "cancelled", "stopped"])
@pytest.mark.parametrize("goal", ["encrypt", "verify"])
def test_a_sweep_over_one_item(state, goal):
    found = read_sweep(only_one(goal=goal, state=state))
    words = [progress_line(found), outcome(found)]
    assert not [text for text in words if re.search(r"\b1 [a-z]+s\b", text)]
    assert "1 item" in " ".join(words)


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("deep", [True, False])
@pytest.mark.parametrize("failed", [0, 1])
def test_a_judgement_of_one_item(enabled, deep, failed):
    found = read_evidence(only_one(deep=deep, counts={"encrypted": 1, "failed": failed}, strays={"encrypted_x": 1}))
    by = status(setting={"enabled": enabled, "version": 1})
    for absent in ([], ["encrypted_x", "history", "configuration"]):
        judged = summary(found, judge(found, wanted(by, absent)))
        text = " ".join([judged["sentence"], *judged["findings"]])
        assert not re.search(r"\b1 (items|values|encrypted values)\b", text), text


def test_a_table_of_one_item():
    one = status(tableItemCount=1, failureQueue={"messages": 1}, workQueue={"messages": 1})
    words = dict(status_summary(one))
    assert words["table"].endswith("about 1 item")
    assert words["failure queue"].startswith("1 message (")
    assert words["work queue"] == "1 message"
