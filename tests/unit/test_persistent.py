"""Throttled keys are tried again: how often, after which waits, and until when."""

import random
from collections.abc import Callable
from typing import Final

from item_crypto import Status
from item_crypto.core.codec import Item
from item_crypto.core.key import key_id
from item_crypto.outcome import Outcome
from migrator.persistent import Persistent
from tests.faults import failing
from tests.scene import HISTORY, Scene

FOREVER: Final = lambda: float("inf")  # noqa: E731 - the time that remains


def tried(scene: Scene, key: Item, sleep: Callable[[float], None], seconds_left: Callable[[], float]) -> Outcome:
    persistent = Persistent(scene.reconciler, sleep)
    return persistent.keys({key_id(key): key}, scene.policy, seconds_left)[key_id(key)]


def plain(scene: Scene) -> Item:
    key = scene.new_key()
    scene.store({**key, "history": HISTORY})
    return key


def test_key_when_it_is_throttled_each_time_then_five_waits_follow_that_grow_and_are_random(scene: Scene) -> None:
    key, runs = plain(scene), []
    with failing(scene.kms, "kms", "ThrottlingException"):
        for _ in range(20):
            waits: list[float] = []
            assert tried(scene, key, waits.append, FOREVER).status is Status.RETRY
            runs.append(waits)

    assert {len(waits) for waits in runs} == {5}
    for number, waits_of_one in enumerate(zip(*runs, strict=True)):
        most = 0.2 * 2**number
        assert min(waits_of_one) < most / 2 < max(waits_of_one) <= most  # Else one time in 500,000.


def test_key_when_it_is_throttled_for_a_while_then_it_is_done_in_the_end(scene: Scene) -> None:
    key, waits = plain(scene), list[float]()
    with failing(scene.kms, "kms", "ThrottlingException", times=5):
        assert tried(scene, key, waits.append, FOREVER).status is Status.ENCRYPTED
    assert len(waits) == 5


def test_key_when_the_time_would_be_used_up_by_the_wait_then_it_is_not_waited_for(scene: Scene) -> None:
    key, waits = plain(scene), list[float]()
    random.seed(7)
    wait = random.uniform(0, 0.2)
    random.seed(7)
    with failing(scene.kms, "kms", "ThrottlingException"):
        outcome = tried(scene, key, waits.append, lambda: wait)

    assert (outcome.status, waits) == (Status.RETRY, [])
