"""Event source mappings against small functions in processes of their own."""

import json
import time
from pathlib import Path

import pytest

from local import LocalStack

TEMPLATE = Path(__file__).parents[1] / "integration" / "local_functions" / "template.yaml"


class Application:
    """A running stack with the test functions, and what they wrote down."""

    def __init__(self, stack, record_file):
        self.stack = stack
        self.record_file = record_file
        self.dynamodb = stack.client("dynamodb")
        self.sqs = stack.client("sqs")

    def put(self, *ids, **attributes):
        for number, key in enumerate(ids):
            item = {"id": {"S": key}, "n": {"N": str(number)}, **attributes}
            self.dynamodb.put_item(TableName=self.stack.outputs["TableName"], Item=item)

    def written_down(self):
        if not self.record_file.exists():
            return []
        return [json.loads(line) for line in self.record_file.read_text().splitlines()]

    def batches(self):
        return [line["keys"] for line in self.written_down() if "keys" in line]

    def seen(self):
        return {key for batch in self.batches() for key in batch}

    def messages(self, queue="FailureQueueUrl"):
        answer = self.sqs.receive_message(QueueUrl=self.stack.outputs[queue], MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

    def enable_stream(self, enabled, wait=True):
        self.stack.client("lambda").update_event_source_mapping(
            UUID=self.stack.outputs["StreamMappingId"], Enabled=enabled
        )
        if wait:
            self.stack.wait_until_idle()  # which also looks at the mappings anew


def eventually(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came to pass"
        time.sleep(0.05)


@pytest.fixture
def start(tmp_path):
    stacks = []

    def start(**parameters):
        record_file = tmp_path / "records.jsonl"
        stack = LocalStack(
            TEMPLATE,
            parameters={"RecordFile": str(record_file), **{key: str(value) for key, value in parameters.items()}},
            state_directory=tmp_path / "state",
        )
        stacks.append(stack.__enter__())
        return Application(stack, record_file)

    yield start
    for stack in stacks:
        stack.__exit__(None, None, None)


def test_records_arrive_in_order_in_batches_with_keys_only(start):
    application = start(BatchSize=4)
    application.enable_stream(False)
    application.put(*"abcdefghij", secret={"S": "plaintext"})
    application.dynamodb.delete_item(TableName=application.stack.outputs["TableName"], Key={"id": {"S": "a"}})
    application.enable_stream(True)
    application.stack.wait_until_idle()
    assert application.batches() == [list("abcd"), list("efgh"), list("ij")]  # the filter drops the removal
    record = application.written_down()[0]["records"][0]
    change = record["dynamodb"]
    assert set(change) == {"ApproximateCreationDateTime", "Keys", "SequenceNumber", "SizeBytes", "StreamViewType"}
    assert abs(time.time() - change["ApproximateCreationDateTime"]) < 60
    assert (record["eventSource"], record["awsRegion"]) == ("aws:dynamodb", "us-east-1")
    assert record["eventSourceARN"] == application.stack.outputs["StreamArn"]
    assert "plaintext" not in application.record_file.read_text()


def test_images_are_delivered_where_the_view_type_has_them(start):
    application = start(ViewType="NEW_AND_OLD_IMAGES")
    application.put("a", data={"B": b"\x00\xff"})
    application.put("a", data={"B": b"\x01"})
    application.stack.wait_until_idle()
    records = [record for line in application.written_down() for record in line["records"]]
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY"]
    assert records[1]["dynamodb"]["OldImage"]["data"] == {"B": "AP8="}
    assert records[1]["dynamodb"]["NewImage"]["data"] == {"B": "AQ=="}


def test_a_batching_window_fills_batches(start):
    # The batch is full long before the window is over, however slow the machine; without a window each came alone.
    application = start(Window=60, BatchSize=4)
    for key in "abcd":
        application.put(key)
        time.sleep(0.1)
    application.stack.wait_until_idle()
    assert application.batches() == [list("abcd")]


@pytest.mark.parametrize("mode", ["raise", "report", "report-unknown", "exit"])
def test_a_poison_record_ends_in_the_failure_queue_and_holds_nothing_up(start, mode):
    application = start(Mode=mode, BatchSize=8)
    application.enable_stream(False)
    application.put("a", "b", "c", "poison", "d", "e", "f", "g")
    application.enable_stream(True)
    application.stack.wait_until_idle()

    assert application.seen() == {"a", "b", "c", "poison", "d", "e", "f", "g"}
    assert application.batches()[-1][-1] == "g"
    assert application.batches().count(["poison"]) >= 2  # tried again on its own before it was given up
    (document,) = application.messages()
    batch = document["DDBStreamBatchInfo"]
    poison = next(
        record["dynamodb"]["SequenceNumber"]
        for line in application.written_down()
        for record in line["records"]
        if record["dynamodb"]["Keys"]["id"]["S"] == "poison"
    )
    assert (batch["startSequenceNumber"], batch["endSequenceNumber"], batch["batchSize"]) == (poison, poison, 1)
    assert batch["streamArn"].startswith("arn:aws:dynamodb:us-east-1:123456789012:table/")
    assert document["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert document["requestContext"]["functionArn"].startswith("arn:aws:lambda:")
    assert document["version"] == "1.0"


def test_without_bisecting_the_whole_batch_is_given_up(start):
    application = start(Mode="raise", Bisect="false", Retries=2)
    application.enable_stream(False)
    application.put("a", "poison", "b")
    application.enable_stream(True)
    application.stack.wait_until_idle()
    assert application.batches() == [["a", "poison", "b"]] * 3
    (document,) = application.messages()
    assert document["DDBStreamBatchInfo"]["batchSize"] == 3
    assert document["requestContext"]["approximateInvokeCount"] == 3
    assert document["responseContext"]["functionError"] == "Unhandled"


def test_a_record_that_gets_too_old_is_given_up_whatever_the_retries(start):
    application = start(Mode="raise", Retries=-1, RecordAge=1)
    application.put("poison")
    application.stack.wait_until_idle()
    (document,) = application.messages()
    assert document["requestContext"]["condition"] == "RecordAgeExceeded"
    application.put("after")
    application.stack.wait_until_idle()
    assert "after" in application.seen()


def test_a_repaired_function_catches_up(start):
    application = start(Mode="raise-until-file", Retries=-1)
    application.enable_stream(False)
    application.put("poison", "a")
    application.enable_stream(True, wait=False)
    eventually(lambda: application.batches().count(["poison"]) >= 2)
    assert ["a"] not in application.batches()  # Nothing behind a record is tried before that record is resolved.
    Path(f"{application.record_file}.repaired").touch()
    application.stack.wait_until_idle()
    assert application.batches()[-1] == ["a"]
    assert application.messages() == []


def test_a_function_that_hangs_times_out_and_is_replaced(start):
    application = start(Mode="hang", Timeout=1, Retries=0)
    application.put("poison")
    application.stack.wait_until_idle()
    application.put("after")
    application.stack.wait_until_idle()
    assert application.batches() == [["poison"], ["after"]]
    assert len(application.messages()) == 1


def test_a_disabled_mapping_delivers_nothing_and_catches_up_once_enabled(start):
    application = start()
    application.put("before")
    application.stack.wait_until_idle()
    application.enable_stream(False)
    application.put("meanwhile")
    application.stack.wait_until_idle()  # of what is enabled
    assert application.seen() == {"before"}
    application.enable_stream(True, wait=False)
    eventually(lambda: "meanwhile" in application.seen())  # it is noticed without being asked for
    assert application.batches() == [["before"], ["meanwhile"]]


def test_messages_are_deleted_once_taken_and_redriven_when_they_keep_failing(start):
    application = start()
    url = application.stack.outputs["QueueUrl"]
    application.sqs.send_message(
        QueueUrl=url, MessageBody="fine", MessageAttributes={"a": {"DataType": "String", "StringValue": "x"}}
    )
    application.sqs.send_message(QueueUrl=url, MessageBody="poison")
    application.stack.wait_until_idle()

    taken = [record for line in application.written_down() for record in line["records"]]
    assert [record["body"] for record in taken].count("fine") == 1
    assert [record["body"] for record in taken].count("poison") == 2  # maxReceiveCount
    fine = next(record for record in taken if record["body"] == "fine")
    assert fine["messageAttributes"] == {"a": {"stringValue": "x", "dataType": "String"}}
    assert fine["attributes"]["ApproximateReceiveCount"] == "1"
    assert fine["eventSource"] == "aws:sqs"
    dead = application.sqs.receive_message(QueueUrl=application.stack.outputs["DeadLetterQueueUrl"])
    assert [message["Body"] for message in dead["Messages"]] == ["poison"]


def test_a_delayed_message_waits(start):
    application = start()
    application.sqs.send_message(QueueUrl=application.stack.outputs["QueueUrl"], MessageBody="late", DelaySeconds=1)
    application.stack.wait_until_idle()
    (line,) = application.written_down()
    assert line["bodies"] == ["late"]
    attributes = line["records"][0]["attributes"]
    assert int(attributes["ApproximateFirstReceiveTimestamp"]) - int(attributes["SentTimestamp"]) >= 1000


def test_a_mapping_made_later_is_run_too(start):
    application = start()
    queue = application.sqs.create_queue(QueueName="another")["QueueUrl"]
    arn = application.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    function = application.stack.client("lambda").list_functions()["Functions"]
    name = next(each["FunctionName"] for each in function if each["Handler"] == "handlers.queue")
    application.stack.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=name)
    application.sqs.send_message(QueueUrl=queue, MessageBody="hello")
    application.stack.wait_until_idle()
    assert [line["bodies"] for line in application.written_down()] == [["hello"]]
