"""Data keys that are remembered for reading: by exact question, for a while, so many, and never for writing."""

import gc
import threading
import weakref
from typing import Any

import pytest

from item_crypto import ConfigurationError, DecryptionFailed, KeyNotListed, Reconciler, SystemicError, ValueCipher
from item_crypto.core.context import encryption_context
from item_crypto.core.stored_form import encrypted_name
from item_crypto.forms import open_envelope
from item_crypto.keys.cached import MAX_SECONDS, CachedKeys
from item_crypto.keys.meter import KmsMeter
from tests.branch_keys import Branches
from tests.faults import failing
from tests.scene import CONFIGURATION, HISTORY, Scene


class Clock:
    def __init__(self) -> None:
        self.times = [0.0, 0.0]

    def clocks(self) -> Any:
        return tuple(lambda number=number: self.times[number] for number in range(2))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cached(scene: Scene, clock: Clock) -> ValueCipher:
    scene.meter.drain()
    return ValueCipher(CachedKeys(scene.cipher.keys, 60, entries=3, clocks=clock.clocks()))


def sealed(scene: Scene, key: Any, **values: Any) -> dict[str, Any]:
    found = scene.encrypted(key, **values)
    scene.meter.drain()
    return {name: open_envelope(found[encrypted_name(name)]) for name in values}


def test_data_key_when_it_is_asked_for_again_then_kms_is_not(scene: Scene, cached: ValueCipher) -> None:
    key = scene.new_key()
    envelopes = sealed(scene, key, history=HISTORY, configuration=CONFIGURATION)

    for _ in range(3):
        assert cached.decrypt(envelopes, scene.context(key))["history"] == HISTORY

    assert len(scene.meter.drain()) == 1


@pytest.mark.parametrize("times", [[60.0, 0.0], [0.0, 60.0], [0.0, -1.0]])
def test_data_key_when_it_is_too_old_by_any_clock_then_kms_is_asked(
    scene: Scene, cached: ValueCipher, clock: Clock, times: list[float]
) -> None:
    key = scene.new_key()
    envelopes = sealed(scene, key, history=HISTORY)
    cached.decrypt(envelopes, scene.context(key))

    clock.times = times
    with failing(scene.kms, "kms.Decrypt", "DisabledException"), pytest.raises(SystemicError):
        cached.decrypt(envelopes, scene.context(key))


def test_data_key_when_it_is_almost_too_old_then_it_is_used(scene: Scene, cached: ValueCipher, clock: Clock) -> None:
    key = scene.new_key()
    envelopes = sealed(scene, key, history=HISTORY)
    cached.decrypt(envelopes, scene.context(key))
    clock.times = [59.9, 59.9]

    cached.decrypt(envelopes, scene.context(key))

    assert len(scene.meter.drain()) == 1


def test_ciphertext_when_it_is_of_another_item_then_a_remembered_key_helps_nobody(
    scene: Scene, cached: ValueCipher
) -> None:
    key, other = scene.new_key(), scene.new_key()
    envelopes = sealed(scene, key, history=HISTORY)
    cached.decrypt(envelopes, scene.context(key))

    with pytest.raises(DecryptionFailed):
        cached.decrypt(envelopes, scene.context(other))
    with pytest.raises(DecryptionFailed):
        cached.decrypt(envelopes, encryption_context(key, scene.policy.context_attributes, "another-purpose"))


def test_old_form_when_its_bare_key_is_remembered_then_it_is_by_its_context(scene: Scene, cached: ValueCipher) -> None:
    key, other = scene.new_key(), scene.new_key()
    envelope = {"history": open_envelope(scene.lisa(key, history=HISTORY)["encrypted_history"])}
    scene.meter.drain()

    for _ in range(2):
        assert cached.decrypt(envelope, scene.context(key))["history"] == HISTORY
    assert len(scene.meter.drain()) == 1
    with pytest.raises(DecryptionFailed):
        cached.decrypt(envelope, scene.context(other))


def test_data_keys_when_there_are_too_many_then_the_one_used_longest_ago_is_forgotten(
    scene: Scene, cached: ValueCipher
) -> None:
    keys = [scene.new_key() for _ in range(4)]
    items = [(sealed(scene, key, history=HISTORY), scene.context(key)) for key in keys]

    def read(number: int) -> int:
        cached.decrypt(*items[number])
        return len(scene.meter.drain())

    assert [read(number) for number in (0, 1, 2)] == [1, 1, 1]
    assert read(0) == 0
    assert read(3) == 1  # The second goes.
    assert [read(number) for number in (0, 2, 3)] == [0, 0, 0]
    assert read(1) == 1


class Unwrapped:
    """A bare data key that can be looked for in memory."""


class Unwrapping:
    """Keys whose bare data keys can be looked for in memory; bytes cannot."""

    def unwrap(self, encrypted_key: bytes, context: Any) -> Any:
        return Unwrapped()


def test_data_key_when_it_is_too_old_then_the_next_question_removes_it_from_memory(clock: Clock) -> None:
    keys = CachedKeys(Unwrapping(), 60, clocks=clock.clocks())  # type: ignore[arg-type]
    old = [weakref.ref(keys.unwrap(b"%d" % number, {})) for number in range(2)]
    clock.times = [30.0, 30.0]
    young = weakref.ref(keys.unwrap(b"young", {}))

    clock.times = [60.0, 60.0]
    keys.unwrap(b"another", {})

    gc.collect()
    assert ([one() for one in old], young() is None) == ([None, None], False)


def test_data_key_when_it_is_too_old_then_a_question_that_is_answered_from_memory_removes_it_too(clock: Clock) -> None:
    keys = CachedKeys(Unwrapping(), 60, clocks=clock.clocks())  # type: ignore[arg-type]
    old = weakref.ref(keys.unwrap(b"old", {}))
    clock.times = [30.0, 30.0]
    young = keys.unwrap(b"young", {})

    clock.times = [60.0, 60.0]

    assert keys.unwrap(b"young", {}) is young
    gc.collect()
    assert old() is None


def test_data_key_when_a_clock_is_put_back_then_it_is_removed_from_memory(clock: Clock) -> None:
    """One that was asked for in what is now the future has no age; nor is it the oldest that is looked at first."""
    keys = CachedKeys(Unwrapping(), 60, clocks=clock.clocks())  # type: ignore[arg-type]
    clock.times = [10.0, 100.0]
    ahead = weakref.ref(keys.unwrap(b"ahead", {}))
    clock.times = [11.0, 50.0]
    behind = keys.unwrap(b"behind", {})

    clock.times = [12.0, 51.0]

    assert keys.unwrap(b"behind", {}) is behind
    gc.collect()
    assert ahead() is None


def test_encryption_when_keys_are_remembered_then_each_write_has_a_new_one(scene: Scene, cached: ValueCipher) -> None:
    key = scene.new_key()

    first, second = (cached.encrypt({"history": HISTORY}, scene.context(key)) for _ in range(2))

    assert first != second
    assert len(scene.meter.drain()) == 2


def test_failure_when_kms_refuses_then_it_is_not_remembered(scene: Scene, cached: ValueCipher) -> None:
    key = scene.new_key()
    envelopes = sealed(scene, key, history=HISTORY)

    with failing(scene.kms, "kms.Decrypt", "DisabledException"), pytest.raises(SystemicError):
        cached.decrypt(envelopes, scene.context(key))

    assert cached.decrypt(envelopes, scene.context(key))["history"] == HISTORY


def test_key_when_it_is_not_listed_then_it_is_not_asked_for(scene: Scene, cached: ValueCipher) -> None:
    key = scene.new_key()
    text = scene.unlisted_cipher.encrypt({"history": HISTORY}, scene.context(key))["history"]

    with pytest.raises(KeyNotListed):
        cached.decrypt({"history": open_envelope({"S": text})}, scene.context(key))


def test_keys_when_threads_share_them_then_each_reads_what_it_asked_for(scene: Scene) -> None:
    shared = ValueCipher(CachedKeys(scene.cipher.keys, 60, entries=2))
    keys = [scene.new_key() for _ in range(4)]
    contents: list[Any] = [{"S": f"value {number}"} for number in range(4)]
    items = [(sealed(scene, key, history=value), scene.context(key)) for key, value in zip(keys, contents, strict=True)]
    wrong: list[Any] = []

    def read(number: int) -> None:
        for turn in range(25):
            at = (number + turn) % 4
            if shared.decrypt(*items[at])["history"] != contents[at]:
                wrong.append(at)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_calls_when_they_are_spared_then_the_meter_counts_those_of_earlier_questions_alone(
    scene: Scene, clock: Clock
) -> None:
    meter = KmsMeter()
    cached = ValueCipher(CachedKeys(scene.cipher.keys, 60, clocks=clock.clocks(), meter=meter))
    key = scene.new_key()
    envelopes = sealed(scene, key, history=HISTORY, configuration=CONFIGURATION)

    def spared() -> int:
        cached.decrypt(envelopes, scene.context(key))
        count = meter.spared
        meter.drain()
        return count

    assert [spared() for _ in range(3)] == [0, 1, 1]  # Two values, one data key.
    clock.times = [60.0, 60.0]
    assert [spared() for _ in range(2)] == [0, 1]


def test_access_when_the_key_was_disabled_then_that_takes_effect_once_its_data_key_is_too_old(
    scene: Scene, cached: ValueCipher, clock: Clock
) -> None:
    key = scene.new_key()
    ciphertexts = scene.encrypted(key, history=HISTORY)
    scene.store({**key, **ciphertexts, "is_encrypted": {"BOOL": True}, "encryption_version": {"S": "1.0"}})
    reconciler = Reconciler(scene.table, scene.cipher, reading=cached)

    def read() -> Any:
        return (reconciler.access(key, scene.policy).item or {})["history"]

    assert read() == HISTORY
    with failing(scene.kms, "kms", "DisabledException"):
        clock.times = [59.9, 59.9]
        assert read() == HISTORY
        clock.times = [60.0, 60.0]
        with pytest.raises(SystemicError):
            read()


def test_access_when_the_key_was_disabled_then_an_item_that_is_to_be_written_from_its_value_is_not_read(
    scene: Scene, cached: ValueCipher
) -> None:
    """GIVEN an old form whose data key is remembered: to store its value anew asks for the right to decrypt it now."""
    key = scene.new_key()
    marked = {"is_encrypted": {"BOOL": True}, "encryption_version": {"S": "1.0"}}
    scene.store({**key, **scene.lisa(key, history=HISTORY), **marked})
    cached.decrypt({"history": open_envelope(scene.stored(key)["encrypted_history"])}, scene.context(key))
    reconciler = Reconciler(scene.table, scene.cipher, reading=cached)

    with failing(scene.kms, "kms.Decrypt", "DisabledException"), pytest.raises(SystemicError):
        reconciler.access(key, scene.policy)


@pytest.mark.parametrize("form", ["encrypted", "lisa"])
def test_access_when_somebody_writes_between_a_read_by_a_remembered_key_and_its_update_then_theirs_stands(
    scene: Scene, cached: ValueCipher, form: str
) -> None:
    key = scene.new_key()
    marked = {"is_encrypted": {"BOOL": True}, "encryption_version": {"S": "1.0"}}
    scene.store({**key, **getattr(scene, form)(key, history=HISTORY), **marked})
    reconciler = Reconciler(scene.table, scene.cipher, reading=cached)
    with failing(scene.dynamodb, "dynamodb.UpdateItem", "AccessDeniedException"):  # The old form stays.
        reconciler.access(key, scene.policy)
    scene.set(key, configuration=CONFIGURATION)
    newer: Any = {"L": [{"S": "newer"}]}
    theirs = {**key, "history": newer, "name": {"S": "theirs"}}

    with scene.before_next_update(lambda: scene.store(theirs)):
        seen = reconciler.access(key, scene.policy).item

    assert seen == theirs
    assert scene.held(key, "history") == [newer]
    assert (scene.stored(key) or {})["name"] == {"S": "theirs"}
    assert "configuration" not in (reconciler.access(key, scene.policy).item or {})


def test_access_when_its_value_is_to_be_written_then_a_new_data_key_is_asked_for(
    scene: Scene, cached: ValueCipher
) -> None:
    key = scene.new_key()
    scene.store({**key, **scene.encrypted(key, history=HISTORY), "is_encrypted": {"BOOL": True}})
    reconciler = Reconciler(scene.table, scene.cipher, reading=cached)
    scene.meter.drain()

    def calls() -> int:
        assert (reconciler.access(key, scene.policy).item or {})["history"] == HISTORY
        return len(scene.meter.drain())

    assert [calls(), calls()] == [1, 0]
    scene.set(key, configuration=CONFIGURATION)
    assert [calls(), calls()] == [1, 1]  # It is encrypted; and has another data key than the history.
    assert calls() == 0


@pytest.mark.parametrize(("seconds", "entries"), [(0, 10), (-1, 10), (MAX_SECONDS + 1, 10), (60, 0), (60, 1_001)])
def test_bounds_when_they_are_left_then_the_keys_are_refused(scene: Scene, seconds: float, entries: int) -> None:
    with pytest.raises(ConfigurationError):
        CachedKeys(scene.cipher.keys, seconds, entries)


def test_keys_when_a_tenant_has_none_yet_then_what_cannot_wait_is_encrypted_by_the_keys_own(scene: Scene) -> None:
    context = scene.context(scene.new_key())

    written = ValueCipher(CachedKeys(Branches(scene).keys(), 60)).encrypt({"history": HISTORY}, context)

    envelopes = {"history": open_envelope({"S": written["history"]})}
    assert scene.cipher.decrypt(envelopes, context) == {"history": HISTORY}
