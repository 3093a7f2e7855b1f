"""A competing write at the worst moment, exactly between the package's read and its update, on every path that writes.

::

    we       read ────────────────────────── conditional update ─┬─ fails: superseded, the competitor's write stands
    writer          put, set, append, delete                     └─ the next reconciliation converges
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from item_crypto import Role, Status
from tests.scene import CONFIGURATION, HISTORY, Scene, tolerating

NEWER: Any = {"L": [{"S": "newer"}]}
WRITTEN: Any = {"L": [{"S": "competing"}]}


@dataclass(frozen=True)
class Path:
    """An item, and who writes to it under which policy."""

    item: Callable[[Scene, Any], dict[str, Any]]
    role: Role
    changes: dict[str, Any]


def old(**values: Any) -> Callable[[Scene, Any], dict[str, Any]]:
    return lambda scene, key: scene.lisa(key, **values) | {"is_encrypted": {"BOOL": True}}


def both_old(marker: bool) -> Callable[[Scene, Any], dict[str, Any]]:
    return lambda scene, key: scene.lisa(key, history=HISTORY) | {"history": NEWER, "is_encrypted": {"BOOL": marker}}


def both_current(scene: Scene, key: Any) -> dict[str, Any]:
    return scene.encrypted(key, history=HISTORY) | {"history": NEWER}


APPENDED: dict[str, Any] = {"appended": frozenset({"history"})}
OFF: dict[str, Any] = {"enabled": False}
PATHS = {
    "encrypt": Path(lambda scene, key: {"history": HISTORY}, Role.ENCRYPTOR, {}),
    "encrypt both": Path(lambda scene, key: {"history": HISTORY, "configuration": CONFIGURATION}, Role.ENCRYPTOR, {}),
    "encrypt over a ciphertext": Path(both_current, Role.ENCRYPTOR, {}),
    "encrypt beside the old form": Path(
        lambda scene, key: {"history": HISTORY} | old(configuration=NEWER)(scene, key), Role.ENCRYPTOR, {}
    ),
    "re-encrypt the old form": Path(old(history=HISTORY), Role.READER, {}),
    "re-encrypt an earlier key": Path(
        lambda scene, key: scene.encrypted_earlier(key, history=HISTORY), Role.MIGRATOR, {}
    ),
    "decrypt back": Path(lambda scene, key: scene.encrypted(key, history=HISTORY), Role.READER, OFF),
    "decrypt the old form back": Path(old(history=HISTORY), Role.READER, OFF),
    "drop": Path(both_current, Role.ENCRYPTOR, OFF),
    "merge": Path(both_current, Role.MIGRATOR, APPENDED),
    "merge to plaintext": Path(both_current, Role.MIGRATOR, APPENDED | OFF),
    "resolve, ciphertext newer": Path(both_old(True), Role.READER, {}),
    "resolve, plaintext newer": Path(both_old(False), Role.READER, {}),
    "resolve to plaintext": Path(both_old(True), Role.MIGRATOR, OFF),
}


def put_item(scene: Scene, key: Any) -> None:
    scene.store(key | {"history": WRITTEN, "configuration": WRITTEN})


def remove(scene: Scene, key: Any) -> None:
    scene.store(key | {"name": {"S": "all else is gone"}})


def write_and_encrypt(scene: Scene, key: Any) -> None:
    scene.store(key | {"history": WRITTEN})
    assert scene.reconcile(key).status is Status.ENCRYPTED


WRITERS: dict[str, Callable[[Scene, Any], None]] = {
    "set": lambda scene, key: scene.set(key, history=WRITTEN),
    "set the other attribute": lambda scene, key: scene.set(key, configuration=WRITTEN),
    "put": put_item,
    "put without the attributes": remove,
    "append": lambda scene, key: scene.append(key, "history", *WRITTEN["L"]),
    "LISA": lambda scene, key: scene.lisa_set(key, history=WRITTEN),
    "LISA, the other attribute": lambda scene, key: scene.lisa_set(key, configuration=WRITTEN),
    "LISA, the marker alone": lambda scene, key: scene.set(key, is_encrypted={"S": "LISA was here"}),
    "a writer and another encryptor": write_and_encrypt,
    "delete": lambda scene, key: scene.delete(key),
}
LOSING_NOTHING = {"delete", "put without the attributes", "LISA, the marker alone"}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("path", PATHS)
def test_competing_write_at_the_worst_moment_then_it_stands_and_is_never_lost(
    scene: Scene, path: str, writer: str
) -> None:
    way, key = PATHS[path], scene.new_key()
    scene.store(key | way.item(scene, key))
    left: list[Any] = []

    def compete() -> None:
        WRITERS[writer](scene, key)
        left.append(scene.stored(key))

    with scene.before_next_update(compete):
        outcome = scene.reconcile(key, way.role, **way.changes)

    assert len(left) == 1, "the competitor wrote"
    assert (outcome.status, outcome.reason) == (Status.SUPERSEDED, "newer-write")
    assert scene.stored(key) == left[0]

    converge(scene, key, **way.changes)

    if writer not in LOSING_NOTHING:
        name = "configuration" if "other attribute" in writer else "history"
        members = [member for value in scene.held(key, name) for member in value.get("L", [])]
        assert {"S": "competing"} in members
    if writer == "delete":
        assert scene.stored(key) is None


def converge(scene: Scene, key: Any, **changes: Any) -> None:
    """Reconcile as the migrator does, and check that it comes to an end at once."""
    scene.reconcile(key, Role.MIGRATOR, decrypt_all=True, **changes)
    stored = scene.stored(key)
    again = scene.reconcile(key, Role.MIGRATOR, decrypt_all=True, **changes)
    assert again.status in (Status.NOTHING, Status.FAILED)
    assert scene.stored(key) == stored


@pytest.mark.parametrize("path", PATHS)
def test_competing_write_to_anything_else_then_both_writes_stand(scene: Scene, path: str) -> None:
    way, key = PATHS[path], scene.new_key()
    scene.store(key | way.item(scene, key))

    with scene.before_next_update(lambda: scene.set(key, name={"S": "competing"})):
        outcome = scene.reconcile(key, way.role, **way.changes)

    assert outcome.attributes
    stored = scene.stored(key)
    assert stored is not None
    assert stored["name"] == {"S": "competing"}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("path", [name for name, way in PATHS.items() if way.role is Role.READER])
def test_competing_write_when_the_owner_reads_then_it_is_read_again(scene: Scene, path: str, writer: str) -> None:
    way, key = PATHS[path], scene.new_key()
    policy = replace(scene.policy, **way.changes)
    scene.store(key | way.item(scene, key))

    with scene.before_next_update(lambda: WRITERS[writer](scene, key)):
        if writer == "LISA, the marker alone":
            with tolerating("marker-unusable"):
                scene.reconciler.access(key, policy)
            return
        access = scene.reconciler.access(key, policy)

    stored = scene.stored(key)
    assert (access.item is None) == (writer == "delete")
    if stored is not None:
        assert access.item == scene.seen(key, stored, **way.changes)


@pytest.mark.parametrize("enabled", [True, False], ids=["on", "off"])
@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("form", ["absent", "plain", "encrypted", "encrypted_earlier", "lisa"])
def test_competing_write_when_the_owner_puts_then_both_writes_stand(
    scene: Scene, form: str, writer: str, enabled: bool
) -> None:
    key = scene.new_key()
    values = {"history": HISTORY, "configuration": NEWER}
    if form == "plain":
        scene.store(key | values)
    elif form == "lisa":
        scene.store(key | old(**values)(scene, key))
    elif form != "absent":
        scene.store(key | getattr(scene, form)(key, **values))
    mine: Any = {"L": [{"S": "mine"}]}

    with scene.before_next_update(lambda: WRITERS[writer](scene, key)):
        access, created = scene.reconciler.put(
            key, replace(scene.policy, enabled=enabled), {"history": mine}, {"createTime": {"S": "now"}}
        )

    # The put came last, so its attribute has its value; what it left out has the competitor's.
    assert access.item is not None
    assert access.item["history"] == mine
    stored = scene.stored(key)
    assert stored is not None
    assert scene.seen(key, stored, enabled=enabled) == access.item
    if writer in ("put", "set the other attribute", "LISA, the other attribute"):
        assert WRITTEN in scene.held(key, "configuration")
        # Beside the old form a plain write is taken for the older one, as LISA's marker says, and kept as a conflict.
        assert form == "lisa" or access.item["configuration"] == WRITTEN
    assert created == (writer == "delete")
    assert ("createTime" in access.item) == created


# Any order: each operation is one that DynamoDB orders; ours may each have another one in their middle.


NAMES = ["history", "configuration"]
PLAIN_OPERATIONS = [
    "set history",
    "set configuration",
    "put",
    "delete",
    "encryptor",
    "reader",
    "migrator",
    "owner puts",
]
OLD_OPERATIONS = [*PLAIN_OPERATIONS, "LISA history", "LISA configuration", "LISA off", "LISA both"]


class Run:
    """Carries out operations and keeps in mind what was acknowledged last."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.key = scene.new_key()
        self.last: dict[str, Any] = dict.fromkeys(NAMES)
        self._number = 0

    def do(self, operation: str, enabled: bool, amid: str | None) -> None:
        policy = {"enabled": enabled}
        with nullcontext() if amid is None else self.scene.before_next_update(lambda: self._write(amid)):
            match operation:
                case "encryptor":
                    self.scene.reconcile(self.key, Role.ENCRYPTOR, **policy)
                case "migrator":
                    self.scene.reconcile(self.key, Role.MIGRATOR, decrypt_all=not enabled, **policy)
                case "reader":
                    self._read(policy)
                case "owner puts":
                    self._put(policy)
                case _:
                    self._write(operation)

    def _value(self) -> Any:
        self._number += 1
        return {"L": [{"S": f"value {self._number}"}]}

    def _write(self, operation: str) -> None:
        match operation.split():
            case ["set", name]:
                self.last[name] = self._value()
                self.scene.set(self.key, **{name: self.last[name]})
            case ["put"]:
                self.last = {name: self._value() for name in NAMES}
                self.scene.store(self.key | self.last)
            case ["delete"]:
                self.last = dict.fromkeys(NAMES)
                self.scene.delete(self.key)
            case ["LISA", "both"]:
                self.last = {name: self._value() for name in NAMES}
                self.scene.lisa_set(self.key, **self.last)
            case ["LISA", "off"]:
                self.last["history"] = self._value()
                self.scene.set(self.key, history=self.last["history"], is_encrypted={"BOOL": False})
            case ["LISA", name]:
                self.last[name] = self._value()
                self.scene.lisa_set(self.key, **{name: self.last[name]})
            case _:
                raise AssertionError(operation)

    def _read(self, policy: dict[str, Any]) -> None:
        with tolerating("marker-unusable"):
            self.scene.reconciler.access(self.key, replace(self.scene.policy, **policy))

    def _put(self, policy: dict[str, Any]) -> None:
        value = self._value()
        with tolerating("marker-unusable", "conflict-unresolved"):
            self.scene.reconciler.put(self.key, replace(self.scene.policy, **policy), {"history": value}, {})
            self.last["history"] = value


def steps(operations: list[str]) -> st.SearchStrategy[list[tuple[str, bool, str | None]]]:
    writes = [name for name in operations if name not in ("encryptor", "reader", "migrator", "owner puts")]
    amid = st.one_of(st.none(), st.sampled_from(writes))
    return st.lists(st.tuples(st.sampled_from(operations), st.booleans(), amid), min_size=2, max_size=9)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(steps(PLAIN_OPERATIONS), st.booleans())
def test_plain_writers_in_any_order_then_the_last_acknowledged_write_is_what_the_owner_sees(
    scene: Scene, order: list[tuple[str, bool, str | None]], enabled: bool
) -> None:
    run = Run(scene)
    for operation, is_on, amid in order:
        run.do(operation, is_on, amid)
    converge(scene, run.key, enabled=enabled)

    for name in NAMES:
        assert scene.held(run.key, name) == ([] if run.last[name] is None else [run.last[name]])
    stored = scene.stored(run.key) or {}
    assert any(name in stored for name in NAMES) == (not enabled and any(run.last.values()))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(steps(OLD_OPERATIONS), st.booleans())
def test_plain_and_lisa_writers_in_any_order_then_the_last_acknowledged_write_is_still_held(
    scene: Scene, order: list[tuple[str, bool, str | None]], enabled: bool
) -> None:
    # In which place is LISA's ambiguity: its marker is all there is, and a plain writer does not set it.
    run = Run(scene)
    for operation, is_on, amid in order:
        run.do(operation, is_on, amid)
    converge(scene, run.key, enabled=enabled)

    for name in NAMES:
        if run.last[name] is not None:
            assert run.last[name] in scene.held(run.key, name)


APPENDERS = ["append", "encryptor", "reader", "migrator"]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.sampled_from(APPENDERS), st.booleans(), st.sampled_from([None, "append"])), min_size=2, max_size=9
    )
)
def test_appending_writers_in_any_order_then_every_member_is_there_once_and_in_order(
    scene: Scene, order: list[tuple[str, bool, str | None]]
) -> None:
    key = scene.new_key()
    members: list[Any] = []

    def append() -> None:
        members.append({"S": f"member {len(members)}"})
        scene.append(key, "history", members[-1])

    for operation, enabled, amid in order:
        with scene.before_next_update(append) if amid else nullcontext():
            match operation:
                case "append":
                    append()
                case "reader":
                    scene.reconciler.access(key, replace(scene.policy, enabled=enabled, **APPENDED))
                case _:
                    role = Role.ENCRYPTOR if operation == "encryptor" else Role.MIGRATOR
                    scene.reconcile(key, role, enabled=enabled, decrypt_all=not enabled, **APPENDED)
    converge(scene, key, **APPENDED)

    assert scene.held(key, "history") == ([{"L": members}] if members else [])
