"""Every file in events/ does what it is there to show, on the items in events/items.jsonl and items-lisa.jsonl."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from boto3.dynamodb.types import TypeDeserializer
from samtranslator.yaml_helper import yaml_parse

from admin_page import handler as admin_page_handler
from admin_page.handler import admin_page
from item_crypto import ItemCipher, Keyrings, Policy, ValueCipher
from item_crypto.core.codec import from_json
from item_crypto.forms import CURRENT, open_envelope
from local import LocalStack
from local.put import put
from local.sam_environment import sam_environment
from local.sessions import load_sessions
from reader import handler as reader_handler
from reader import item as item_reader_handler
from reader.application import item_reader, reader
from session_keys import handler as session_keys_handler
from session_keys.application import session_keys
from stream_encryptor import handler as stream_handler
from stream_encryptor import retry as retry_handler
from stream_encryptor.application import encryptor

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ROOT / "events"
CONTEXT = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 60_000)
OLD_FORM = "dlg-museum-10"
DONE = {"batchItemFailures": []}

# What each event of the stream or the retry queue encrypts, and what is counted.
ENCRYPTOR_EVENTS: dict[str, tuple[set[str], dict[str, int]]] = {
    "stream-insert.json": ({"dlg-harbour-1"}, {"ItemsEncrypted": 1}),
    "stream-modify.json": ({"dlg-garden-2"}, {"ItemsEncrypted": 1}),
    "stream-remove.json": (set(), {"ItemsSkipped": 1}),
    "stream-keys-only.json": ({"dlg-bread-3", "dlg-tenancy-4"}, {"ItemsEncrypted": 2, "ItemsSkipped": 1}),
    "stream-new-image.json": ({"dlg-blood-5"}, {"ItemsEncrypted": 1}),
    "stream-own-write.json": (set(), {"ItemsSkipped": 1}),
    "stream-poison-batch.json": ({"dlg-chess-6", "dlg-salary-8"}, {"ItemsEncrypted": 2, "ItemsFailedPermanent": 1}),
    "stream-lisa.json": (set(), {"ItemsDeferred": 1}),
    "retry-queue.json": ({"dlg-piano-9"}, {"ItemsEncrypted": 1}),
}
READER_EVENTS = {
    "api-get-session.json",
    "api-put-session.json",
    "api-list-sessions.json",
    "api-delete-session.json",
    "item-reader.json",
}

SESSION_KEYS_EVENTS = {"api-generate-key.json", "api-decrypt-key.json"}
ADMIN_PAGE_EVENTS = {"api-admin-page.json"}

# Run by tests/integration/test_admin.py.
ADMIN_EVENTS = {"api-get-config.json", "api-put-config.json"}

Item = dict[str, Any]


def event(name: str) -> Any:
    return json.loads((EVENTS / name).read_text())


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The local stack with its own triggers off: the functions are invoked by hand."""
    with LocalStack(state_directory=tmp_path_factory.mktemp("state")) as running:
        announced = {"endpoint_url": running.endpoint_url, "region": running.region, "outputs": running.outputs}
        (running.state_directory / "stack.json").write_text(json.dumps(announced))
        client = running.client("lambda")
        for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        running.wait_until_idle()
        yield running


class Table:
    """The stack's table with the items that the events speak of, fresh for each test."""

    def __init__(self, stack: LocalStack) -> None:
        self.name = stack.outputs["TableName"]
        self.client = stack.client("dynamodb")
        self.sqs = stack.client("sqs")
        self.failure_queue = stack.outputs["FailureQueueUrl"]
        for item in self.items().values():
            self.client.delete_item(TableName=self.name, Key={name: item[name] for name in ("sessionId", "userId")})
        self.dead_letters()
        put(EVENTS / "items.jsonl", stack.state_directory)
        put(EVENTS / "items-lisa.jsonl", stack.state_directory, lisa=True)
        self.before = self.items()
        kms, key_arn = stack.client("kms"), stack.outputs["KeyArn"]
        policy = Policy(
            attributes=("history", "configuration"),
            appended=frozenset(),
            context_attributes=("userId", "sessionId"),
            purpose="session-encryption",
            enabled=True,
        )
        self.cipher = ItemCipher(ValueCipher(Keyrings(kms, key_arn)), policy)

    def items(self) -> dict[str, Item]:
        """Return the items by session id."""
        items = self.client.scan(TableName=self.name, ConsistentRead=True)["Items"]
        return {item["sessionId"]["S"]: item for item in items}

    def changed(self) -> set[str]:
        """Return the ids of the sessions that are not as they were."""
        now = self.items()
        return {name for name in self.before.keys() | now.keys() if self.before.get(name) != now.get(name)}

    def dead_letters(self) -> list[Any]:
        """Take the messages out of the failure queue."""
        answer = self.sqs.receive_message(QueueUrl=self.failure_queue, MaxNumberOfMessages=10)
        messages = answer.get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=self.failure_queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]


@pytest.fixture
def table(stack: LocalStack) -> Table:
    return Table(stack)


@pytest.fixture
def function(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Give this process the environment that events/env.local.json gives a function."""

    def become(logical_id: str) -> None:
        variables = sam_environment(stack.environments, stack.endpoint_url, "127.0.0.1")[logical_id]
        # Powertools keeps a logger, and its stream, by the service's name.
        for name, text in (variables | {"POWERTOOLS_SERVICE_NAME": f"test-{id(become)}"}).items():
            monkeypatch.setenv(name, text)
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.setenv(name, stack.region)
        boto3.setup_default_session()

    parts = (encryptor, reader, item_reader, session_keys, admin_page)
    for cached in parts:
        cached.cache_clear()
    yield become
    for cached in parts:
        cached.cache_clear()
    boto3.setup_default_session()


def counters(printed: str) -> dict[str, int]:
    """Return the Items… counters among the metrics that a function printed."""
    found: dict[str, int] = {}
    for line in printed.splitlines():
        document = json.loads(line)
        if "_aws" in document:
            values = {name: value for name, value in document.items() if name.startswith("Items")}
            found |= {name: int(sum(value) if isinstance(value, list) else value) for name, value in values.items()}
    return found


def test_every_event_is_run_by_a_test_here():
    files = {path.name for path in EVENTS.glob("*.json")} - {"env.local.json"}
    assert files == ENCRYPTOR_EVENTS.keys() | READER_EVENTS | SESSION_KEYS_EVENTS | ADMIN_PAGE_EVENTS | ADMIN_EVENTS


def test_the_admin_events_are_run_by_the_admin_functions_tests():
    source = (ROOT / "tests" / "integration" / "test_admin.py").read_text(encoding="utf-8")
    assert {name for name in ADMIN_EVENTS if f'run("{name}")' not in source} == set()


def test_the_environment_leads_every_function_to_the_stack(stack: LocalStack):
    environment = sam_environment(stack.environments, stack.endpoint_url, "10.88.0.1")
    seen_from_a_container = stack.endpoint_url.replace("127.0.0.1", "10.88.0.1")

    assert environment.keys() >= {"StreamEncryptorFunction", "RetryFunction", "ReaderFunction", "ItemReaderFunction"}
    assert "TABLE_NAME" not in environment["AdminPageFunction"]  # It serves a page, and is told of no table.
    for name, variables in environment.items():
        assert variables["AWS_ENDPOINT_URL"] == seen_from_a_container
        if name != "AdminPageFunction":
            assert variables["TABLE_NAME"] == stack.outputs["TableName"]
            assert variables["SESSION_ENCRYPTION_KEY_ARN"] == stack.outputs["KeyArn"]
    queue = environment["RetryFunction"]["FAILURE_QUEUE_URL"]
    assert queue == stack.outputs["FailureQueueUrl"].replace(stack.endpoint_url, seen_from_a_container)


def test_the_template_declares_every_variable_of_the_environment(stack: LocalStack):
    """SAM CLI drops the others without a word."""
    template = yaml_parse((ROOT / "template.yaml").read_text())
    shared = template["Globals"]["Function"]["Environment"]["Variables"].keys()
    for name, variables in sam_environment(stack.environments, stack.endpoint_url, "10.88.0.1").items():
        resource = template["Resources"][name]
        own = resource["Properties"].get("Environment", {}).get("Variables", {}).keys()
        if "Environment" in resource.get("IgnoreGlobals", ()):
            assert variables.keys() - {"AWS_ENDPOINT_URL"} == own  # It calls no service.
        else:
            assert variables.keys() == shared | own


@pytest.mark.parametrize("name", [name for name in ENCRYPTOR_EVENTS if name.startswith("stream-")])
def test_stream_events_have_the_shape_of_dynamodb_streams(name: str):
    for record in event(name)["Records"]:
        assert set(record) == {
            "eventID",
            "eventName",
            "eventVersion",
            "eventSource",
            "awsRegion",
            "dynamodb",
            "eventSourceARN",
        }
        assert (record["eventVersion"], record["eventSource"]) == ("1.1", "aws:dynamodb")
        change = record["dynamodb"]
        assert {"ApproximateCreationDateTime", "Keys", "SequenceNumber", "SizeBytes", "StreamViewType"} <= set(change)
        assert ("NewImage" in change) == (change["StreamViewType"] == "NEW_IMAGE")


def test_plaintext_stands_in_no_event_but_the_one_that_shows_it():
    """And in none of the API, whose callers send and get plaintext."""
    with_plaintext = {
        name
        for name in ENCRYPTOR_EVENTS
        for record in event(name)["Records"]
        if {"history", "configuration"} & record.get("dynamodb", {}).get("NewImage", {}).keys()
    }
    assert with_plaintext == {"stream-new-image.json"}


def test_the_new_image_is_the_item_as_it_was_put():
    (record,) = event("stream-new-image.json")["Records"]
    image = {name: TypeDeserializer().deserialize(value) for name, value in record["dynamodb"]["NewImage"].items()}
    assert image in list(load_sessions(EVENTS / "items.jsonl"))


def test_the_own_write_is_under_the_stacks_key(stack: LocalStack):
    """Or it would count as under an earlier key, and be read."""
    (record,) = event("stream-own-write.json")["Records"]
    for name in ("encrypted_history", "encrypted_configuration"):
        envelope = open_envelope(from_json(record["dynamodb"]["NewImage"][name]))
        assert (envelope.form, envelope.key) == (CURRENT, stack.outputs["KeyArn"])


@pytest.mark.parametrize("name", ENCRYPTOR_EVENTS)
def test_the_encryptor_does_what_the_event_shows(
    name: str, table: Table, function: Callable[[str], None], capsys: pytest.CaptureFixture[str]
):
    encrypts, counts = ENCRYPTOR_EVENTS[name]
    of_queue = name == "retry-queue.json"
    function("RetryFunction" if of_queue else "StreamEncryptorFunction")

    answer = (retry_handler if of_queue else stream_handler).lambda_handler(event(name), CONTEXT)

    assert answer == DONE
    assert table.changed() == encrypts
    stored = table.items()
    for session in encrypts:
        assert stored[session]["is_encrypted"] == {"BOOL": True}
        assert not {"history", "configuration"} & stored[session].keys()
        assert table.cipher.decrypt_item(stored[session]) == table.before[session]
    assert counters(capsys.readouterr().out) == counts


def test_the_poison_record_is_in_the_failure_queue_without_its_value(table: Table, function: Callable[[str], None]):
    function("StreamEncryptorFunction")
    stream_handler.lambda_handler(event("stream-poison-batch.json"), CONTEXT)

    (letter,) = table.dead_letters()
    poison = event("stream-poison-batch.json")["Records"][1]
    assert letter.pop("time").endswith("Z")
    assert letter == {
        "kind": "item",
        "table": table.name,
        "key": poison["dynamodb"]["Keys"],
        "reason": "unknown-form",
        "recordId": poison["eventID"],
        "attempts": 1,
    }


def test_the_item_in_the_old_form_waits_for_somebody_who_may_decrypt(table: Table, function: Callable[[str], None]):
    """The stream function defers it; it is there to be decrypted all the same."""
    function("StreamEncryptorFunction")
    stream_handler.lambda_handler(event("stream-lisa.json"), CONTEXT)

    assert table.dead_letters() == []
    (session,) = load_sessions(EVENTS / "items-lisa.jsonl")
    clear = table.cipher.decrypt_item(table.items()[OLD_FORM])
    assert TypeDeserializer().deserialize(clear["history"]) == session["history"]


def call(name: str) -> tuple[int, Any]:
    """Return the status and the document that the reader answers an event with."""
    answer = reader_handler.lambda_handler(event(name), CONTEXT)
    return answer["statusCode"], json.loads(answer["body"]) if answer.get("body") else None


def test_get_session_returns_it_in_the_clear_and_encrypts_it(table: Table, function: Callable[[str], None]):
    function("ReaderFunction")
    status, session = call("api-get-session.json")

    (put_session,) = [s for s in load_sessions(EVENTS / "items.jsonl") if s["sessionId"] == "dlg-harbour-1"]
    assert (status, session["history"]) == (200, put_session["history"])
    assert table.changed() == {"dlg-harbour-1"}
    assert table.items()["dlg-harbour-1"]["is_encrypted"] == {"BOOL": True}


def test_put_session_stores_it_encrypted(table: Table, function: Callable[[str], None]):
    function("ReaderFunction")
    status, session = call("api-put-session.json")

    sent = json.loads(event("api-put-session.json")["body"])
    assert status == 200
    assert {name: session[name] for name in sent} == sent
    assert table.changed() == {"dlg-harbour-1"}
    stored = table.items()["dlg-harbour-1"]
    assert stored["is_encrypted"] == {"BOOL": True}
    assert not {"history", "configuration"} & stored.keys()


def test_list_sessions_returns_those_of_the_caller(table: Table, function: Callable[[str], None]):
    function("ReaderFunction")
    status, page = call("api-list-sessions.json")

    theirs = {name for name, item in table.before.items() if item["userId"] == {"S": "user-24"}}
    assert status == 200
    assert {session["sessionId"] for session in page["sessions"]} == theirs
    assert table.changed() == set()


def test_delete_session_deletes_it(table: Table, function: Callable[[str], None]):
    function("ReaderFunction")
    status, body = call("api-delete-session.json")

    assert (status, body) == (204, None)
    assert table.changed() == {"dlg-harbour-1"}
    assert "dlg-harbour-1" not in table.items()


def test_item_reader_returns_the_item_in_the_clear(table: Table, function: Callable[[str], None]):
    function("ItemReaderFunction")
    answer = item_reader_handler.lambda_handler(event("item-reader.json"), CONTEXT)

    item = {name: from_json(value) for name, value in answer["Item"].items()}
    assert item == table.before["dlg-harbour-1"]


def test_a_data_key_is_made_for_the_callers_session_and_its_encrypted_form_gives_it_again(
    stack: LocalStack, function: Callable[[str], None]
):
    function("SessionKeysFunction")
    made = session_keys_handler.lambda_handler(event("api-generate-key.json"), CONTEXT)

    assert made["statusCode"] == 200
    key = json.loads(made["body"])
    assert key["keyArn"] == stack.outputs["KeyArn"]
    assert (key["encryptionContext"]["userId"], key["encryptionContext"]["sessionId"]) == ("user-24", "dlg-harbour-1")
    asked = event("api-decrypt-key.json")
    asked["body"] = json.dumps({**json.loads(asked["body"]), "encryptedKey": key["encryptedKey"]})
    again = session_keys_handler.lambda_handler(asked, CONTEXT)
    assert (again["statusCode"], json.loads(again["body"])) == (200, {"plaintextKey": key["plaintextKey"]})


def test_a_data_key_of_another_session_is_refused(function: Callable[[str], None]):
    function("SessionKeysFunction")
    answer = session_keys_handler.lambda_handler(event("api-decrypt-key.json"), CONTEXT)

    assert (answer["statusCode"], json.loads(answer["body"])["field"]) == (400, "encryptedKey")
    assert "plaintextKey" not in answer["body"]


def test_the_admin_page_is_served_to_whoever_asks(function: Callable[[str], None]):
    function("AdminPageFunction")
    answer = admin_page_handler.lambda_handler(event("api-admin-page.json"), CONTEXT)

    assert answer["statusCode"] == 200
    assert answer["headers"]["Content-Type"].startswith("text/html")
    assert "frame-ancestors 'none'" in answer["headers"]["Content-Security-Policy"]
