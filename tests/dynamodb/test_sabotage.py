"""What proves something has to be able to fail: with one safeguard taken out, the same runs do."""

from collections.abc import Callable
from typing import Any, Final

import pytest

import item_crypto.dynamodb.table
from encryptor_runtime.queues import KeyQueues, WorkQueue
from migrator.page import Pages, Tally
from tests.dynamodb.world import World

_RUNS: Final = 12  # Of 100 steps each: some of them meet the case, whichever it is.


def unconditional_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments_of = item_crypto.dynamodb.table.update_arguments

    def arguments(change: Any) -> dict[str, Any]:
        arguments = arguments_of(change)
        holds = "attribute_exists(sessionId) OR attribute_not_exists(sessionId)"
        return {**arguments, "ConditionExpression": f"({arguments['ConditionExpression']}) OR {holds}"}

    monkeypatch.setattr("item_crypto.dynamodb.table.update_arguments", arguments)


def retries_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeyQueues, "retry", lambda *_: None)


def deferred_keys_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeyQueues, "defer", lambda *_: None)


def sweeps_that_do_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pages, "work_off", lambda *_: Tally())


def switching_on_without_a_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WorkQueue, "start", lambda *_: None)


SABOTAGE: Final[list[Callable[[pytest.MonkeyPatch], None]]] = [
    unconditional_writes,
    retries_forgotten,
    deferred_keys_forgotten,
    sweeps_that_do_nothing,
    switching_on_without_a_sweep,
]


@pytest.mark.parametrize("sabotage", SABOTAGE, ids=lambda sabotage: sabotage.__name__)
@pytest.mark.usefixtures("database")
def test_one_safeguard_taken_out_then_the_runs_fail(
    sabotage: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    sabotage(monkeypatch)
    world = World(monkeypatch, seed=1)

    with world.listening(), pytest.raises(AssertionError, match=r"lost|came back|left|never was|no redrive settles"):
        world.run_often(_RUNS, 100)
