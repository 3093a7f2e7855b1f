"""Dead letters under attack: hostile letters, ranges of a stream in every state, races at the end of a sweep."""

import itertools
import json
from collections.abc import Callable
from typing import Any, Final

import boto3
import pytest
from botocore.awsrequest import AWSRequest, AWSResponse
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from moto.core.models import botocore_stubber

from item_crypto.errors import UnsupportedValue
from migrator import deferred, views
from migrator.letters import Letter
from migrator.stream_range import Trimmed, keys_in_range
from tests.answers import http_answer
from tests.factories import audit_lines
from tests.faults import ALWAYS, failing, interrupting
from tests.migration import TABLE, Migration, context
from tests.records import bodies, event_of, sqs_record, stream_record

STREAM: Final = "arn:aws:dynamodb:us-east-1:123456789012:table/sessions/stream/2026-01-01T00:00:00.000"
BASE: Final = 10**21
BATCH: Final[dict[str, Any]] = {
    "shardId": "shardId-00000001541626099285-f35f62ef",
    "startSequenceNumber": str(BASE + 100),
    "endSequenceNumber": str(BASE + 104),
    "streamArn": STREAM,
    "batchSize": 5,
}


def is_plain(item: dict[str, Any]) -> bool:
    return "history" in item or "configuration" in item


def letter_of(body: Any) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    return {"MessageId": "m", "ReceiptHandle": "r", "Body": text}


def mapping_letter(**changes: Any) -> dict[str, Any]:
    return {
        "requestContext": {"condition": "RetryAttemptsExhausted", "approximateInvokeCount": 3},
        "version": "1.0",
        "timestamp": "2026-01-02T08:30:00.000Z",
        "DDBStreamBatchInfo": BATCH | changes,
    }


class Stream:
    """A shard that answers each GetRecords with the next page; ``error`` is what GetShardIterator says instead.

    Args:
        pages: lists of sequence numbers.
        error: an error code.
        is_open: whether the shard has an iterator past the last page, as one that is written to has.
    """

    def __init__(self, *pages: list[int], error: str = "", is_open: bool = False) -> None:
        self._pages = list(pages)
        self._error = error
        self._is_open = is_open
        self.requests: list[str] = []

    def __call__(self, request: AWSRequest, **_: Any) -> AWSResponse:
        operation = str(request.headers["X-Amz-Target"].decode()).rpartition(".")[2]
        self.requests.append(operation)
        status, answer = self._answer(operation)
        return http_answer(request, status, answer)

    def _answer(self, operation: str) -> tuple[int, dict[str, Any]]:
        if self._error:
            return 400, {"__type": f"com.amazonaws.dynamodb.v20120810#{self._error}", "message": "no"}
        if operation == "GetShardIterator":
            return 200, {"ShardIterator": "i"}
        page = self._pages.pop(0) if self._pages else []
        more = {"NextShardIterator": "i"} if self._pages or self._is_open else {}
        return 200, {"Records": [stream_record(f"s{number}", "MODIFY", BASE + number) for number in page], **more}


def intercept(service: str, handler: Callable[[AWSRequest], AWSResponse | None]) -> None:
    """Let ``handler`` answer the requests to a service, moto where it does not; for clients made from now on."""
    session = boto3.DEFAULT_SESSION
    assert session is not None
    # botocore asks every handler of an event, so moto's is replaced by one that asks one of the two.
    session.events.unregister("before-send", botocore_stubber)

    def answer(event_name: str, request: AWSRequest, **_: Any) -> AWSResponse | None:
        answered = handler(request) if f".{service}." in event_name else None
        return answered or botocore_stubber(event_name, request)

    session.events.register_first("before-send", answer)


@pytest.fixture
def serve(world: Migration) -> Callable[[Stream], Stream]:
    streams: list[Stream] = []

    def answer(request: AWSRequest) -> AWSResponse:
        return streams[-1](request)

    def serve(stream: Stream) -> Stream:
        if not streams:
            intercept("dynamodb-streams", answer)
        streams.append(stream)
        return stream

    return serve


class TestRange:
    def keys(self, batch: Any = BATCH) -> list[str]:
        found = keys_in_range(boto3.client("dynamodbstreams"), STREAM, batch)
        return [key["sessionId"]["S"] for key in found.values()]

    def test_given_records_around_the_range_when_read_then_each_key_of_it_is_found_once(
        self, serve: Callable[[Stream], Stream]
    ) -> None:
        serve(Stream([100, 101], [102, 104, 105], [106]))

        assert self.keys() == ["s100", "s101", "s102", "s104"]

    def test_given_an_empty_page_amid_the_range_when_read_then_what_follows_is_found_too(
        self, serve: Callable[[Stream], Stream]
    ) -> None:
        # GetRecords may return no record and an iterator to go on with (its API reference).
        serve(Stream([], [100, 101], [], [], [104], is_open=True))

        assert self.keys() == ["s100", "s101", "s104"]

    @pytest.mark.parametrize("is_open", [True, False])
    def test_given_a_shard_that_never_shows_the_end_of_the_range_when_read_then_it_counts_as_trimmed(
        self, serve: Callable[[Stream], Stream], is_open: bool
    ) -> None:
        stream = serve(Stream([100, 101], is_open=is_open))

        with pytest.raises(Trimmed):
            self.keys()

        assert len(stream.requests) < 200

    def test_given_only_records_past_the_range_when_read_then_it_counts_as_trimmed(
        self, serve: Callable[[Stream], Stream]
    ) -> None:
        serve(Stream([200, 201]))

        with pytest.raises(Trimmed):
            self.keys()

    @pytest.mark.parametrize("field", ["shardId", "startSequenceNumber", "endSequenceNumber"])
    @pytest.mark.parametrize("value", [None, 7, "", "x", "1" * 65, [], {}, True, "-1", "1e3", "\u0661"])
    def test_given_an_unreadable_range_when_read_then_that_is_said(
        self, serve: Callable[[Stream], Stream], field: str, value: Any
    ) -> None:
        stream = serve(Stream([100, 104]))
        if field == "shardId" and isinstance(value, str) and value:
            return  # Any text may name a shard; the stream says that it has none such.

        with pytest.raises(UnsupportedValue):
            self.keys(BATCH | {field: value})
        with pytest.raises(UnsupportedValue):
            self.keys({name: part for name, part in BATCH.items() if name != field})

        assert stream.requests == []


class TestMappingLetters:
    def send(self, world: Migration, *letters: Any) -> None:
        for letter in letters:
            body = letter if isinstance(letter, str) else json.dumps(letter)
            world.sqs.send_message(QueueUrl=world.failures, MessageBody=body)

    def test_given_a_range_when_redriven_then_its_items_are_encrypted_and_the_letter_is_gone(
        self, world: Migration, serve: Callable[[Stream], Stream], capsys: pytest.CaptureFixture[str]
    ) -> None:
        for number in range(100, 105):
            world.plain(f"s{number}", number)
        serve(Stream([100, 101, 100], [102, 103, 104]))
        self.send(world, mapping_letter())

        answer = world.command("redrive")

        assert (answer["done"], answer["again"], answer["remaining"], answer["sweep"]) == (1, 0, 0, None)
        assert not any(map(is_plain, world.all().values()))
        lines = [line for line in audit_lines(capsys.readouterr().out) if line["result"] == "encrypted"]
        assert sorted(line["item"]["sessionId"]["S"] for line in lines) == [f"s{number}" for number in range(100, 105)]

    def test_given_a_poison_item_in_a_range_when_redriven_then_it_alone_stays_as_a_letter_of_its_own(
        self, world: Migration, serve: Callable[[Stream], Stream]
    ) -> None:
        world.plain("s100")
        world.put("s104", encrypted_history={"S": "%%%"})
        serve(Stream([100, 104]))
        self.send(world, mapping_letter())

        answer = world.command("redrive")

        assert (answer["done"], answer["remaining"]) == (1, 1)
        (letter,) = world.letters()
        assert (letter["kind"], letter["key"]["sessionId"]) == ("item", {"S": "s104"})
        assert not is_plain(world.get("s100"))

    def test_given_a_key_that_refuses_when_a_range_is_redriven_then_its_letter_stays_until_all_is_done(
        self, world: Migration, serve: Callable[[Stream], Stream]
    ) -> None:
        for number in (100, 104):
            world.plain(f"s{number}")
        serve(Stream([100, 104]))
        self.send(world, mapping_letter())

        with failing(world.clients.kms, "kms", "AccessDeniedException"):
            answer = world.command("redrive")

        # The one letter as it was, and none for each of its keys: a refusal says nothing of them.
        assert (answer["done"], answer["again"], answer["remaining"]) == (0, 1, 1)
        assert bodies(world.failures) == [mapping_letter()]
        serve(Stream([100, 104]))
        assert world.command("redrive")["remaining"] == 0
        assert not any(map(is_plain, world.all().values()))

    @pytest.mark.parametrize("code", ["TrimmedDataAccessException", "ResourceNotFoundException"])
    def test_given_a_trimmed_range_when_redriven_then_that_is_said_and_one_sweep_looks_at_every_item(
        self, world: Migration, serve: Callable[[Stream], Stream], code: str
    ) -> None:
        world.plain("s1")
        serve(Stream(error=code))
        self.send(world, mapping_letter(), mapping_letter(shardId="shardId-00000001541626099286-f35f62ef"))

        answer = world.command("redrive")

        assert (answer["done"], answer["remaining"], len(answer["notes"])) == (2, 0, 2)
        assert all("trimmed" in note for note in answer["notes"])
        world.pump()
        assert (world.sweep(answer["sweep"])["state"], world.sweep(answer["sweep"])["goal"]) == ("done", "encrypt")
        assert not is_plain(world.get("s1"))

    def test_given_a_trimmed_range_and_encryption_off_when_redriven_then_that_is_said_and_the_letter_is_done(
        self, world: Migration, serve: Callable[[Stream], Stream]
    ) -> None:
        world.switch(False, 0)
        serve(Stream(error="TrimmedDataAccessException"))
        self.send(world, mapping_letter())

        answer = world.command("redrive")

        assert (answer["done"], answer["remaining"], answer["sweep"]) == (1, 0, None)
        assert "off" in answer["notes"][0]

    def test_given_a_trimmed_range_beside_a_running_sweep_when_redriven_then_the_letter_stays(
        self, world: Migration, serve: Callable[[Stream], Stream]
    ) -> None:
        world.start("verify")
        serve(Stream(error="TrimmedDataAccessException"))
        self.send(world, mapping_letter())

        answer = world.command("redrive")

        assert (answer["done"], answer["again"], answer["remaining"]) == (0, 1, 1)

    def test_given_a_stream_that_does_not_answer_when_redriven_then_the_letter_stays_and_others_are_done(
        self, world: Migration, serve: Callable[[Stream], Stream]
    ) -> None:
        world.plain("s1")
        serve(Stream(error="AccessDeniedException"))
        key = {"sessionId": {"S": "s1"}, "userId": {"S": "alice"}}
        self.send(world, mapping_letter(), {"kind": "item", "table": TABLE, "key": key, "reason": "r"})

        answer = world.command("redrive")

        assert (answer["done"], answer["again"], answer["remaining"]) == (1, 1, 1)
        assert not is_plain(world.get("s1"))

    def test_given_unreadable_letters_when_redriven_then_they_stay_and_are_named_and_others_are_done(
        self, world: Migration, serve: Callable[[Stream], Stream]
    ) -> None:
        world.plain("s1")
        serve(Stream([100, 104]))
        key = {"sessionId": {"S": "s1"}, "userId": {"S": "alice"}}
        hostile: list[Any] = [
            {"DDBStreamBatchInfo": {}},
            {"DDBStreamBatchInfo": {"shardId": 1}, "requestContext": []},
            {"DDBStreamBatchInfo": BATCH | {"endSequenceNumber": {}}, "requestContext": "x"},
            {"kind": "item", "table": TABLE, "key": key, "goal": ["x"], "attempts": "many"},
            {"kind": "item", "table": [], "key": {"a": {"S": 1}}},
            '{"kind": "item", "table": "sessions", "key": ' + "[" * 50_000,
            '{"kind": "retry", "table": "sessions", "attempts": ' + "9" * 4300 + ', "key": {"sessionId": {"S": "x"}}}',
            '{"kind": "item", "table": "sessions", "key": {"sessionId": {"S": "x"}, "userId": {"S": "\\ud800"}}}',
            {"kind": "item", "table": TABLE, "key": {"sessionId": {"S": "x"}}, "more": "\u00e9" * 100_000},
        ]
        self.send(world, *hostile, {"kind": "item", "table": TABLE, "key": key, "reason": "r"})

        for _ in range(2):
            assert len(world.letters()) >= len(hostile)
            answer = world.command("redrive")
            assert (answer["again"], answer["remaining"]) == (len(hostile), len(hostile)), answer
        assert len(answer["notes"]) >= 5
        assert not is_plain(world.get("s1"))

    def test_given_a_letter_delivered_twice_when_redriven_then_it_is_kept_once(
        self, world: Migration, serve: Callable[[Stream], Stream]
    ) -> None:
        """SQS delivers at least once, within one pass too, and at times even what was deleted."""
        world.put("poison", encrypted_history={"S": "%%%"})
        world.plain("s1")
        for name in ("poison", "s1"):
            key = {"sessionId": {"S": name}, "userId": {"S": "alice"}}
            self.send(world, {"kind": "item", "table": TABLE, "key": key, "reason": "r"})
        sqs = world.parts.runtime.clients.sqs
        original, answers = sqs.receive_message, []

        def twice(**arguments: Any) -> Any:
            if len(answers) < 1:
                answers.append(original(**arguments))
                return answers[0]
            if len(answers) < 2:
                answers.append(answers[0])
                return answers[0]
            return original(**arguments)

        sqs.receive_message = twice  # type: ignore[method-assign]

        answer = world.command("redrive")

        assert (answer["done"], answer["again"], answer["remaining"]) == (1, 1, 1)

    def test_given_letters_that_cannot_be_shown_again_when_redriven_then_the_answer_comes_all_the_same(
        self, world: Migration
    ) -> None:
        """A receipt that has run out by then; the letter shows itself when its time is up."""
        self.send(world, "hello")
        sqs = world.parts.runtime.clients.sqs

        def expired(**_: Any) -> Any:
            return boto3.client("sqs").change_message_visibility(
                QueueUrl=world.failures, ReceiptHandle="expired", VisibilityTimeout=0
            )

        sqs.change_message_visibility = expired  # type: ignore[method-assign]

        assert world.command("redrive")["again"] == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
keys = st.fixed_dictionaries({"sessionId": json_values | st.just({"S": "x"}), "userId": st.just({"S": "alice"})})
letters = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["item", "retry", "deferred", "segment", "start"]) | json_values,
        "table": st.just(TABLE) | json_values,
        "key": keys | json_values,
        "reason": json_values,
        "recordId": json_values,
        "writtenAt": json_values,
        "time": json_values,
        "attempts": json_values,
        "goal": st.sampled_from(["encrypt", "decrypt", "re-encrypt", "verify"]) | json_values,
        "olderThan": st.sampled_from(["2026-01-01T00:00:00", "2026-01-01T00:00:00+00:00"]) | json_values,
        "requestContext": json_values,
        "timestamp": json_values,
        "DDBStreamBatchInfo": json_values
        | st.fixed_dictionaries(
            {},
            optional={
                "shardId": st.just(BATCH["shardId"]) | json_values,
                "startSequenceNumber": st.just(str(BASE + 100)) | json_values,
                "endSequenceNumber": st.just(str(BASE + 104)) | json_values,
                "streamArn": json_values,
            },
        ),
        "sweep": st.just("s") | json_values,
        "segment": st.just(0) | json_values,
        "hop": json_values,
        "settingVersion": json_values,
    },
)
contents = (letters.map(json.dumps) | json_values.map(json.dumps) | st.text(min_size=1)).filter(bool)


class TestHostileLetters:
    @given(contents)
    @example("[" * 100_000)
    @example('{"attempts": ' + "9" * 5000 + "}")
    @example('{"attempts": -5, "requestContext": null, "key": ' + '{"a":' * 900 + "1" + "}" * 900 + "}")
    def test_whatever_a_letter_holds_it_can_be_shown(self, content: str) -> None:
        letter = Letter.received(letter_of(content))

        shown = views.letter(letter)

        assert letter.kind in ("item", "mapping", "work", "unknown")
        assert letter.attempts >= 1
        assert len(json.dumps(shown, allow_nan=False)) < 30_000
        assert content not in repr(letter) or len(content) < 20

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
    @given(st.lists(contents, min_size=1, max_size=3))
    def test_whatever_letters_hold_redrive_tries_every_one(
        self, world: Migration, serve: Callable[[Stream], Stream], found: list[str]
    ) -> None:
        sent = [text for text in found if _is_sendable(text)]
        while left := world.sqs.receive_message(QueueUrl=world.failures, MaxNumberOfMessages=10).get("Messages"):
            for message in left:
                world.sqs.delete_message(QueueUrl=world.failures, ReceiptHandle=message["ReceiptHandle"])
        serve(Stream([100, 104]))
        for text in sent:
            world.sqs.send_message(QueueUrl=world.failures, MessageBody=text)

        answer = world.command("redrive")

        assert (answer["done"] + answer["again"], answer["remaining"]) == (len(sent), answer["again"])
        assert len(world.letters()) == answer["remaining"]


def _is_sendable(text: str) -> bool:
    """Tell whether SQS takes a message of this text (SendMessage, "MessageBody")."""
    return all(
        character in "\t\n\r"
        or " " <= character <= "\ud7ff"
        or "\ue000" <= character <= "\ufffd"
        or character > "\uffff"
        for character in text
    )


class TestLeftBehind:
    """What a sweep could not finish is not given up: nothing else would come for it."""

    def test_given_a_writer_that_never_pauses_when_decrypted_then_the_key_is_deferred_and_decrypted_later(
        self, world: Migration
    ) -> None:
        world.plain("s1")
        world.run("encrypt")
        world.switch(False, 0)
        numbers = itertools.count()

        def write_beside_the_ciphertext() -> None:
            world.dynamodb.update_item(
                TableName=TABLE,
                Key={"sessionId": {"S": "s1"}, "userId": {"S": "alice"}},
                UpdateExpression="SET history = :new",
                ExpressionAttributeValues={":new": {"L": [{"N": str(next(numbers))}]}},
            )

        with interrupting(world.clients.dynamodb, "dynamodb.UpdateItem", write_beside_the_ciphertext, times=ALWAYS):
            swept = world.run("decrypt", segments=1)

            assert swept["counts"] == {"retried": 1}
            (message,) = bodies(world.deferred)
            assert (message["goal"], message["reason"]) == ("decrypt", "newer-write")
            event = event_of(sqs_record(json.dumps(message)))
            assert deferred.handle(event, context(), world.parts)["batchItemFailures"] != []
        assert deferred.handle(event, context(), world.parts)["batchItemFailures"] == []
        assert is_plain(world.get("s1"))

    def test_given_an_outage_amid_a_page_when_it_is_redone_then_its_poison_item_has_one_letter(
        self, world: Migration
    ) -> None:
        world.put("poison", encrypted_history={"S": "%%%"})
        world.plain("s1")
        with failing(world.clients.kms, "kms.GenerateDataKey", "DisabledException"):
            sweep_id = world.start("encrypt", segments=1)
            (message,) = bodies(world.work)
            for _ in range(3):
                with pytest.raises(AssertionError):
                    world.deliver_now(message)
            assert world.letters() == []

        world.pump()

        assert world.sweep(sweep_id)["counts"] == {"encrypted": 1, "failed": 1}
        assert len(world.letters()) == 1

    def test_given_an_unreadable_value_beside_one_under_an_earlier_key_when_verified_then_that_key_is_still_needed(
        self, world: Migration
    ) -> None:
        world.plain("s1")
        world.run("encrypt")
        world.dynamodb.update_item(
            TableName=TABLE,
            Key={"sessionId": {"S": "s1"}, "userId": {"S": "alice"}},
            UpdateExpression="SET encrypted_history = :bad",
            ExpressionAttributeValues={":bad": {"S": "%%%"}},
        )
        world.set(SESSION_ENCRYPTION_KEY_ARN=world.other_key_arn, EARLIER_KEY_ARNS=world.key_arn)

        for deep in (False, True):
            verified = world.run("verify", deep=deep)
            assert verified["counts"] == {"undecryptable": 1}
            assert verified["underKey"] == {world.key_arn: 1}
