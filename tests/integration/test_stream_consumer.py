"""The example's function follows a table while it is encrypted: it sees the same items, in plaintext and after."""

import base64
import importlib.util
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from boto3.dynamodb.types import Binary
from hypothesis import given
from hypothesis import strategies as st

from item_crypto import DecryptionFailed, Encryption, StreamRecord, UnsupportedValue, decrypt_record
from item_crypto.core.codec import to_json
from tests.scene import CONFIGURATION, HISTORY, Scene
from tests.strategies import values
from tests.tables import create_table

APP = Path(__file__).parents[2] / "examples/stream_consumer/app.py"
ARN = "arn:aws:dynamodb:eu-central-1:111122223333:table/sessions/stream/2026-01-02T08:30:00.000"
STATISTICS = "statistics"


@pytest.fixture(scope="module")
def encryption(scene: Scene) -> Encryption:
    return Encryption(scene.cipher, scene.policy)


@pytest.fixture
def app(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The example, over this scene's key and a table of statistics of its own."""
    create_table(scene.plain, STATISTICS, "sessionId", "userId")
    monkeypatch.setenv("KEY_ARN", scene.key_arn)
    monkeypatch.setenv("STATISTICS_TABLE", STATISTICS)
    specification = importlib.util.spec_from_file_location("stream_consumer", APP)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    yield module
    scene.plain.delete_table(TableName=STATISTICS)


def in_lambda(name: str, key: Any, old: Any = None, new: Any = None, number: str = "1") -> dict[str, Any]:
    """Return a record as Lambda's event has it: binary is base64 text."""
    images = {"OldImage": old, "NewImage": new}
    change: dict[str, Any] = {
        "ApproximateCreationDateTime": 1767343080,
        "Keys": key,
        "SequenceNumber": number,
        **{image: {n: to_json(v) for n, v in item.items()} for image, item in images.items() if item is not None},
    }
    return {"eventID": f"id-{number}", "eventName": name, "eventSourceARN": ARN, "dynamodb": change}


def in_api(name: str, key: Any, old: Any = None, new: Any = None) -> dict[str, Any]:
    """Return a record as boto3's ``get_records`` has it: binary is bytes."""
    images = {"OldImage": old, "NewImage": new}
    change = {"ApproximateCreationDateTime": datetime(2026, 1, 2, tzinfo=UTC), "Keys": key, "SequenceNumber": "1"}
    change |= {image: item for image, item in images.items() if item is not None}
    return {"eventID": "id-1", "eventName": name, "dynamodb": change}


def messages(scene: Scene, key: Any) -> str | None:
    row = scene.plain.get_item(TableName=STATISTICS, Key=key, ConsistentRead=True).get("Item")
    return None if row is None else row["messages"]["N"]


def test_consumer_when_a_table_is_encrypted_and_changed_then_it_follows(scene: Scene, app: ModuleType) -> None:
    key = scene.new_key()
    plain = {**key, "history": HISTORY, "configuration": CONFIGURATION}
    sealed = {
        **key,
        **scene.encrypted(key, history=HISTORY, configuration=CONFIGURATION),
        "is_encrypted": {"BOOL": True},
    }
    longer: Any = {"L": [*HISTORY["L"], *HISTORY["L"]]}
    newer = {**sealed, "history": longer}  # A plain writer's, beside the ciphertext.
    old_form = {**key, **scene.lisa(key, history=HISTORY), "is_encrypted": {"BOOL": True}}

    def follow(*records: Any) -> None:
        assert app.lambda_handler({"Records": list(records)}, None) == {"batchItemFailures": []}

    follow(in_lambda("INSERT", key, None, plain))
    assert messages(scene, key) == "1"
    scene.plain.delete_item(TableName=STATISTICS, Key=key)
    follow(in_lambda("MODIFY", key, plain, sealed))
    assert messages(scene, key) is None  # It was encrypted, which is no change to a reader.
    follow(in_lambda("MODIFY", key, sealed, newer))
    assert messages(scene, key) == "2"
    follow(in_lambda("MODIFY", key, newer, old_form))
    assert messages(scene, key) == "1"
    follow(in_lambda("REMOVE", key, old_form))
    assert messages(scene, key) is None


def test_consumer_when_an_image_is_not_authentic_then_its_record_is_reported_and_nothing_follows(
    scene: Scene, app: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    key, other = scene.new_key(), scene.new_key()
    wrong = {**key, **scene.encrypted(other, history=HISTORY)}

    answer = app.lambda_handler(
        {"Records": [in_lambda("INSERT", key, None, wrong, "7"), in_lambda("INSERT", other, None, other, "8")]}, None
    )

    assert answer == {"batchItemFailures": [{"itemIdentifier": "7"}]}
    assert messages(scene, other) is None
    assert "decryption-failed" in capsys.readouterr().out


@given(value=values())
def test_record_when_decrypted_then_it_has_the_form_that_it_came_in(
    scene: Scene, encryption: Encryption, value: Any
) -> None:
    key = scene.new_key()
    sealed = {**key, **scene.encrypted(key, history=value), "is_encrypted": {"BOOL": True}, "title": {"B": b"\xff"}}
    clear = {**key, "history": value, "title": {"B": b"\xff"}}

    assert decrypt_record(in_api("INSERT", key, None, sealed), encryption) == in_api("INSERT", key, None, clear)
    assert decrypt_record(in_lambda("INSERT", key, None, sealed), encryption) == in_lambda("INSERT", key, None, clear)


@given(form=st.sampled_from([in_lambda, in_api]))
def test_data_class_when_made_of_either_form_then_its_images_are_python_values(
    scene: Scene, encryption: Encryption, form: Any
) -> None:
    key = scene.new_key()
    value: Any = {"M": {"raw": {"B": b"\x00\xff"}, "n": {"N": "1"}}}
    sealed = {**key, **scene.encrypted(key, history=value)}

    record = StreamRecord.of(form("MODIFY", key, {**key, "history": value}, sealed), encryption)

    assert record.new_image == record.old_image == {**record.keys, "history": {"raw": Binary(b"\x00\xff"), "n": 1}}
    assert (record.event_name, record.event_id, record.sequence_number) == ("MODIFY", "id-1", "1")
    assert not record.is_change
    assert "history" not in repr(record)


def test_record_when_it_is_powertools_own_then_it_is_taken_and_can_be_made_again(
    scene: Scene, encryption: Encryption
) -> None:
    key = scene.new_key()
    sealed = {**key, **scene.encrypted(key, history=HISTORY)}
    given_record = DynamoDBRecord(in_lambda("INSERT", key, None, sealed))

    again = DynamoDBRecord(decrypt_record(given_record, encryption))

    assert again.dynamodb is not None
    assert again.dynamodb.new_image == StreamRecord.of(given_record, encryption).new_image
    assert again.dynamodb.new_image["history"] == [{"type": "human", "content": "what is the tide in Porto?"}]


def test_record_when_it_has_keys_only_then_it_stays_as_it_is(scene: Scene, encryption: Encryption) -> None:
    key = scene.new_key()
    record = in_lambda("MODIFY", key)

    assert decrypt_record(record, encryption) == record
    assert StreamRecord.of(record, encryption).is_change


def test_record_when_an_image_belongs_to_another_item_then_it_is_refused(scene: Scene, encryption: Encryption) -> None:
    key, other = scene.new_key(), scene.new_key()

    with pytest.raises(DecryptionFailed):
        decrypt_record(in_lambda("INSERT", key, None, {**key, **scene.encrypted(other, history=HISTORY)}), encryption)


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"dynamodb": None},
        {"dynamodb": {"NewImage": []}},
        {"dynamodb": {"NewImage": {"a": {"B": "not base64!"}}}},
        {"dynamodb": {"NewImage": {"a": {"X": base64.b64encode(b"x").decode()}}}},
    ],
)
def test_record_when_it_is_none_then_that_is_said(encryption: Encryption, record: Any) -> None:
    with pytest.raises(UnsupportedValue):
        decrypt_record(record, encryption)


def test_use_of_a_record_when_told_then_it_names_the_table(scene: Scene) -> None:
    uses: list[Any] = []
    key = scene.new_key()
    encryption = Encryption(scene.cipher, scene.policy, on_access=uses.append)

    decrypt_record(in_lambda("INSERT", key, None, {**key, **scene.encrypted(key, history=HISTORY)}), encryption)

    assert [(use.operation, use.table, use.decrypted) for use in uses] == [("decrypt_record", "sessions", ("history",))]
