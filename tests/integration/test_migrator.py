"""Sweeps, deferred keys, the switch and dead letters: the migrator's handlers on moto's DynamoDB, KMS and SQS."""

import json
import random
import re
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from migrator import control, sweep
from migrator.progress import State
from tests.factories import audit_lines
from tests.faults import ALWAYS, MOMENTS, interrupting
from tests.migration import SECRET, TABLE, Crash, Migration, context
from tests.records import bodies, event_of, sqs_record


def is_plain(item: dict[str, Any]) -> bool:
    return "history" in item or "configuration" in item


class TestEncrypt:
    def test_given_plaintext_when_swept_then_all_is_encrypted_and_counted(self, world: Migration) -> None:
        world.pages_of(10)
        originals = {f"s{n}": world.plain(f"s{n}", n) for n in range(50)}

        swept = world.run("encrypt", segments=3)

        assert (swept["state"], swept["segmentsDone"], swept["scanned"]) == ("done", 3, 50)
        assert swept["counts"] == {"encrypted": 50}
        assert not any(map(is_plain, world.all().values()))
        assert world.clear("s17") == originals["s17"]
        assert world.run("verify")["counts"] == {"encrypted": 50}

    def test_given_little_time_when_swept_then_each_message_carries_on_where_the_last_one_ended(
        self, world: Migration
    ) -> None:
        for n in range(210):
            world.plain(f"s{n}", n)
        sweep_id = world.start("encrypt", segments=1)

        delivered = world.pump(seconds=10)

        assert delivered == 3  # a page of 100 each
        assert world.sweep(sweep_id)["counts"] == {"encrypted": 210}
        assert world.sweep(sweep_id)["state"] == "done"

    def test_given_an_empty_table_when_swept_then_it_is_done(self, world: Migration) -> None:
        assert world.run("encrypt", segments=2)["state"] == "done"

    def test_given_old_form_items_when_swept_then_they_are_re_encrypted_and_conflicts_resolved(
        self, world: Migration
    ) -> None:
        world.lisa("old", ["a"])
        world.lisa("stale", ["new"], stale={"L": [{"S": "stale"}]})
        world.lisa("newer", ["old"], stale={"L": [{"S": "newer"}]}, is_encrypted=False)
        world.lisa("same", ["a"], stale={"L": [{"S": "a"}]})
        before = world.run("verify")
        assert before["counts"] == {"oldForm": 4}

        swept = world.run("encrypt")

        assert swept["counts"] == {"encrypted": 4}
        assert {name: world.clear(name)["history"]["L"][0]["S"] for name in world.all()} == {
            "old": "a",
            "stale": "new",
            "newer": "newer",
            "same": "a",
        }
        after = world.run("verify", deep=True)
        assert after["counts"] == {"encrypted": 4, "conflicts": 2}
        assert after["underKey"] == {world.key_arn: 4}

    def test_given_a_poison_item_when_swept_then_the_rest_is_done_and_it_is_a_dead_letter(
        self, world: Migration
    ) -> None:
        world.plain("s1")
        world.put("poison", encrypted_history={"S": "%%%"})

        swept = world.run("encrypt")

        assert swept["counts"] == {"encrypted": 1, "failed": 1}
        assert [letter["key"]["sessionId"]["S"] for letter in world.letters()] == ["poison"]
        assert world.run("verify")["counts"] == {"encrypted": 1, "undecryptable": 1}

    def test_given_a_writer_at_the_worst_moment_when_swept_then_its_write_stays(self, world: Migration) -> None:
        world.plain("s1", 1)

        with interrupting(world.clients.dynamodb, "dynamodb.UpdateItem", lambda: world.plain("s1", 2)):
            assert world.run("encrypt", segments=1)["counts"] == {"superseded": 1}

        assert world.get("s1")["history"]["L"][0]["M"]["number"] == {"N": "2"}

    def test_nothing_secret_is_logged_queued_or_kept_in_the_control_table(
        self, world: Migration, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.plain("s1")
        world.put("poison", history={"S": SECRET}, encrypted_history={"S": "%%%"})

        world.run("encrypt")

        captured = capsys.readouterr()
        control_rows = json.dumps(world.dynamodb.scan(TableName="control")["Items"])
        queued = json.dumps([bodies(url) for url in (world.work, world.deferred, world.failures)])
        assert SECRET not in captured.out + captured.err + control_rows + queued
        assert '"audit":true' in captured.out


class TestCrashes:
    @pytest.mark.parametrize("seed", range(6))
    def test_given_crashes_at_random_points_when_messages_come_again_then_the_end_is_the_same(
        self, world: Migration, seed: int
    ) -> None:
        world.pages_of(10)
        originals = {f"s{n}": world.plain(f"s{n}", n) for n in range(46)}
        dice = random.Random(seed)
        crashes = 0

        def crash(chance: float) -> None:
            nonlocal crashes
            if dice.random() < chance and crashes < 12:
                crashes += 1
                raise Crash

        sweep_id = world.start("encrypt", segments=2)
        dynamodb, sqs = world.clients.dynamodb, world.clients.sqs
        with ExitStack() as crashing:
            # A page is one scan and one commit, and some ten updates.
            for client, operation, chance in [
                (dynamodb, "dynamodb.Scan", 0.15),
                (dynamodb, "dynamodb.TransactWriteItems", 0.15),
                (dynamodb, "dynamodb.UpdateItem", 0.015),
                (sqs, "sqs.SendMessage", 0.15),
            ]:
                for moment in MOMENTS:
                    action = partial(crash, chance)
                    crashing.enter_context(interrupting(client, operation, action, moment=moment, times=ALWAYS))
            for _ in range(60):
                try:
                    world.pump(seconds=10)
                except Crash:
                    continue
                break

        swept = world.sweep(sweep_id)
        assert crashes > 0
        assert swept["state"] == "done"
        assert swept["scanned"] == 46
        assert sum(swept["counts"].values()) == 46  # each page counted once, however often it was done
        assert not any(map(is_plain, world.all().values()))
        assert all(world.clear(name) == item for name, item in list(originals.items())[::5])

    def test_given_messages_that_were_lost_when_resumed_then_the_sweep_goes_on(self, world: Migration) -> None:
        world.plain("s1")
        sweep_id = world.start("encrypt")
        world.sqs.purge_queue(QueueUrl=world.work)
        assert world.pump() == 0

        world.command("resume", sweep=sweep_id)
        world.pump()

        assert world.sweep(sweep_id)["state"] == "done"
        assert not is_plain(world.get("s1"))

    def test_given_a_message_twice_when_delivered_then_nothing_is_counted_twice(self, world: Migration) -> None:
        world.pages_of(10)
        for n in range(12):
            world.plain(f"s{n}", n)
        sweep_id = world.start("encrypt", segments=1)
        (body,) = bodies(world.work)
        world.sqs.send_message(QueueUrl=world.work, MessageBody=json.dumps(body))

        world.pump(seconds=10)

        assert world.sweep(sweep_id)["counts"] == {"encrypted": 12}

    def test_given_too_many_hops_when_delivered_then_the_sweep_stops(self, world: Migration) -> None:
        sweep_id = world.start("encrypt", segments=1)
        world.sqs.purge_queue(QueueUrl=world.work)
        message = {"kind": "segment", "sweep": sweep_id, "segment": 0, "hop": 10**9}
        world.sqs.send_message(QueueUrl=world.work, MessageBody=json.dumps(message))

        world.pump()

        assert (world.sweep(sweep_id)["state"], world.sweep(sweep_id)["reason"]) == ("stopped", "hop-limit")

    @pytest.mark.parametrize("body", ["", "[]", '{"kind": "segment"}', '{"kind": "segment", "sweep": 1}'])
    def test_given_a_malformed_work_message_when_delivered_then_it_is_a_dead_letter_at_once(
        self, world: Migration, body: str
    ) -> None:
        assert sweep.lambda_handler(event_of(sqs_record(body)), context()) == {"batchItemFailures": []}

        (letter,) = world.letters()
        assert letter["kind"] == "unknown"


class TestControl:
    def test_given_a_running_sweep_when_another_is_started_then_it_is_refused_unless_forced(
        self, world: Migration
    ) -> None:
        running = world.start("encrypt")

        error = world.command("start", goal="verify")["error"]
        assert (error["code"], error["sweep"]) == ("conflict", running)
        assert error["message"] == f"Another sweep runs: {running} (encrypt, running)."
        assert "sweep" in world.command("start", goal="verify", force=True)

    def test_given_a_pause_when_pumped_then_nothing_happens_until_it_is_resumed(self, world: Migration) -> None:
        world.plain("s1")
        sweep_id = world.start("encrypt")
        world.command("pause", sweep=sweep_id)
        world.pump()
        assert is_plain(world.get("s1"))
        assert "sweep" in world.command("start", goal="verify"), "a paused sweep does not block another"
        world.pump()

        world.command("resume", sweep=sweep_id)
        world.pump()

        assert not is_plain(world.get("s1"))
        assert world.sweep(sweep_id)["state"] == "done"
        assert world.command("resume", sweep=sweep_id)["error"]["code"] == "stopped"

    def test_given_a_cancelled_sweep_when_pumped_then_it_writes_nothing_more(self, world: Migration) -> None:
        world.plain("s1")
        sweep_id = world.start("encrypt")
        world.command("cancel", sweep=sweep_id)
        world.pump()

        assert is_plain(world.get("s1"))
        assert world.sweep(sweep_id)["state"] == "cancelled"
        assert world.command("cancel", sweep=sweep_id)["error"]["code"] == "stopped"

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"goal": "encode"}, "goal"),
            ({"goal": None}, "goal"),
            ({"goal": "encrypt", "segments": 0}, "segments"),
            ({"goal": "encrypt", "segments": 1001}, "segments"),
            ({"goal": "encrypt", "segments": True}, "segments"),
            ({"goal": "encrypt", "rate": 0}, "rate"),
            ({"goal": "encrypt", "olderThanDays": 3}, "olderThanDays"),
            ({"goal": "re-encrypt", "olderThanDays": -1}, "olderThanDays"),
            ({"goal": "verify", "deep": "yes"}, "deep"),
        ],
    )
    def test_given_bad_input_when_started_then_it_is_named_and_nothing_changes(
        self, world: Migration, fields: dict[str, Any], named: str
    ) -> None:
        error = world.command("start", **fields)["error"]

        assert error["code"] == "invalid-request"
        assert error["message"].startswith(named)
        assert world.command("status")["sweeps"] == []

    def test_given_an_unknown_sweep_or_command_when_asked_for_then_it_is_refused(self, world: Migration) -> None:
        assert world.command("pause", sweep="none")["error"]["code"] == "not-found"
        assert control.lambda_handler({"command": "drop-table"}, context())["error"]["code"] == "invalid-request"

    def test_given_a_rate_when_swept_then_pages_are_small_and_the_next_one_waits(self, world: Migration) -> None:
        for n in range(6):
            world.plain(f"s{n}", n)
        sweep_id = world.start("encrypt", segments=1, rate=0.2)

        assert world.deliver(world.work, sweep.handle, 31.0) == 1

        assert world.sweep(sweep_id)["scanned"] == 1  # A second's worth, and one at least.
        (message,) = bodies(world.work)
        assert message["hop"] == 1

    def test_given_many_sweeps_when_asked_for_the_status_then_the_newest_twenty_are_told(
        self, world: Migration
    ) -> None:
        first = world.parts.sweeps.get(world.start("verify"))
        assert first is not None
        for number in range(20):
            later = replace(first, id=f"3{first.id}-{number:02}", state=State.DONE)
            world.parts.sweeps.create(later, force=True)
        world.command("cancel", sweep=first.id)

        told = [sweep["id"] for sweep in world.command("status")["sweeps"]]

        assert told == [f"3{first.id}-{number:02}" for number in reversed(range(20))]

    def test_given_a_sweep_when_started_then_its_id_begins_with_the_time_and_is_no_others(
        self, world: Migration
    ) -> None:
        sweep_ids = {world.start("verify", force=True) for _ in range(3)}

        assert len(sweep_ids) == 3
        assert all(re.fullmatch(r"[0-9]{8}T[0-9]{6}-[0-9a-f]{6}", sweep_id) for sweep_id in sweep_ids)

    def test_given_a_command_of_any_length_when_refused_then_the_audit_line_has_the_beginning_of_it(
        self, world: Migration, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert world.command("x" * 1000)["error"]["code"] == "invalid-request"

        (line,) = audit_lines(capsys.readouterr().out)
        assert line["operation"] == f"control:{'x' * 52}"
        assert line["result"] == "refused: invalid-request"

    def test_status_tells_all(self, world: Migration) -> None:
        world.plain("s1")
        sweep_id = world.start("encrypt", segments=4)

        status = world.command("status")

        assert status["table"] == TABLE
        assert status["tableItemCount"] == 1
        assert status["setting"]["version"] == 0
        assert status["sweeps"][0]["id"] == sweep_id
        assert status["workQueue"]["messages"] == 4
        assert status["key"]["arn"] == world.key_arn
        assert status["recovery"]["pitr"] is False

    def test_decrypt_item_shows_an_item_and_is_audited(
        self, world: Migration, capsys: pytest.CaptureFixture[str]
    ) -> None:
        original = world.plain("s1")
        world.run("encrypt")
        capsys.readouterr()
        key = {name: original[name] for name in ("sessionId", "userId")}

        assert world.command("decrypt-item", key=key)["item"] == original

        audits = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"audit":true' in line]
        assert next((a["who"], a["operation"], a["result"]) for a in audits) == (
            "operator",
            "decrypt-item",
            "decrypted",
        )
        half = {"sessionId": {"S": "s1"}}
        assert world.command("decrypt-item", key=half)["error"]["code"] == "invalid-request"
        missing = {**key, "sessionId": {"S": "none"}}
        assert world.command("decrypt-item", key=missing)["error"]["code"] == "not-found"


class TestSwitch:
    def test_given_the_switch_off_and_a_decrypt_sweep_then_every_item_is_equal_to_its_original(
        self, world: Migration
    ) -> None:
        world.pages_of(10)
        originals = {f"s{n}": world.plain(f"s{n}", n) for n in range(23)}
        world.run("encrypt")

        off = world.switch(False, 0)
        swept = world.run("decrypt")

        assert off["setting"]["version"] == 1
        assert swept["counts"] == {"decrypted": 23}
        assert world.all() == originals

    def test_given_a_writer_at_the_worst_moment_when_decrypted_then_the_newest_value_ends_in_plaintext(
        self, world: Migration
    ) -> None:
        world.plain("s1", 1)
        world.run("encrypt")
        world.switch(False, 0)

        def write_beside_the_ciphertext() -> None:
            # An unchanged writer sets one attribute beside the ciphertext: no trigger would ever decrypt the rest.
            world.dynamodb.update_item(
                TableName=TABLE,
                Key={"sessionId": {"S": "s1"}, "userId": {"S": "alice"}},
                UpdateExpression="SET history = :new",
                ExpressionAttributeValues={":new": {"L": [{"S": "newest"}]}},
            )

        with interrupting(world.clients.dynamodb, "dynamodb.UpdateItem", write_beside_the_ciphertext):
            assert world.run("decrypt", segments=1)["counts"] == {"decrypted": 1}

        item = world.get("s1")
        assert item["history"] == {"L": [{"S": "newest"}]}
        assert item["configuration"] == {"M": {"model": {"S": "small"}}}
        assert not any(name.startswith("encrypted_") for name in item)

    @pytest.mark.parametrize(("goal", "enabled"), [("decrypt", True), ("encrypt", False), ("re-encrypt", False)])
    def test_given_the_other_setting_when_started_then_it_is_forbidden(
        self, world: Migration, goal: str, enabled: bool
    ) -> None:
        if not enabled:
            world.command("set-config", enabled=False, version=0, confirm="switch-off")

        assert world.command("start", goal=goal)["error"]["code"] == "forbidden-by-setting"

    def test_given_a_running_sweep_when_the_setting_changes_then_it_stops(self, world: Migration) -> None:
        world.plain("s1")
        sweep_id = world.start("encrypt")
        world.command("set-config", enabled=False, version=0, confirm="switch-off")

        world.pump()

        assert is_plain(world.get("s1"))
        assert (world.sweep(sweep_id)["state"], world.sweep(sweep_id)["reason"]) == ("stopped", "setting-changed")

    def test_given_the_switch_on_again_then_an_encrypt_sweep_follows_by_itself(self, world: Migration) -> None:
        world.command("set-config", enabled=False, version=0, confirm="switch-off")
        world.plain("s1")

        world.switch(True, 1)

        message = {"kind": "start", "goal": "encrypt", "by": "operator", "settingVersion": 2}
        assert bodies(world.work) == [message, message], "one for now, and one in case that it is lost"
        world.deliver_now(message)
        world.deliver_now(message)
        assert len(world.command("status")["sweeps"]) == 1, "the message came twice"
        world.pump()
        assert not is_plain(world.get("s1"))

    def test_given_a_stale_version_when_changed_then_it_is_refused_and_no_sweep_follows(self, world: Migration) -> None:
        world.command("set-config", enabled=False, version=0, confirm="switch-off")

        error = world.command("set-config", enabled=True, version=0)["error"]

        assert error["code"] == "conflict"
        assert bodies(world.work) == []
        assert world.command("status")["sweeps"] == []
        assert [s["version"] for s in world.command("config")["history"]] == [1]

    def test_given_no_confirmation_when_switched_off_then_it_is_refused(self, world: Migration) -> None:
        assert world.command("set-config", enabled=False, version=0)["error"]["code"] == "invalid-request"
        assert world.command("config")["setting"]["enabled"] is True

    def test_given_a_fresh_change_when_a_sweep_is_due_then_it_waits_one_cache_lifetime(self, world: Migration) -> None:
        world.plain("s1")
        world.set(SETTING_CACHE_SECONDS="60")
        world.command("set-config", enabled=False, version=0, confirm="switch-off")
        world.start("decrypt", segments=1)

        world.pump()

        assert [message["hop"] for message in bodies(world.work)] == [1]

    def test_given_an_unreadable_setting_when_swept_then_nothing_is_decrypted(self, world: Migration) -> None:
        world.plain("s1")
        world.run("encrypt")
        world.dynamodb.put_item(
            TableName="control",
            Item={"id": {"S": "setting"}, "part": {"S": "current"}, "enabled": {"S": "perhaps"}},
        )

        with pytest.raises(Exception, match="unreadable-setting"):
            world.command("start", goal="decrypt")


class TestKeys:
    def test_given_a_new_key_when_re_encrypted_then_no_item_needs_the_old_one(self, world: Migration) -> None:
        for n in range(5):
            world.plain(f"s{n}", n)
        world.run("encrypt")
        world.set(SESSION_ENCRYPTION_KEY_ARN=world.other_key_arn, EARLIER_KEY_ARNS=world.key_arn)
        assert world.run("verify")["underKey"] == {world.key_arn: 5}

        swept = world.run("re-encrypt")

        assert swept["counts"] == {"encrypted": 5}
        assert world.run("verify", deep=True)["underKey"] == {world.other_key_arn: 5}
        assert world.run("re-encrypt")["counts"] == {"nothing": 5}

    def test_given_a_key_that_is_not_listed_when_verified_then_its_items_are_undecryptable(
        self, world: Migration
    ) -> None:
        world.plain("s1")
        world.run("encrypt")
        world.set(SESSION_ENCRYPTION_KEY_ARN=world.other_key_arn)

        verified = world.run("verify")

        assert (verified["counts"], verified["underKey"]) == ({"undecryptable": 1}, {"not listed": 1})

    def test_given_a_failed_item_of_a_decrypt_sweep_when_redriven_then_it_is_decrypted(self, world: Migration) -> None:
        original = world.plain("s1")
        world.run("encrypt")
        world.set(SESSION_ENCRYPTION_KEY_ARN=world.other_key_arn)
        world.switch(False, 0)
        assert world.run("decrypt")["counts"] == {"failed": 1}
        world.set(EARLIER_KEY_ARNS=world.key_arn)

        assert world.command("redrive")["done"] == 1

        assert world.get("s1") == original

    def test_given_a_kept_conflict_when_re_encrypted_then_it_needs_the_old_key_no_more(self, world: Migration) -> None:
        world.lisa("stale", ["new"], stale={"L": [{"S": "stale"}]})
        world.run("encrypt")
        kept = world.get("stale")["encrypted_history_conflict"]
        world.set(SESSION_ENCRYPTION_KEY_ARN=world.other_key_arn, EARLIER_KEY_ARNS=world.key_arn)

        world.run("re-encrypt")

        assert world.get("stale")["encrypted_history_conflict"] != kept
        verified = world.run("verify", deep=True)
        assert verified["underKey"] == {world.other_key_arn: 1}
        assert verified["counts"] == {"encrypted": 1, "conflicts": 1}
        assert world.run("re-encrypt")["counts"] == {"nothing": 1}

    def test_given_data_keys_of_an_age_when_re_encrypted_then_only_older_ones_are_renewed(
        self, world: Migration
    ) -> None:
        world.plain("young")
        world.plain("old")
        world.run("encrypt")
        world.dynamodb.update_item(
            TableName=TABLE,
            Key={"sessionId": {"S": "old"}, "userId": {"S": "alice"}},
            UpdateExpression="SET encrypted_at = :then",
            ExpressionAttributeValues={":then": {"S": "2020-01-01T00:00:00Z"}},
        )

        assert world.run("re-encrypt", olderThanDays=30)["counts"] == {"encrypted": 1, "nothing": 1}


class TestDeferred:
    def test_given_appended_plaintext_when_its_key_is_deferred_then_it_continues_the_list(
        self, world: Migration
    ) -> None:
        world.set(APPENDED_ATTRIBUTES="history")
        original = world.plain("s1")
        world.run("encrypt")
        world.dynamodb.update_item(
            TableName=TABLE,
            Key={"sessionId": {"S": "s1"}, "userId": {"S": "alice"}},
            UpdateExpression="SET history = list_append(if_not_exists(history, :none), :more)",
            ExpressionAttributeValues={":none": {"L": []}, ":more": {"L": [{"S": "more"}]}},
        )
        key = {name: original[name] for name in ("sessionId", "userId")}
        message = {"kind": "deferred", "table": TABLE, "key": key, "reason": "appended"}
        world.sqs.send_message(QueueUrl=world.deferred, MessageBody=json.dumps(message))

        world.pump()

        assert not is_plain(world.get("s1"))
        assert world.clear("s1")["history"] == {"L": [*original["history"]["L"], {"S": "more"}]}


class TestDeadLetters:
    def test_given_a_mended_item_when_redriven_then_its_letter_is_gone(self, world: Migration) -> None:
        world.put("poison", encrypted_history={"S": "%%%"})
        world.run("encrypt")
        world.plain("poison")

        answer = world.command("redrive")

        assert (answer["done"], answer["again"], answer["remaining"]) == (1, 0, 0)
        assert not is_plain(world.get("poison"))

    def test_given_an_item_that_fails_again_when_redriven_then_its_letter_stays_with_one_attempt_more(
        self, world: Migration
    ) -> None:
        world.put("poison", encrypted_history={"S": "%%%"})
        world.run("encrypt")

        for attempts in (2, 3):
            answer = world.command("redrive")
            assert (answer["done"], answer["again"]) == (0, 1)
            (letter,) = world.letters()
            assert (letter["attempts"], letter["reason"]) == (attempts, "unknown-form")

    def test_given_a_letter_when_discarded_then_it_is_gone_and_the_audit_says_why(
        self, world: Migration, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.put("poison", encrypted_history={"S": "%%%"})
        world.run("encrypt")
        (letter,) = world.letters()

        assert world.command("discard", id=letter["id"])["error"]["code"] == "invalid-request"
        assert world.command("discard", id="none", reason="r")["error"]["code"] == "not-found"
        assert world.command("discard", id=letter["id"], reason="test data")["discarded"] is True

        assert world.letters() == []
        audits = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"audit":true' in line]
        (discarded,) = [audit for audit in audits if audit["operation"] == "discard"]
        assert (discarded["who"], discarded["why"]) == ("operator", "test data")
        assert discarded["letterKey"]["sessionId"] == {"S": "poison"}

    def test_given_a_work_message_when_redriven_then_it_is_carried_on(self, world: Migration) -> None:
        world.plain("s1")
        sweep_id = world.start("encrypt", segments=1)
        (body,) = bodies(world.work)
        world.sqs.purge_queue(QueueUrl=world.work)
        world.sqs.send_message(QueueUrl=world.failures, MessageBody=json.dumps(body))

        assert world.command("redrive")["done"] == 1
        world.pump()

        assert world.sweep(sweep_id)["state"] == "done"

    def test_given_something_else_in_the_queue_when_redriven_then_it_stays_and_is_named(self, world: Migration) -> None:
        world.sqs.send_message(QueueUrl=world.failures, MessageBody="hello")

        answer = world.command("redrive")

        assert (answer["done"], answer["again"], answer["remaining"]) == (0, 1, 1)
        assert "not a message of this application" in answer["notes"][0]
