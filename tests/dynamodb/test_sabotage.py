"""What proves something has to be able to fail: with one safeguard taken out, the same runs do.

What a lost trigger leaves in plaintext, the next sweep finds: so whether triggers are lost is asked where nobody
sweeps.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Final

import pytest

import item_crypto.dynamodb.batch
import item_crypto.dynamodb.table
from encryptor_runtime.queues import KeyQueues, WorkQueue
from item_crypto.core.change import Change
from migrator.page import Pages, Tally
from migrator.starting import Starter
from tests.dynamodb.bursts import Bursts, UnsweptBursts
from tests.dynamodb.unswept import Unswept
from tests.dynamodb.world import SESSIONS, World, item_key

_RUNS: Final = 30  # At most: a run is over as soon as it fails.


class Listed(World):
    """A world in which encryption is often switched on for listed keys, and nobody sweeps."""

    often: ClassVar[dict[str, int]] = World.often | {"sweep": 0, "switch": 12}

    def _any_part(self) -> dict[str, Any]:
        keys = [item_key(f"{kind}-{number}") for kind in ("dlg", "idle") for number in range(SESSIONS)]
        return {"keys": self.draw.sample(keys, 4)}


def unconditional_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments_of = item_crypto.dynamodb.table.update_arguments

    def arguments(change: Any) -> dict[str, Any]:
        arguments = arguments_of(change)
        holds = "attribute_exists(sessionId) OR attribute_not_exists(sessionId)"
        return {**arguments, "ConditionExpression": f"({arguments['ConditionExpression']}) OR {holds}"}

    monkeypatch.setattr("item_crypto.dynamodb.table.update_arguments", arguments)


def unconditional_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    statement_of = item_crypto.dynamodb.batch.statement

    def statement(table: str, change: Change) -> dict[str, Any]:
        return statement_of(table, replace(change, guards={}))

    monkeypatch.setattr("item_crypto.dynamodb.batch.statement", statement)


def lost_answers_taken_for_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("item_crypto.pipeline.stands_in", lambda *_: True)


def retries_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeyQueues, "retry", lambda *_: None)


def deferred_keys_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeyQueues, "defer", lambda *_: None)


def sweeps_that_do_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pages, "work_off", lambda *_: Tally())


def switching_on_without_a_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WorkQueue, "start", lambda *_: None)


def listed_keys_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Starter, "look_after_listed_keys", lambda *_: 0)


# The world, steps a run, and the seed, which were found by trying: others notice as well, most of them later.
SABOTAGE: Final[list[tuple[Callable[[pytest.MonkeyPatch], None], type[World], int, int]]] = [
    (unconditional_writes, World, 100, 1),
    (unconditional_statements, Bursts, 100, 1),
    (lost_answers_taken_for_done, UnsweptBursts, 40, 3),
    (retries_forgotten, Unswept, 40, 3),
    (deferred_keys_forgotten, Unswept, 40, 3),
    (sweeps_that_do_nothing, World, 100, 1),
    (switching_on_without_a_sweep, World, 40, 3),
    (listed_keys_forgotten, Listed, 40, 1),
]


@pytest.mark.parametrize(
    ("sabotage", "kind", "steps", "seed"), [pytest.param(*case, id=case[0].__name__) for case in SABOTAGE]
)
@pytest.mark.usefixtures("database")
def test_one_safeguard_taken_out_then_the_runs_fail(
    sabotage: Callable[[pytest.MonkeyPatch], None],
    kind: type[World],
    steps: int,
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sabotage(monkeypatch)
    world = kind(monkeypatch, seed)

    with world.listening(), pytest.raises(AssertionError, match=r"lost|came back|left|never was|no redrive settles"):
        world.run_often(_RUNS, steps)
