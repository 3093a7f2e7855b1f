"""A reading of the setting is used for one cache lifetime, whatever stands still; no write rests on an older one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.retries.standard import ExponentialBackoff

from encryptor_runtime.clients import CLIENT_CONFIG, longest_call
from encryptor_runtime.switch import Switch
from encryptor_runtime.switch_and_sweep import settled_after
from item_crypto import OutcomeUnknown, Policy, Reconciler, Role, Status, TransientError
from item_crypto.dynamodb.answers import sent_once
from tests.faults import Lasting, failing
from tests.scene import CONFIGURATION, HISTORY, Scene
from tests.unit.test_switch import LIFETIME, TABLE, Control

SLOW = 8.0  # Seconds: a call to KMS that took two attempts.


class World(Scene):
    """A table under a setting, on moto, with a clock; what the package asks, and which policies it asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.control = Control()
        self.switch = self.control.switch()
        self.reconciler = Reconciler(self.table, self.cipher, current=self.current)
        self.lasting = Lasting()
        self.writes = 0
        self.dynamodb.meta.events.register("before-call.dynamodb.UpdateItem", self._count)

    def current(self, policy: Policy) -> Policy:
        return replace(policy, enabled=self.switch.read().enabled)

    def _count(self, **_: Any) -> None:
        self.writes += 1

    def takes_long(self, client: Any, operation: str, meanwhile: Callable[[], Any]) -> None:
        """Have the next call of ``operation`` take longer than the cache's lifetime, and more happen meanwhile."""
        left = [meanwhile]

        def slowly(**_: Any) -> None:
            if left:
                self.control.now += SLOW
                left.pop()()

        client.meta.events.register(f"after-call.{operation}", slowly)

    def somebody_switches(self, enabled: bool) -> Callable[[], Any]:
        def change() -> None:
            other = self.control.switch(mine=False)
            other.change(enabled, "somebody", other.read_now().version)

        return change


@pytest.fixture
def world(aws: None) -> World:
    return World()


# The cache


def test_given_a_frozen_environment_when_it_goes_on_then_the_setting_is_read_again(aws: None) -> None:
    """A clock that only goes forward stands still with the environment; an hour later "off" must not be believed."""
    control, wall = Control(), [1_000_000.0]
    switch = Switch(control.dynamodb, TABLE, False, LIFETIME, lambda: control.now, lambda: wall[0])
    assert switch.read().enabled is False
    control.switch(mine=False).change(True, "alice", 0)

    control.now += 1
    wall[0] += 3600

    assert switch.read().enabled is True


def test_given_a_wall_clock_that_is_put_back_when_a_lifetime_has_passed_then_the_setting_is_read_again(
    aws: None,
) -> None:
    control, wall = Control(), [1_000_000.0]
    switch = Switch(control.dynamodb, TABLE, False, LIFETIME, lambda: control.now, lambda: wall[0])
    switch.read()
    control.switch(mine=False).change(True, "alice", 0)

    control.now += LIFETIME
    wall[0] -= 3600

    assert switch.read().enabled is True


def test_given_a_young_reading_when_it_is_forgotten_then_the_setting_is_read_again(aws: None) -> None:
    control = Control()
    switch = control.switch()
    assert switch.read().enabled is True
    control.switch(mine=False).change(False, "alice", 0)

    switch.forget()

    assert switch.read().enabled is False


# Writes


def test_given_off_during_a_long_call_to_kms_when_reconciled_then_nothing_is_encrypted_behind_it(world: World) -> None:
    key = world.new_key()
    world.store(key | {"history": HISTORY})
    world.takes_long(world.kms, "kms.GenerateDataKey", world.somebody_switches(False))

    outcome = world.reconcile(key)

    assert outcome.status is Status.NOTHING
    assert (world.stored(key), world.writes) == (key | {"history": HISTORY}, 0)


def test_given_on_during_a_long_decryption_when_reconciled_then_nothing_is_decrypted_behind_it(world: World) -> None:
    key = world.new_key()
    world.store(key | world.encrypted(key, history=HISTORY))
    stored = world.stored(key)
    world.somebody_switches(False)()
    world.takes_long(world.kms, "kms.Decrypt", world.somebody_switches(True))

    outcome = world.reconcile(key, Role.MIGRATOR, enabled=False, decrypt_all=True)

    assert outcome.status is Status.NOTHING
    assert (world.stored(key), world.writes) == (stored, 0)


def test_given_on_during_a_long_read_when_reconciled_then_what_it_read_is_encrypted(world: World) -> None:
    """To leave plaintext alone is a decision too: no write, and so no later record, would bring it up again."""
    key = world.new_key()
    world.store(key | {"history": HISTORY})
    world.somebody_switches(False)()
    policy = world.current(world.policy)
    world.takes_long(world.dynamodb, "dynamodb.BatchGetItem", world.somebody_switches(True))

    (outcome,) = world.reconciler.reconcile([key], policy, Role.ENCRYPTOR).values()

    assert outcome.status is Status.ENCRYPTED
    assert "history" not in (world.stored(key) or {})


def test_given_the_same_setting_after_a_long_call_when_reconciled_then_it_is_written_after_one_more_reading(
    world: World,
) -> None:
    key = world.new_key()
    world.store(key | {"history": HISTORY})
    world.takes_long(world.kms, "kms.GenerateDataKey", lambda: None)

    assert world.reconcile(key).status is Status.ENCRYPTED
    assert world.control.calls.count("GetItem") == 2


def test_given_a_setting_that_cannot_be_read_any_more_when_a_write_is_due_then_it_is_not_sent(world: World) -> None:
    key = world.new_key()
    world.store(key | {"history": HISTORY})
    world.takes_long(
        world.kms,
        "kms.GenerateDataKey",
        lambda: world.lasting.begin(
            failing(world.control.dynamodb, "dynamodb.GetItem", "InternalServerError", status=500)
        ),
    )

    outcome = world.reconcile(key)

    assert (outcome.status, outcome.reason) == (Status.RETRY, "dynamodb-InternalServerError")
    assert world.writes == 0


def test_given_a_policy_that_never_rests_when_reconciled_then_the_key_is_to_be_tried_again(world: World) -> None:
    key = world.new_key()
    world.store(key | {"history": HISTORY})
    seen: list[Policy] = []

    def restless(policy: Policy) -> Policy:
        seen.append(replace(policy, purpose=f"purpose-{len(seen)}"))
        return seen[-1]

    world.reconciler = Reconciler(world.table, world.cipher, current=restless)

    assert world.reconcile(key).status is Status.RETRY
    assert (world.stored(key), world.writes) == (key | {"history": HISTORY}, 0)


def test_given_off_during_a_long_call_when_the_owner_reads_then_the_item_stays_and_is_returned(world: World) -> None:
    key = world.new_key()
    world.store(key | {"history": HISTORY})
    world.takes_long(world.kms, "kms.GenerateDataKey", world.somebody_switches(False))

    access = world.reconciler.access(key, world.policy)

    assert (access.item, access.outcome.status) == (key | {"history": HISTORY}, Status.NOTHING)
    assert (world.stored(key), world.writes) == (key | {"history": HISTORY}, 0)


def test_given_off_during_a_long_call_when_the_owner_puts_then_it_is_stored_in_plaintext(world: World) -> None:
    key = world.new_key()
    world.store(key | {"configuration": CONFIGURATION})
    world.takes_long(world.kms, "kms.GenerateDataKey", world.somebody_switches(False))

    world.reconciler.put(key, world.policy, {"history": HISTORY}, {})

    assert world.stored(key) == key | {"configuration": CONFIGURATION, "history": HISTORY}


def test_given_on_during_a_long_read_when_the_owner_puts_then_it_is_stored_encrypted(world: World) -> None:
    key = world.new_key()
    world.somebody_switches(False)()
    policy = world.current(world.policy)
    world.takes_long(world.dynamodb, "dynamodb.GetItem", world.somebody_switches(True))

    world.reconciler.put(key, policy, {"history": HISTORY}, {})

    stored = world.stored(key) or {}
    assert ("history" in stored, "encrypted_history" in stored) == (False, True)


# The bound, from the time-outs and attempts of the clients


def test_given_the_clients_time_outs_when_every_attempt_uses_them_up_then_the_longest_call_is_no_shorter() -> None:
    config: Any = CLIENT_CONFIG
    attempts = config.retries["total_max_attempts"]
    waits = ExponentialBackoff(random=lambda: 1.0, throttling_detector=Always())
    total = sum(config.connect_timeout + config.read_timeout for _ in range(attempts))
    total += sum(waits.delay_amount(Retry(number)) for number in range(1, attempts))

    assert config.retries["mode"] == "standard"
    assert longest_call() == total == 34


@pytest.mark.parametrize("cache_seconds", [0, 5, 60])
def test_given_a_last_write_by_the_old_setting_when_it_is_settled_then_the_write_ended_a_second_before(
    cache_seconds: float,
) -> None:
    sent_at_the_latest = cache_seconds  # after the old setting was read, which was before the change
    assert settled_after(cache_seconds) == sent_at_the_latest + longest_call() + 1


def test_given_a_request_of_many_items_when_all_its_attempts_use_up_their_time_then_it_is_no_longer_call() -> None:
    waited: list[float] = []
    config: Any = CLIENT_CONFIG
    lost = ConnectTimeoutError(endpoint_url="https://dynamodb")

    def sends() -> None:
        waited.append(config.connect_timeout + config.read_timeout)
        raise lost

    with pytest.raises(TransientError):
        sent_once(sends, waited.append, lambda: 1.0)

    assert sum(waited) <= longest_call()


class Always:
    """Every error is throttling, whose waits are the longest."""

    def is_throttling_error_from_context(self, _: Any) -> bool:
        return True


class Retry:
    """An attempt that failed, whose answer asks for as long a wait as it likes."""

    def __init__(self, number: int) -> None:
        self.attempt_number = number
        self.http_response = self
        self.headers = {"x-amz-retry-after": "3600000"}


def test_given_off_between_two_sendings_of_a_put_then_the_second_one_is_not_sent_and_nobody_knows(world: World) -> None:
    key = world.new_key()
    world.store(key | {"history": CONFIGURATION})
    sent: list[Any] = []

    def lose(**_: Any) -> None:
        sent.append(None)
        if len(sent) == 1:
            world.somebody_switches(False)()
            world.control.now += LIFETIME
            raise ReadTimeoutError(endpoint_url="https://dynamodb")

    world.dynamodb.meta.events.register("before-call.dynamodb.UpdateItem", lose)
    with pytest.raises(OutcomeUnknown):
        world.reconciler.put(key, world.current(world.policy), {"history": HISTORY}, {})

    assert len(sent) == 1
    assert world.stored(key) == key | {"history": CONFIGURATION}
