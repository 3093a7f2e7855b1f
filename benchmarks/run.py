"""A run: every contender at every size, then reads, memory, and what was built."""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks import cold_imports, memory, reads, results, writes
from benchmarks.entries import Entry
from benchmarks.parties import OWN_PYTHON, ROOT, Kms
from benchmarks.samples import items_of
from local.dynamodb_local import DynamoDBLocal
from local.sessions import load_sessions

READ_SIZES: Final = (6, 300)


@dataclass(frozen=True)
class Plan:
    """What is measured, and how often.

    Attributes:
        entries: the contenders.
        sizes: sizes of items in KB, and how many items a round has.
        rounds: rounds that count.
        reads: how many items are read of each size.
        records: records of the batch whose memory is measured.
        imports: how often each handler is imported.
        kms_milliseconds: after how long KMS answers.
        sessions: the file that items are made from.
        whole: whether the rest is measured beside the contenders.
        quick: whether it is a quick run.
    """

    entries: Sequence[Entry]
    sizes: dict[int, int]
    rounds: int
    reads: int
    records: int
    imports: int
    kms_milliseconds: float
    sessions: Path
    whole: bool
    quick: bool


class Progress:
    """Says on standard error what is being done, and how long it has taken so far."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __call__(self, text: str) -> None:
        """Say ``text``."""
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        print(f"  {minutes}:{seconds:02}  {text}", file=sys.stderr, flush=True)


def run(plan: Plan, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure what ``plan`` says, and return it in the shape of `benchmarks/results.py`."""
    sessions = list(load_sessions(plan.sessions))
    missing: list[str] = []
    found: dict[str, Any] = {
        "shape": results.SHAPE,
        "run": results.described(plan.quick, plan.kms_milliseconds, plan.sessions.name, engine_version()),
        "missing": missing,
    }
    items = {size: items_of(sessions, size, count) for size, count in plan.sizes.items()}
    with Kms(plan.kms_milliseconds) as kms:
        entries = []
        for entry in plan.entries:
            if entry.own_environment and not OWN_PYTHON.exists():
                missing.append(f"{entry.title}: .venv-bench is not installed")
            else:
                entries.append(entry)
        found["writes"] = writes.measure(entries, items, plan.rounds, kms, say)
        if plan.whole:
            found["reads"] = {}
            for size in READ_SIZES:
                say(f"reads, {size} KB: {plan.reads} items")
                found["reads"][str(size)] = reads.measure(items_of(sessions, size, plan.reads + 1), kms)
            say(f"memory: {plan.records} records of {memory.KILOBYTES} KB")
            found["memory"] = memory.measure(items_of(sessions, memory.KILOBYTES, plan.records), kms)
    if plan.whole:
        _built(plan, say, found, missing)
    return found


def _built(plan: Plan, say: Callable[[str], None], found: dict[str, Any], missing: list[str]) -> None:
    say("cold imports of what sam build left")
    try:
        built = cold_imports.find(ROOT / ".aws-sam/build")
        found["layers"] = cold_imports.layer_sizes(built)
        found["coldImports"] = cold_imports.measure(built, plan.imports)
    except cold_imports.NotBuilt as error:
        missing.append(f"cold imports and layer: {error}")


def engine_version() -> str:
    """Return DynamoDB Local's version, as it says when it starts."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with DynamoDBLocal(log):
            pass
        lines = (line.partition(":") for line in log.read_text(encoding="utf-8").splitlines())
        return "DynamoDB Local " + next((value.strip() for name, _, value in lines if name == "Version"), "")
