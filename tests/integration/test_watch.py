"""The watcher, on moto's DynamoDB and SQS: what stands still is told, and looking changes nothing."""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends

from encryptor_runtime.clients import Clients
from item_crypto import ConfigurationError, SystemicError
from migrator import control, sweep, watch
from migrator.application import application
from tests.factories import metrics
from tests.faults import failing
from tests.migration import CONTROL, SECRET, TABLE, Migration, context

MAPPINGS = tuple(f"00000000-0000-4000-8000-00000000000{n}" for n in range(4))


class Mappings:
    """What Lambda says of event source mappings, to clients made from here on.

    Attributes:
        states: their states, by id.
        denied: whether it says nothing.
    """

    def __init__(self) -> None:
        self.states = dict.fromkeys(MAPPINGS, "Enabled")
        self.denied = False
        assert boto3.DEFAULT_SESSION is not None
        boto3.DEFAULT_SESSION.events.register("before-call.lambda.GetEventSourceMapping", self._answer)

    def _answer(self, params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        answer: dict[str, Any] = {"State": self.states[params["url_path"].rpartition("/")[2]]}
        if self.denied:
            answer = {"Error": {"Code": "AccessDenied", "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        return AWSResponse("", 403 if self.denied else 200, {}, None), answer  # type: ignore[arg-type]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Migration]:
    with mock_aws():
        world = Migration(monkeypatch)
        described = world.dynamodb.update_table(
            TableName=TABLE, StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
        )["TableDescription"]
        world.set(
            TABLE_STREAM_ARN=described["LatestStreamArn"], MAPPING_IDS=",".join(MAPPINGS), SWEEP_STANDSTILL_MINUTES="45"
        )
        yield world
    application.cache_clear()
    boto3.setup_default_session()


@pytest.fixture(autouse=True)
def mappings(world: Migration) -> Mappings:
    return Mappings()


def output_of_a_look(world: Migration, capsys: pytest.CaptureFixture[str]) -> str:
    """Have the watcher look, as late as the world's clock says; return what it writes."""
    capsys.readouterr()
    watcher = watch.compose(Clients(), os.environ, world.now)
    with watcher.telemetry.invocation(context()):
        watcher.look()
    return capsys.readouterr().out


def look(world: Migration, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The same; return the metrics."""
    return metrics(output_of_a_look(world, capsys))


def test_given_nothing_to_tell_when_looked_then_all_is_told_as_well(
    world: Migration, capsys: pytest.CaptureFixture[str]
) -> None:
    assert look(world, capsys) == {"MappingsDisabled": [0.0], "StreamReplaced": [0.0]}


class TestMappings:
    @pytest.mark.parametrize("disabled", MAPPINGS)
    def test_given_one_is_disabled_when_looked_then_it_is_counted(
        self, world: Migration, mappings: Mappings, capsys: pytest.CaptureFixture[str], disabled: str
    ) -> None:
        mappings.states[disabled] = "Disabled"
        assert look(world, capsys)["MappingsDisabled"] == [1.0]

    @pytest.mark.parametrize("state", ["Creating", "Enabling", "Updating"])
    def test_given_one_that_is_about_to_deliver_when_looked_then_it_is_not_counted(
        self, world: Migration, mappings: Mappings, capsys: pytest.CaptureFixture[str], state: str
    ) -> None:
        mappings.states = dict.fromkeys(MAPPINGS, state)
        assert look(world, capsys)["MappingsDisabled"] == [0.0]

    @pytest.mark.parametrize("state", ["Disabling", "Disabled"])
    def test_given_one_that_is_being_disabled_when_looked_or_a_sweep_is_started_then_it_is_as_if_it_were(
        self, world: Migration, mappings: Mappings, capsys: pytest.CaptureFixture[str], state: str
    ) -> None:
        mappings.states[MAPPINGS[0]] = state
        world.set(STREAM_MAPPING_ID=MAPPINGS[0])

        assert look(world, capsys)["MappingsDisabled"] == [1.0]
        assert world.command("start", goal="encrypt")["error"] == {
            "code": "mapping-not-enabled",
            "message": f"The stream's event source mapping is {state}: enable it first.",
        }


class TestStream:
    def test_given_the_stream_was_switched_off_when_looked_then_it_is_told(
        self, world: Migration, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.dynamodb.update_table(TableName=TABLE, StreamSpecification={"StreamEnabled": False})
        assert look(world, capsys)["StreamReplaced"] == [1.0]

    def test_given_another_stream_when_the_migrator_starts_then_it_refuses_and_names_the_mend(
        self, world: Migration
    ) -> None:
        world.set(TABLE_STREAM_ARN="arn:aws:dynamodb:eu-central-1:123456789012:table/sessions/stream/2020")
        with pytest.raises(ConfigurationError, match="LatestStreamArn"):
            _ = world.parts


class TestSweeps:
    def test_given_a_sweep_that_commits_when_looked_then_the_time_counts_from_its_last_commit(
        self, world: Migration, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.pages_of(10)
        for n in range(15):
            world.plain(f"s{n}")
        world.start("encrypt", segments=1)
        world.passed += timedelta(hours=1)
        # One message's worth: a page is committed, and the next message waits.
        assert world.deliver(world.work, sweep.handle, seconds=10) == 1
        world.passed += timedelta(minutes=7)

        (seconds,) = look(world, capsys)["SweepStandstill"]
        assert 7 * 60 <= seconds < 8 * 60

    def test_given_a_sweep_that_never_began_when_looked_then_the_time_counts_from_its_start(
        self, world: Migration, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.start("encrypt")
        world.passed += timedelta(hours=2)

        (seconds,) = look(world, capsys)["SweepStandstill"]
        assert 7200 <= seconds < 7260

    def test_given_two_that_run_when_looked_then_each_is_told(
        self, world: Migration, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.start("encrypt")
        world.passed += timedelta(hours=2)
        world.start("verify", force=True)
        world.passed += timedelta(minutes=10)

        newer, older = sorted(look(world, capsys)["SweepStandstill"])
        assert 600 <= newer < 660
        assert 7800 <= older < 7860

    @pytest.mark.parametrize("command", ["pause", "cancel"])
    def test_given_a_sweep_that_does_not_run_when_looked_then_it_does_not_stand_still(
        self, world: Migration, capsys: pytest.CaptureFixture[str], command: str
    ) -> None:
        world.command(command, sweep=world.start("encrypt"))
        world.passed += timedelta(days=1)
        assert "SweepStandstill" not in look(world, capsys)


class TestLetters:
    def test_given_letters_when_looked_then_the_oldest_is_told_and_all_are_seen_again_at_once(
        self, world: Migration, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for n in range(3):
            world.sqs.send_message(QueueUrl=world.failures, MessageBody=f'{{"n": {n}}}')
        world.passed += timedelta(days=2)

        (age,) = look(world, capsys)["OldestFailureAge"]
        assert 2 * 86400 <= age < 2 * 86400 + 60
        seen = world.sqs.receive_message(QueueUrl=world.failures, MaxNumberOfMessages=10)["Messages"]
        assert len(seen) == 3

    @pytest.mark.parametrize("oldest", range(3))
    def test_given_letters_of_several_ages_when_looked_then_the_oldest_is_told(
        self, world: Migration, capsys: pytest.CaptureFixture[str], oldest: int
    ) -> None:
        for n in range(3):
            world.sqs.send_message(QueueUrl=world.failures, MessageBody=f'{{"n": {n}}}')
        letters = sqs_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].queues["failures"]._messages
        letters[oldest].sent_timestamp -= 86_400_000

        (age,) = look(world, capsys)["OldestFailureAge"]
        assert 86400 <= age < 86400 + 60


class TestFailures:
    def test_given_one_service_that_refuses_when_looked_then_the_rest_is_told_and_the_invocation_fails(
        self, world: Migration, mappings: Mappings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        mappings.denied = True
        world.sqs.send_message(QueueUrl=world.failures, MessageBody="{}")
        watch.watcher.cache_clear()
        capsys.readouterr()

        with pytest.raises(SystemicError):
            watch.lambda_handler({}, context())

        told = metrics(capsys.readouterr().out)
        assert told["StreamReplaced"] == [0.0]
        assert "OldestFailureAge" in told

    def test_given_a_disabled_key_when_looked_then_it_sees_all_the_same(
        self, world: Migration, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.kms.disable_key(KeyId=world.key_arn.rpartition("/")[2])
        assert look(world, capsys)["MappingsDisabled"] == [0.0]


class TestSchedules:
    def start(self, world: Migration, capsys: pytest.CaptureFixture[str], by: str) -> dict[str, Any]:
        capsys.readouterr()
        event = {"command": "start", "goal": "encrypt", "by": by}
        assert "error" in control.handle(event, context(), world.parts)
        return metrics(capsys.readouterr().out)

    def test_given_a_sweep_runs_when_a_schedule_is_refused_then_it_is_counted(
        self, world: Migration, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.start("encrypt")
        assert self.start(world, capsys, "schedule") == {"ScheduledSweepsRefused": [1.0]}

    def test_given_a_disabled_mapping_when_a_schedule_is_refused_then_it_is_counted(
        self, world: Migration, mappings: Mappings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        mappings.states[MAPPINGS[0]] = "Disabled"
        world.set(STREAM_MAPPING_ID=MAPPINGS[0])
        assert self.start(world, capsys, "schedule") == {"ScheduledSweepsRefused": [1.0]}

    def test_given_encryption_is_off_when_a_schedule_is_refused_then_that_is_meant(
        self, world: Migration, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.switch(enabled=False, version=0)
        assert self.start(world, capsys, "schedule") == {}

    def test_given_an_operator_when_refused_then_the_answer_says_so_and_no_alarm(
        self, world: Migration, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.start("encrypt")
        assert self.start(world, capsys, "alice") == {}


class Topic:
    """The topic that alarms notify, and somebody who is told."""

    def __init__(self, world: Migration) -> None:
        sns = boto3.client("sns")
        self.arn = sns.create_topic(Name="alarms")["TopicArn"]
        self._sqs = world.sqs
        self._inbox = world.sqs.create_queue(QueueName="inbox")["QueueUrl"]
        sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint="arn:aws:sqs:eu-central-1:123456789012:inbox")
        world.set(ALARM_TOPIC_ARN=self.arn)

    def told(self) -> list[dict[str, Any]]:
        """Return what was told since the last time."""
        found = self._sqs.receive_message(QueueUrl=self._inbox, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            self._sqs.delete_message(QueueUrl=self._inbox, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in found]

    def events(self) -> list[str]:
        return [message["MessageAttributes"]["event"]["Value"] for message in self.told()]


@pytest.fixture
def topic(world: Migration) -> Topic:
    return Topic(world)


class TestNotices:
    def test_given_a_sweep_that_ended_when_looked_twice_then_it_is_told_once_and_no_value_or_key_is(
        self, world: Migration, topic: Topic, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for n in range(3):
            world.plain(f"session-of-alice-{n}")
        sweep_id = world.run("encrypt", segments=4)["id"]

        look(world, capsys)
        look(world, capsys)

        (message,) = topic.told()
        assert message["Subject"].startswith(f"Sweep {sweep_id} (encrypt) ended: done - ")
        for line in (
            "state: done",
            "items: 3 of about 3",
            "failed: 0",
            "counted encrypted: 3",
            "segments: 4 of 4 done",
        ):
            assert line in message["Message"].splitlines()
        whole = json.dumps(message)
        assert SECRET not in whole
        assert "session-of-alice" not in whole
        assert message["MessageAttributes"]["sweep"]["Value"] == sweep_id

    def test_given_items_that_fail_while_it_runs_when_looked_then_that_is_told_once_and_its_end_once_more(
        self, world: Migration, topic: Topic, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.pages_of(10)
        for n in range(15):
            world.put(f"s{n}", encrypted_history={"S": "%%%"})
        world.start("encrypt", segments=1)
        assert world.deliver(world.work, sweep.handle, seconds=10) == 1
        look(world, capsys)
        look(world, capsys)
        (message,) = topic.told()
        assert message["MessageAttributes"]["event"]["Value"] == "failed"
        assert "failed: 10" in message["Message"]

        world.pump()
        look(world, capsys)

        (message,) = topic.told()
        assert "ended: done, 15 items failed" in message["Subject"]
        assert "failures list" in message["Message"]

    def test_given_a_sweep_that_stands_still_when_looked_again_and_again_then_it_is_told_once_a_standstill(
        self, world: Migration, topic: Topic, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.pages_of(10)
        for n in range(25):
            world.put(f"s{n}")
        world.start("encrypt", segments=1)
        world.passed += timedelta(minutes=44)
        look(world, capsys)
        assert topic.told() == []
        for _ in range(3):
            world.passed += timedelta(minutes=5)
            look(world, capsys)
        assert topic.events() == ["stalled"]

        assert world.deliver(world.work, sweep.handle, seconds=10) == 1
        look(world, capsys)
        assert topic.told() == []
        for _ in range(3):
            world.passed += timedelta(hours=1)
            look(world, capsys)
        (message,) = topic.told()
        assert "resume" in message["Message"]

    def test_given_a_verification_of_a_part_when_told_then_no_item_outside_is_left_out(
        self, world: Migration, topic: Topic, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.switch(enabled=False, version=0)
        world.command("set-config", enabled=True, version=1, part={"buckets": 1})
        for n in range(3):
            world.plain(f"s{n}")
        sweep_id = world.run("verify")["id"]

        look(world, capsys)

        (message,) = topic.told()
        lines = message["Message"].splitlines()
        assert "counted plaintext, outside of the part: 3" in lines
        assert f"`stream-encryptor watch {sweep_id} --stack {world.parts.stack}` tells what it found." in lines

    def test_given_a_sweep_that_was_paused_for_long_when_it_is_resumed_then_it_stands_still_from_then_on(
        self, world: Migration, topic: Topic, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.pages_of(10)
        for n in range(25):
            world.put(f"s{n}")
        sweep_id = world.start("encrypt", segments=1)
        assert world.deliver(world.work, sweep.handle, seconds=10) == 1
        world.command("pause", sweep=sweep_id)
        world.passed += timedelta(hours=12)
        world.command("resume", sweep=sweep_id)

        metrics = look(world, capsys)

        assert topic.events() == []
        assert max(metrics["SweepStandstill"]) < 60
        assert world.command("sweep", sweep=sweep_id)["sweep"]["minutesWithoutProgress"] == 0

        world.passed += timedelta(minutes=46)
        metrics = look(world, capsys)
        assert topic.events() == ["stalled"]
        assert max(metrics["SweepStandstill"]) >= 46 * 60
        assert world.command("sweep", sweep=sweep_id)["sweep"]["minutesWithoutProgress"] == 46

        # To ask once more for one that runs brings it no nearer to its end.
        world.command("resume", sweep=sweep_id)
        assert world.command("sweep", sweep=sweep_id)["sweep"]["minutesWithoutProgress"] == 46

    @pytest.mark.parametrize(("by", "content", "events"), [("schedule", {}, []), ("schedule", {"S": "%%%"}, ["ended"])])
    def test_given_a_scheduled_sweep_when_looked_then_it_is_told_only_where_it_did_not_go_well(
        self,
        world: Migration,
        topic: Topic,
        capsys: pytest.CaptureFixture[str],
        by: str,
        content: dict[str, str],
        events: list[str],
    ) -> None:
        world.put("s1", **({"encrypted_history": content} if content else {}))
        world.start("encrypt", by=by)
        world.pump()
        look(world, capsys)
        assert topic.events() == events

    @pytest.mark.parametrize(("command", "state"), [("cancel", "cancelled"), ("pause", None)])
    def test_given_a_sweep_that_somebody_ended_when_looked_then_that_is_told_and_a_pause_is_not(
        self, world: Migration, topic: Topic, capsys: pytest.CaptureFixture[str], command: str, state: str | None
    ) -> None:
        world.command(command, sweep=world.start("encrypt"))
        look(world, capsys)
        told = topic.told()
        assert [f"state: {state}" in message["Message"] for message in told] == ([True] if state else [])
        assert all("`stream-encryptor status --stack" in message["Message"] for message in told)

    def test_given_a_sweep_that_went_well_when_looked_then_it_is_told_how_to_make_sure(
        self, world: Migration, topic: Topic, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.plain("s1")
        world.run("encrypt")
        look(world, capsys)
        (message,) = topic.told()
        assert "`stream-encryptor verify --stack" in message["Message"]

    def test_given_a_sweep_of_yesterday_when_looked_then_it_is_history(
        self, world: Migration, topic: Topic, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.run("encrypt")
        world.passed += timedelta(hours=7)
        look(world, capsys)
        assert topic.told() == []

    def test_given_a_topic_that_refuses_when_looked_then_all_else_is_told_and_the_next_look_but_one_sends_it(
        self, world: Migration, topic: Topic, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.run("encrypt")
        clients = Clients()
        capsys.readouterr()
        with failing(clients.sns, "sns.Publish", "AuthorizationError", status=403):
            watcher = watch.compose(clients, os.environ, world.now)
            with pytest.raises(SystemicError), watcher.telemetry.invocation(context()):
                watcher.look()
        output = capsys.readouterr().out
        assert "a notice was not sent" in output
        assert metrics(output)["MappingsDisabled"] == [0.0]
        look(world, capsys)  # Another watcher, at the same time: the first may still be about to send it.
        assert topic.told() == []

        world.passed += timedelta(minutes=5)
        output = output_of_a_look(world, capsys)

        assert topic.events() == ["ended"]
        assert "a notice was sent" in output
        rows = world.dynamodb.query(
            TableName=CONTROL,
            KeyConditionExpression="id = :id",
            ExpressionAttributeValues={":id": {"S": "notices"}},
        )["Items"]
        assert [set(row) for row in rows] == [{"id", "part", "claimedAt", "sentAt"}]

    def test_given_a_sweep_when_it_ends_then_it_needs_no_topic(self, world: Migration, topic: Topic) -> None:
        """Whoever sweeps never publishes: a topic that is gone stops nothing."""
        boto3.client("sns").delete_topic(TopicArn=topic.arn)
        assert world.run("encrypt")["state"] == "done"
