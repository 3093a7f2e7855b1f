"""Writers, LISA, encryptors, a reader and an owner race on the same few items, in threads, and nothing is lost.

Each attribute that is raced for has one writer, whose writes are numbered and follow one another: so the last one
that was acknowledged is known. Everybody else only moves values between forms. DynamoDB takes the requests to one item
one at a time, and so does the moto of these tests; between two requests of one party anything may happen.
"""

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import boto3
import pytest

from item_crypto import Keyrings, Reconciler, Role, Status, Table, TransientError, ValueCipher
from tests.scene import CLIENT, NOW, TABLE, Scene, tolerating

ITEMS = 3
WRITES = 25


@pytest.fixture(autouse=True)
def _eager_threads() -> Iterator[None]:
    """Have threads take turns far more often than they would."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def value(name: str, number: int) -> Any:
    return {"L": [{"M": {"name": {"S": name}, "number": {"S": str(number)}}}]}


class Race:
    """The items, and the parties that run until the writers are done."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.keys = [scene.new_key() for _ in range(ITEMS)]
        self.last: dict[tuple[int, str], Any] = {}
        self.outcomes: set[Status] = set()
        self._over = threading.Event()
        self._random = random.Random(2026)

    def run(self, writers: list[Callable[[], None]], others: list[Callable[[], None]]) -> None:
        """Run all, raise what any of them raised, and stop the others when the writers are done."""

        def until_over(work: Callable[[], None]) -> None:
            while not self._over.is_set():
                work()

        with ThreadPoolExecutor(len(writers) + len(others)) as pool:
            running = [pool.submit(until_over, work) for work in others]
            try:
                for writer in [pool.submit(work) for work in writers]:
                    writer.result(timeout=120)
            finally:
                self._over.set()
            for other in running:
                other.result(timeout=120)

    def writer(self, index: int, name: str, write: Callable[[Any, Any], None]) -> Callable[[], None]:
        """Return a writer of one attribute of one item; a write counts once it is acknowledged."""

        def work() -> None:
            for number in range(WRITES):
                new = value(name, number)
                write(self.keys[index], new)
                self.last[index, name] = new
                time.sleep(self._random.random() * 0.01)

        return work

    def party(self, role: Role, **changes: Any) -> Callable[[], None]:
        """Return what reconciles all items again and again, with clients of its own."""
        reconciler = another_reconciler(self.scene)
        policy = replace(self.scene.policy, **changes)

        def work() -> None:
            for outcome in reconciler.reconcile(self.keys, policy, role).values():
                assert not outcome.reason.startswith("unexpected"), outcome.reason
                self.outcomes.add(outcome.status)

        return work

    def accessor(self, **changes: Any) -> Callable[[], None]:
        """Return an owner who reads all items again and again."""
        reconciler = another_reconciler(self.scene)
        policy = replace(self.scene.policy, **changes)

        def work() -> None:
            for key in self.keys:
                with tolerating("marker-unusable"):
                    self.outcomes.add(reconciler.access(key, policy).outcome.status)

        return work

    def put(self, name: str) -> Callable[[Any, Any], None]:
        """Return a write by the reader function's PUT, tried again as its caller would."""
        reconciler = another_reconciler(self.scene)

        def write(key: Any, new: Any) -> None:
            while True:
                try:
                    reconciler.put(key, self.scene.policy, {name: new}, {})
                except TransientError:
                    continue
                return

        return write

    def settle_down(self, **changes: Any) -> None:
        """Reconcile as the stream's last records would, until nothing more happens."""
        for key in self.keys:
            self.scene.reconcile(key, Role.MIGRATOR, **changes)
            assert self.scene.reconcile(key, Role.MIGRATOR, **changes).status in (Status.NOTHING, Status.FAILED)


def another_reconciler(scene: Scene) -> Reconciler:
    kms = boto3.client("kms", **CLIENT)
    cipher = ValueCipher(Keyrings(kms, scene.key_arn, [scene.earlier_key_arn]))
    return Reconciler(Table(scene.plain, TABLE, sleep=lambda _: None), cipher, now=lambda: NOW)


def test_plain_writers_an_owner_and_encryptors_when_they_race_then_the_last_writes_are_what_is_seen(
    scene: Scene,
) -> None:
    race = Race(scene)
    writers = [
        race.writer(index, "history", lambda key, new: scene.set(key, history=new)) for index in range(ITEMS)
    ] + [race.writer(index, "configuration", race.put("configuration")) for index in range(ITEMS)]

    race.run(writers, [race.party(Role.ENCRYPTOR), race.party(Role.ENCRYPTOR), race.accessor()])
    race.settle_down()

    for index, key in enumerate(race.keys):
        stored = scene.stored(key)
        assert stored is not None
        assert stored["is_encrypted"] == {"BOOL": True}
        assert not {"history", "configuration"} & set(stored)
        for name in ("history", "configuration"):
            assert scene.held(key, name) == [race.last[index, name]]
    assert Status.SUPERSEDED in race.outcomes


def test_switch_flapping_when_writers_race_then_the_last_writes_are_what_is_seen(scene: Scene) -> None:
    # For a cache's lifetime after a change, some functions act on the new setting and some on the old one.
    race = Race(scene)
    writers = [
        race.writer(index, name, lambda key, new, name=name: scene.set(key, **{name: new}))  # type: ignore[misc]
        for index in range(ITEMS)
        for name in ("history", "configuration")
    ]

    race.run(
        writers,
        [
            race.party(Role.ENCRYPTOR),
            race.party(Role.ENCRYPTOR, enabled=False),
            race.party(Role.MIGRATOR, enabled=False, decrypt_all=True),
            race.accessor(),
        ],
    )
    race.settle_down()

    for index, key in enumerate(race.keys):
        for name in ("history", "configuration"):
            assert scene.held(key, name) == [race.last[index, name]]
    assert Status.SUPERSEDED in race.outcomes


def test_plain_and_lisa_writers_when_they_race_then_every_last_write_is_still_held(scene: Scene) -> None:
    race = Race(scene)
    writers = [
        race.writer(index, "configuration", lambda key, new: scene.set(key, configuration=new))
        for index in range(ITEMS)
    ] + [race.writer(index, "history", lambda key, new: scene.lisa_set(key, history=new)) for index in range(ITEMS)]

    race.run(writers, [race.party(Role.ENCRYPTOR), race.party(Role.MIGRATOR), race.accessor()])
    race.settle_down()

    for index, key in enumerate(race.keys):
        for name in ("history", "configuration"):
            assert scene.held(key, name) == [race.last[index, name]]


def test_both_kinds_of_writers_on_one_attribute_when_they_race_then_the_last_write_is_still_held(
    scene: Scene,
) -> None:
    race = Race(scene)
    number = iter(range(10_000))

    def either(key: Any, new: Any) -> None:
        if next(number) % 2:
            scene.lisa_set(key, history=new)
        else:
            scene.set(key, history=new)

    race.run(
        [race.writer(index, "history", either) for index in range(ITEMS)],
        [race.party(Role.ENCRYPTOR), race.party(Role.MIGRATOR), race.accessor()],
    )
    race.settle_down()

    for index, key in enumerate(race.keys):
        assert race.last[index, "history"] in scene.held(key, "history")


def test_appending_writers_when_encryptors_and_migrators_race_then_every_member_is_there_once_and_in_order(
    scene: Scene,
) -> None:
    race = Race(scene)
    appended = {"appended": frozenset({"history"})}

    race.run(
        [
            race.writer(index, "history", lambda key, new: scene.append(key, "history", *new["L"]))
            for index in range(ITEMS)
        ],
        [race.party(Role.ENCRYPTOR, **appended), race.party(Role.MIGRATOR, **appended), race.accessor(**appended)],
    )
    race.settle_down(**appended)

    for key in race.keys:
        everything = [member for number in range(WRITES) for member in value("history", number)["L"]]
        assert scene.held(key, "history") == [{"L": everything}]


def test_deleting_writer_when_encryptors_race_then_no_deleted_item_comes_back(scene: Scene) -> None:
    race = Race(scene)

    def put_and_delete(key: Any, new: Any) -> None:
        scene.store(key | {"history": new})
        scene.delete(key)
        assert scene.stored(key) is None

    race.run(
        [race.writer(index, "history", put_and_delete) for index in range(ITEMS)],
        [race.party(Role.ENCRYPTOR), race.party(Role.MIGRATOR), race.accessor()],
    )

    assert [scene.stored(key) for key in race.keys] == [None] * ITEMS
