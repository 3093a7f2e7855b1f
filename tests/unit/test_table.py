import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore import exceptions as botocore_errors

from item_crypto import InvalidRequest, ItemTooLarge, SystemicError, Table, TransientError
from item_crypto.core.change import Change
from item_crypto.core.key import distinct, key_id, key_of
from tests.answers import http_answer
from tests.faults import failing
from tests.scene import TABLE, Scene


class Waits(list[float]):
    """A sleep that only notes how long it was asked to."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def table(scene: Scene, waits: Waits) -> Table:
    return Table(scene.dynamodb, TABLE, sleep=waits, jitter=lambda: 1.0)


@pytest.fixture
def requests(scene: Scene) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The requests that DynamoDB gets: operation and parameters."""
    seen: list[tuple[str, dict[str, Any]]] = []

    def note(model: Any, params: dict[str, Any], **_: Any) -> None:
        seen.append((model.name, json.loads(params["body"])))

    scene.dynamodb.meta.events.register("before-call.dynamodb", note)
    yield seen
    scene.dynamodb.meta.events.unregister("before-call.dynamodb", note)


@contextmanager
def unprocessed(scene: Scene, rounds: int, keep: int = 0) -> Iterator[None]:
    """Make DynamoDB leave keys unprocessed: all but ``keep`` of them, for so many rounds."""
    left = [rounds]

    def respond(request: Any, **_: Any) -> Any:
        if left[0] == 0:
            return None
        left[0] -= 1
        keys = json.loads(request.body)["RequestItems"][TABLE]["Keys"]
        document = {
            "Responses": {TABLE: [key | {"name": {"S": "read"}} for key in keys[:keep]]},
            "UnprocessedKeys": {TABLE: {"Keys": keys[keep:], "ConsistentRead": True}},
        }
        return http_answer(request, 200, document)

    scene.dynamodb.meta.events.register_first("before-send.dynamodb.BatchGetItem", respond)
    try:
        yield
    finally:
        scene.dynamodb.meta.events.unregister("before-send.dynamodb.BatchGetItem", respond)


# Reading many


def test_250_keys_when_read_then_in_batches_of_100_and_consistently(
    scene: Scene, table: Table, requests: list[tuple[str, dict[str, Any]]]
) -> None:
    keys = [scene.new_key() for _ in range(250)]
    for key in keys[::50]:
        scene.store(key | {"name": {"S": "x"}})

    found = table.read(distinct(keys))

    assert len(found) == 250
    assert [found[key_id(key)] for key in keys[::50]] == [key | {"name": {"S": "x"}} for key in keys[::50]]
    assert sum(item is None for item in found.values()) == 245
    asked = [body["RequestItems"][TABLE] for operation, body in requests if operation == "BatchGetItem"]
    assert [len(part["Keys"]) for part in asked] == [100, 100, 50]
    assert all(part["ConsistentRead"] is True for part in asked)


def test_no_keys_when_read_then_nothing_is_asked(table: Table, requests: list[Any]) -> None:
    assert table.read(distinct([])) == {}
    assert requests == []


def test_key_given_twice_when_read_then_it_is_asked_for_once(
    scene: Scene, table: Table, requests: list[tuple[str, dict[str, Any]]]
) -> None:
    key = scene.new_key()

    assert list(table.read(distinct([key, dict(key)]))) == [key_id(key)]
    assert len(requests[0][1]["RequestItems"][TABLE]["Keys"]) == 1


def test_unprocessed_keys_when_read_then_they_are_asked_for_again_after_growing_waits(
    scene: Scene, table: Table, waits: Waits
) -> None:
    keys = [scene.new_key() for _ in range(4)]
    for key in keys:
        scene.store(key | {"name": {"S": "read"}})
    with unprocessed(scene, rounds=3, keep=1):
        found = table.read(distinct(keys))

    assert list(found.values()) == [key | {"name": {"S": "read"}} for key in keys]
    assert waits == [0.1, 0.2, 0.4]


def test_keys_that_stay_unprocessed_when_read_then_they_and_only_they_fail_for_now(
    scene: Scene, table: Table, waits: Waits
) -> None:
    keys = [scene.new_key() for _ in range(3)]
    with unprocessed(scene, rounds=1, keep=1):
        found = table.read(distinct(keys))
        assert found[key_id(keys[0])] == keys[0] | {"name": {"S": "read"}}
        assert found[key_id(keys[1])] is None  # processed in the second round: there is no such item

    waits.clear()
    with unprocessed(scene, rounds=100):
        errors = table.read(distinct(keys)).values()
    assert all(isinstance(error, TransientError) and error.code == "UnprocessedKeys" for error in errors)
    assert len(waits) == 5


def test_jitter_when_waiting_then_it_shortens_the_wait(scene: Scene) -> None:
    waits = Waits()
    table = Table(scene.dynamodb, TABLE, sleep=waits, jitter=lambda: 0.5)
    with unprocessed(scene, rounds=2):
        table.read(distinct([scene.new_key()]))

    assert waits == [0.05, 0.1]


def test_throttled_read_when_it_does_not_pass_then_each_key_fails_for_now(
    scene: Scene, table: Table, waits: Waits
) -> None:
    keys = [scene.new_key() for _ in range(2)]
    with failing(scene.dynamodb, "dynamodb", "ProvisionedThroughputExceededException"):
        found = table.read(distinct(keys))

    assert all(isinstance(error, TransientError) for error in found.values())
    assert len(waits) == 5


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_refused_read_when_it_lasts_then_it_is_systemic_and_not_tried_again(
    scene: Scene, table: Table, waits: Waits, code: str
) -> None:
    keys = [scene.new_key() for _ in range(2)]
    with failing(scene.dynamodb, "dynamodb", code):
        found = table.read(distinct(keys))

    assert all(isinstance(error, SystemicError) and error.code == code for error in found.values())
    assert waits == []


@pytest.mark.parametrize(
    "malformed",
    [
        pytest.param({"sessionId": {"S": "s"}}, id="a part missing"),
        pytest.param({"other": {"S": "s"}, "userId": {"S": "u"}}, id="another name"),
        pytest.param({"sessionId": {"S": 5}, "userId": {"S": "u"}}, id="no DynamoDB value"),
    ],
)
@pytest.mark.parametrize("position", [0, 1])
def test_malformed_key_when_read_then_the_others_are_read_all_the_same(
    scene: Scene, table: Table, malformed: Any, position: int
) -> None:
    key = scene.new_key()
    scene.store(key | {"name": {"S": "x"}})
    keys = [key]
    keys.insert(position, malformed)

    found = table.read(distinct(keys))

    assert found[key_id(key)] == key | {"name": {"S": "x"}}
    assert isinstance(found[key_id(malformed)], InvalidRequest)


@pytest.mark.parametrize("other", ["1.0", "1E0", "+1", "0.1e1", "01"])
def test_two_spellings_of_a_number_when_compared_then_they_are_one_key(other: str) -> None:
    assert key_id({"a": {"N": "1"}, "b": {"S": "x"}}) == key_id({"b": {"S": "x"}, "a": {"N": other}})


def test_keys_of_different_types_or_values_when_compared_then_they_differ() -> None:
    keys: list[Any] = [{"a": {"S": "1"}}, {"a": {"N": "1"}}, {"a": {"B": b"1"}}, {"a": {"N": "1.1"}}, {"b": {"S": "1"}}]

    assert len({key_id(key) for key in keys}) == len(keys)


def test_key_that_is_malformed_when_compared_then_it_is_equal_to_itself_only() -> None:
    assert key_id({"a": {"N": "abc"}}) == key_id({"a": {"N": "abc"}}) != key_id({"a": {"N": "abd"}})


# One item


def test_item_when_got_and_deleted_then_its_presence_is_told(scene: Scene, table: Table) -> None:
    key = scene.new_key()
    assert table.get(key) is None
    assert table.delete(key) is False

    scene.store(key | {"name": {"S": "x"}})

    assert table.get(key) == key | {"name": {"S": "x"}}
    assert table.delete(key) is True
    assert scene.stored(key) is None


def naming(key: Any, name: Any = "x") -> Change:
    """Return a change that names an item that must be there."""
    return Change(key, {"sessionId": key["sessionId"]}, {"name": {"S": name}}, ())


def test_update_when_its_condition_fails_then_it_is_no_error(scene: Scene, table: Table) -> None:
    key = scene.new_key()
    assert table.apply(naming(key)) is False
    assert scene.stored(key) is None

    scene.store(key)
    assert table.apply(naming(key)) is True
    assert scene.stored(key) == key | {"name": {"S": "x"}}


def test_update_when_dynamodb_finds_the_item_too_large_then_it_is_a_permanent_error(scene: Scene, table: Table) -> None:
    key = scene.new_key()
    scene.store(key)

    with pytest.raises(ItemTooLarge):
        table.apply(naming(key, "x" * 420_000))


@pytest.mark.parametrize("code", ["ValidationException", "SerializationException"])
def test_update_when_dynamodb_refuses_it_as_malformed_then_permanent_and_the_value_is_not_quoted(
    scene: Scene, table: Table, code: str
) -> None:
    malformed = failing(scene.dynamodb, "dynamodb", code, message="the value secret-6021 is not valid")
    with malformed, pytest.raises(InvalidRequest) as refusal:
        table.apply(naming(scene.new_key()))

    assert "6021" not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


def test_update_when_boto3_refuses_a_parameter_then_permanent_and_the_value_is_not_quoted(
    scene: Scene, table: Table
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        table.apply(naming(scene.new_key(), 6021))

    assert "6021" not in str(refusal.value)
    assert refusal.value.__suppress_context__


def test_collection_of_items_when_it_is_full_then_it_is_the_item_that_failed(scene: Scene, table: Table) -> None:
    full = failing(scene.dynamodb, "dynamodb", "ItemCollectionSizeLimitExceededException")
    with full, pytest.raises(ItemTooLarge):
        table.apply(naming(scene.new_key()))


@pytest.mark.parametrize("operation", ["get", "delete", "query", "update"])
@pytest.mark.parametrize(
    ("failure", "error"),
    [
        ("ThrottlingException", TransientError),
        ("InternalServerError", TransientError),
        ("TransactionConflictException", TransientError),
        ("AccessDeniedException", SystemicError),
        ("UnheardOfException", SystemicError),
        (botocore_errors.ReadTimeoutError(endpoint_url="x"), TransientError),
        (botocore_errors.ConnectTimeoutError(endpoint_url="x"), TransientError),
        (botocore_errors.EndpointConnectionError(endpoint_url="x"), TransientError),
        (botocore_errors.NoCredentialsError(), SystemicError),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", type(value).__name__),
)
def test_dynamodb_when_it_fails_then_the_class_tells_whether_it_passes(
    scene: Scene, table: Table, operation: str, failure: Any, error: type[Exception]
) -> None:
    key = scene.new_key()
    work: dict[str, Any] = {
        "get": lambda: table.get(key),
        "delete": lambda: table.delete(key),
        "query": lambda: table.query(
            KeyConditionExpression="sessionId = :s", ExpressionAttributeValues={":s": {"S": "x"}}
        ),
        "update": lambda: table.apply(naming(key)),
    }
    with failing(scene.dynamodb, "dynamodb", failure), pytest.raises(error) as raised:
        work[operation]()

    assert raised.value.service == "dynamodb"  # type: ignore[attr-defined]


def test_key_of_an_item_when_asked_then_it_is_the_named_attributes() -> None:
    assert key_of({"a": {"S": "1"}, "b": {"S": "2"}, "c": {"S": "3"}}, ("a", "b")) == {"a": {"S": "1"}, "b": {"S": "2"}}
