"""One item never stops a sweep, and what of an item can be done is done."""

import json
from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from encryptor_runtime.clients import CLIENT_CONFIG
from item_crypto import Keyrings, ValueCipher
from migrator import deferred, segments, sweep
from migrator.allowance import MOST_LETTERS, Allowance
from migrator.budget import budget
from tests.migration import CONTROL, TABLE, Migration, context
from tests.records import bodies, received
from tests.refusals import refuse


def under(world: Migration, key_arn: str, session: str, plain: Mapping[str, Any], **attributes: Any) -> None:
    """Put a session with values of ``plain`` encrypted under a key."""
    context = {"userId": "alice", "sessionId": session, "purpose": "session-encryption"}
    ciphertexts = ValueCipher(Keyrings(world.kms, key_arn)).encrypt(plain, context)
    world.put(
        session,
        **{f"encrypted_{name}": {"S": text} for name, text in ciphertexts.items()},
        encrypted_at={"S": "2026-01-02T08:30:00Z"},
        **attributes,
    )


HISTORY = {"L": [{"S": "one"}]}
CONFIGURATION = {"M": {"model": {"S": "small"}}}


class TestEarlierKey:
    @pytest.mark.parametrize("code", ["DisabledException", "AccessDeniedException", "KMSInvalidStateException"])
    @pytest.mark.parametrize("goal", ["encrypt", "re-encrypt"])
    def test_given_an_item_under_an_earlier_key_that_refuses_when_swept_then_it_alone_fails(
        self, world: Migration, code: str, goal: str
    ) -> None:
        world.set(EARLIER_KEY_ARNS=world.other_key_arn)
        under(world, world.other_key_arn, "odd", {"history": HISTORY})
        for number in range(5):
            world.plain(f"s{number}")
        refuse(
            world.parts.runtime.clients.kms, "kms.Decrypt", code, lambda asked: asked["KeyId"] == world.other_key_arn
        )

        done = world.run(goal, segments=1)

        assert (done["state"], done["counts"]) == ("done", {"encrypted": 5, "failed": 1})
        (letter,) = world.letters()
        assert (letter["key"]["sessionId"], letter["reason"]) == ({"S": "odd"}, f"kms-{code}")

    def test_given_an_earlier_key_that_refuses_when_verified_deeply_then_its_items_are_undecryptable(
        self, world: Migration
    ) -> None:
        world.set(EARLIER_KEY_ARNS=world.other_key_arn)
        under(world, world.other_key_arn, "odd", {"history": HISTORY})
        refuse(
            world.parts.runtime.clients.kms,
            "kms.Decrypt",
            "DisabledException",
            lambda asked: asked["KeyId"] == world.other_key_arn,
        )

        assert world.run("verify", segments=1, deep=True)["counts"]["undecryptable"] == 1

    def test_given_the_current_key_refuses_when_swept_then_the_page_waits_and_no_letter_is_sent(
        self, world: Migration
    ) -> None:
        world.plain("s1")
        sweep_id = world.start("encrypt", segments=1)
        refuse(world.parts.runtime.clients.kms, "kms.GenerateDataKey", "DisabledException", times=1)

        world.pump()
        assert world.sweep(sweep_id)["counts"] == {}
        world.command("resume", sweep=sweep_id)  # Else the message would be seen again in ten seconds.
        world.pump()

        assert world.sweep(sweep_id)["counts"] == {"encrypted": 1}
        assert world.letters() == []


def test_given_an_item_that_kms_finds_malformed_when_swept_then_it_alone_fails(world: Migration) -> None:
    world.plain("odd")
    world.plain("s1")
    refuse(
        world.parts.runtime.clients.kms,
        "kms.GenerateDataKey",
        "ValidationException",
        lambda asked: asked["EncryptionContext"]["sessionId"] == "odd",
    )

    done = world.run("encrypt", segments=1)

    assert (done["state"], done["counts"]) == ("done", {"encrypted": 1, "failed": 1})
    (letter,) = world.letters()
    assert (letter["key"]["sessionId"], letter["reason"]) == ({"S": "odd"}, "invalid-request")


def test_given_a_tenant_that_kms_finds_malformed_when_swept_then_its_items_alone_fail(branched: Migration) -> None:
    branched.pages_of(1)
    for number in range(4):
        branched.plain(f"s{number}")
    item = {"sessionId": {"S": "odd"}, "userId": {"S": "bob"}, "history": HISTORY}
    branched.dynamodb.put_item(TableName=TABLE, Item=item)
    refuse(
        branched.parts.runtime.clients.kms,
        "kms.GenerateDataKeyWithoutPlaintext",
        "ValidationException",
        lambda asked: "bob" in json.dumps(asked),
    )

    done = branched.run("encrypt", segments=1)

    assert (done["state"], done["counts"]) == ("done", {"encrypted": 4, "failed": 1})
    (letter,) = branched.letters()
    assert (letter["key"]["sessionId"], letter["reason"]) == ({"S": "odd"}, "invalid-request")


class TestLetters:
    def test_given_more_failures_than_a_sweep_may_send_letters_when_swept_then_the_rest_is_counted(
        self, world: Migration
    ) -> None:
        for number in range(5):
            world.put(f"s{number}", encrypted_history={"S": "%%%"})
        sweep_id = world.start("encrypt", segments=2)
        Allowance(world.dynamodb, CONTROL).take(sweep_id, MOST_LETTERS - 2)

        world.pump()

        assert world.sweep(sweep_id)["counts"] == {"failed": 5, "withoutLetter": 3}
        assert len(world.letters()) == 2

    def test_whoever_asks_a_sweep_is_granted_no_more_than_it_may_send(self, world: Migration) -> None:
        one, other = (Allowance(world.dynamodb, CONTROL) for _ in range(2))

        granted = [each.take("sweep", wanted) for each, wanted in [(one, 600), (other, 300), (one, 250), (other, 9)]]

        assert granted == [600, 300, 100, 0]
        assert one.take("another", 1000) == MOST_LETTERS == 1000
        assert one.take("nothing", 0) == 0


class TestInPart:
    """The migrator does at least what the encryptor does."""

    @pytest.mark.parametrize("goal", ["encrypt", "re-encrypt"])
    def test_given_plaintext_beside_an_undecryptable_value_when_swept_then_it_is_encrypted_and_the_rest_reported(
        self, world: Migration, goal: str
    ) -> None:
        world.set(EARLIER_KEY_ARNS=world.other_key_arn)
        under(world, world.other_key_arn, "odd", {"configuration": CONFIGURATION}, history=HISTORY)
        swapped = world.get("odd")["encrypted_configuration"]
        under(world, world.other_key_arn, "s1", {"configuration": CONFIGURATION})
        world.put("s1", encrypted_configuration=swapped, history=HISTORY)  # Of another item: its context differs.

        done = world.run(goal, segments=1)

        assert done["counts"] == {"encrypted": 1, "failed": 1}
        stored = world.get("s1")
        assert "history" not in stored
        assert "encrypted_history" in stored
        assert stored["encrypted_configuration"] == swapped
        (letter,) = world.letters()
        assert (letter["key"]["sessionId"], letter["reason"]) == ({"S": "s1"}, "decryption-failed")

    def test_given_a_writer_at_the_worst_moment_beside_an_undecryptable_value_when_swept_then_it_is_reported(
        self, world: Migration
    ) -> None:
        """The writer's own trigger encrypts what it wrote, and never looks at the ciphertext beside it."""
        world.set(EARLIER_KEY_ARNS=world.other_key_arn)
        under(world, world.other_key_arn, "odd", {"configuration": CONFIGURATION})
        swapped = world.get("odd")["encrypted_configuration"]
        key = {"sessionId": {"S": "odd"}, "userId": {"S": "alice"}}
        world.dynamodb.delete_item(TableName=TABLE, Key=key)
        world.put("s1", encrypted_configuration=swapped, history=HISTORY)  # Of another item: its context differs.

        def write() -> None:
            world.dynamodb.update_item(
                TableName=TABLE,
                Key={**key, "sessionId": {"S": "s1"}},
                UpdateExpression="SET history = :newer",
                ExpressionAttributeValues={":newer": {"L": [{"S": "newer"}]}},
            )

        world.interrupt("before", "dynamodb.UpdateItem", write)
        done = world.run("encrypt", segments=1)

        assert done["counts"] == {"failed": 1}
        (letter,) = world.letters()
        assert (letter["key"]["sessionId"], letter["reason"]) == ({"S": "s1"}, "decryption-failed")
        assert "history" not in world.get("s1")

    def test_given_an_earlier_key_that_refuses_when_swept_then_the_plaintext_beside_is_encrypted(
        self, world: Migration
    ) -> None:
        world.set(EARLIER_KEY_ARNS=world.other_key_arn)
        under(world, world.other_key_arn, "s1", {"configuration": CONFIGURATION}, history=HISTORY)
        refuse(
            world.parts.runtime.clients.kms,
            "kms.Decrypt",
            "DisabledException",
            lambda asked: asked["KeyId"] == world.other_key_arn,
        )

        assert world.run("encrypt", segments=1)["counts"] == {"failed": 1}

        assert "history" not in world.get("s1")
        assert world.clear("s1")["history"] == HISTORY

    def test_given_an_old_form_that_cannot_be_decrypted_beside_plaintext_when_swept_then_nothing_is_touched(
        self, world: Migration
    ) -> None:
        """Only is_encrypted tells which of the two is newer, and any write would overwrite it."""
        world.lisa("s1", "clear", stale={"S": "stale"})
        item = world.get("s1") | {"sessionId": {"S": "s2"}, "configuration": CONFIGURATION}
        world.dynamodb.put_item(TableName="sessions", Item=item)

        world.run("encrypt", segments=1)

        assert world.get("s2") == item


class TestLostRaces:
    """What no trigger follows is reconciled again."""

    def test_given_a_writer_at_the_worst_moment_when_aged_items_are_re_encrypted_then_they_are_all_the_same(
        self, world: Migration
    ) -> None:
        under(world, world.key_arn, "s1", {"history": HISTORY, "configuration": CONFIGURATION})
        before = world.get("s1")

        def write() -> None:
            world.dynamodb.update_item(
                TableName="sessions",
                Key={"sessionId": {"S": "s1"}, "userId": {"S": "alice"}},
                UpdateExpression="SET history = :h",
                ExpressionAttributeValues={":h": {"L": [{"S": "newer"}]}},
            )

        world.interrupt("before", "dynamodb.UpdateItem", write)
        done = world.run("re-encrypt", segments=1, olderThanDays=0)

        assert done["counts"] == {"encrypted": 1}
        after = world.get("s1")
        assert after["encrypted_configuration"] != before["encrypted_configuration"]
        assert world.clear("s1")["history"] == {"L": [{"S": "newer"}]}

    def test_given_a_writer_at_the_worst_moment_when_a_kept_conflict_is_renewed_then_it_is_all_the_same(
        self, world: Migration
    ) -> None:
        world.set(EARLIER_KEY_ARNS=world.other_key_arn)
        under(world, world.key_arn, "s1", {"history": HISTORY})
        item = world.get("s1")
        under(
            world, world.other_key_arn, "s1", {"history_conflict": HISTORY}, encrypted_history=item["encrypted_history"]
        )
        kept = world.get("s1")["encrypted_history_conflict"]

        def write() -> None:
            world.dynamodb.put_item(TableName="sessions", Item=world.get("s1") | {"configuration": CONFIGURATION})

        world.interrupt("before", "dynamodb.UpdateItem", write)
        done = world.run("encrypt", segments=1)

        assert done["counts"] == {"encrypted": 1}
        assert world.get("s1")["encrypted_history_conflict"] != kept


class TestTime:
    def test_given_throttled_kms_when_a_page_is_worked_off_then_it_ends_before_the_function_does(
        self, world: Migration
    ) -> None:
        """Each call takes its time: the page begins with enough, and what is left of it waits among deferred keys."""
        for number in range(100):
            world.plain(f"s{number}")
        sweep_id = world.start("encrypt", segments=1)
        left = 100.0

        def slow() -> None:
            nonlocal left
            left -= 2

        world.interrupt("before", "kms.GenerateDataKey", slow, times=1000)
        (message,) = world.sqs.receive_message(QueueUrl=world.work, VisibilityTimeout=0)["Messages"]
        clock = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: left * 1000)

        sweep.handle(received(message["Body"]), clock, world.parts)

        assert left > 20  # Eight threads may each have one item in hand.
        counts = world.sweep(sweep_id)["counts"]
        assert counts["encrypted"] + counts["retried"] == 100
        assert counts["retried"] > 50
        assert {body["reason"] for body in bodies(world.deferred)} == {"out-of-time"}

    def test_given_slow_kms_when_verified_deeply_then_what_was_looked_at_counts_and_the_rest_follows(
        self, world: Migration
    ) -> None:
        """One item after another is decrypted: a page that began with enough time would outlast the function."""
        for number in range(40):
            world.plain(f"s{number}")
        world.run("encrypt", segments=1)
        sweep_id = world.start("verify", segments=1, deep=True)
        left = 300.0

        def slow() -> None:
            nonlocal left
            left -= 10

        stop = world.interrupt("before", "kms.Decrypt", slow, times=1000)
        (message,) = world.sqs.receive_message(QueueUrl=world.work, VisibilityTimeout=0)["Messages"]
        clock = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: left * 1000)
        sweep.handle(received(message["Body"]), clock, world.parts)

        assert left > 30
        some = world.sweep(sweep_id)
        assert 20 <= some["scanned"] < 40
        assert some["counts"] == {"encrypted": some["scanned"]}
        stop()
        world.pump()
        done = world.sweep(sweep_id)
        assert (done["state"], done["scanned"], done["counts"]) == ("done", 40, {"encrypted": 40})
        assert done["values"] == {"seen": 80, "decrypted": 80}

    def test_given_hardly_any_time_when_verified_then_a_page_comes_forward_by_one_item(self, world: Migration) -> None:
        for number in range(3):
            world.plain(f"s{number}")
        sweep_id = world.start("verify", segments=1)
        (message,) = world.sqs.receive_message(QueueUrl=world.work, VisibilityTimeout=0)["Messages"]

        sweep.handle(received(message["Body"]), context(seconds=0), world.parts)

        assert world.sweep(sweep_id)["scanned"] == 1

    def test_given_no_time_left_when_deferred_keys_come_then_they_come_again_untouched(self, world: Migration) -> None:
        item = world.plain("s1")
        body = f'{{"kind": "deferred", "table": "sessions", "key": {key_json("s1")}}}'
        event = received(body)
        event["Records"] = [{**event["Records"][0], "messageId": f"m{n}"} for n in range(3)]
        moments = iter([100.0, 100.0, *([10.0] * 100)])
        clock = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: next(moments) * 1000)

        response = deferred.handle(event, clock, world.parts)

        assert [failure["itemIdentifier"] for failure in response["batchItemFailures"]] == ["m1", "m2"]
        assert world.get("s1") != item  # The first one was in time.

    def test_the_reserves_outlast_a_call_that_hangs(self) -> None:
        """botocore's standard mode waits 1 and 2 seconds at most before the second and the third attempt."""
        options: Any = CLIENT_CONFIG
        attempts = options.retries["total_max_attempts"]
        hanging = attempts * (options.connect_timeout + options.read_timeout) + sum(2**n for n in range(attempts - 1))

        kept = 100 - budget(lambda: 100.0, segments._IN_HAND)()
        assert kept > 1.5 * hanging
        assert kept < segments._RESERVE

    def test_a_budget_keeps_half_where_there_is_little(self) -> None:
        left = 10.0
        seconds = budget(lambda: left, 45.0)
        assert seconds() == 5.0
        left = 5.0
        assert seconds() == 0.0


def key_json(session: str) -> str:
    return f'{{"sessionId": {{"S": "{session}"}}, "userId": {{"S": "alice"}}}}'


class TestKeyChange:
    """Functions not yet updated do not dead-letter what the new ones wrote."""

    def deliver(self, world: Migration, receives: int) -> list[Any]:
        event = received(f'{{"kind": "deferred", "table": "sessions", "key": {key_json("s1")}}}')
        event["Records"][0]["attributes"]["ApproximateReceiveCount"] = str(receives)
        clock = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 100_000)
        return list(deferred.handle(event, clock, world.parts)["batchItemFailures"])

    def test_given_an_item_under_a_key_not_known_yet_when_deferred_then_it_waits_for_the_updated_function(
        self, world: Migration
    ) -> None:
        under(world, world.other_key_arn, "s1", {"history": HISTORY})

        assert self.deliver(world, 1) != []
        assert world.letters() == []

        world.set(SESSION_ENCRYPTION_KEY_ARN=world.other_key_arn, EARLIER_KEY_ARNS=world.key_arn)
        assert self.deliver(world, 2) == []
        assert world.letters() == []

    def test_given_a_key_that_nobody_lists_when_deferred_then_it_is_a_dead_letter_in_the_end(
        self, world: Migration
    ) -> None:
        under(world, world.other_key_arn, "s1", {"history": HISTORY})

        assert [bool(self.deliver(world, receives)) for receives in (1, 2, 3)] == [True, True, False]

        (letter,) = world.letters()
        assert (letter["reason"], letter["attempts"]) == ("key-not-listed", 3)

    def test_given_an_item_under_a_key_not_known_yet_when_swept_then_it_is_deferred_and_counted(
        self, world: Migration
    ) -> None:
        under(world, world.other_key_arn, "s1", {"history": HISTORY})
        sweep_id = world.start("re-encrypt", segments=1)

        assert world.deliver(world.work, sweep.handle, 300) == 1

        assert world.sweep(sweep_id)["counts"] == {"failed": 1}
        assert world.letters() == []
        (message,) = bodies(world.deferred)
        assert (message["kind"], message["goal"], message["reason"]) == ("deferred", "re-encrypt", "key-not-listed")


def test_given_a_sweep_that_stands_still_when_looked_at_then_the_minutes_are_told(world: Migration) -> None:
    world.pages_of(10)
    for number in range(15):
        world.plain(f"s{number}")
    sweep_id = world.start("encrypt", segments=1)
    world.passed += timedelta(minutes=3)
    assert world.sweep(sweep_id)["minutesWithoutProgress"] == 3

    assert world.deliver(world.work, sweep.handle, 10) == 1  # One page.
    assert world.sweep(sweep_id)["minutesWithoutProgress"] == 0
    world.passed += timedelta(minutes=5)
    (shown,) = world.command("status")["sweeps"]
    assert shown["minutesWithoutProgress"] == 5

    world.command("pause", sweep=sweep_id)
    assert world.sweep(sweep_id)["minutesWithoutProgress"] is None
