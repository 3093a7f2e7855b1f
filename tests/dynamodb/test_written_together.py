"""Many items written in one request, while others write and answers are lost: nobody's write is, and each has its own
outcome.
"""

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from itertools import count
from typing import Any, Final

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from item_crypto import ItemCipher, Keyrings, Policy, Reconciler, Role, Status, ValueCipher
from item_crypto.core.key import key_id
from item_crypto.dynamodb.batch import MOST, MOST_BYTES, Batch
from item_crypto.dynamodb.table import Table
from item_crypto.outcome import Outcome
from tests.faults import ALWAYS, failing, interrupting
from tests.scene import POLICY

TABLE: Final = "sessions"
TOGETHER: Final = "dynamodb.BatchExecuteStatement"
ALONE: Final = "dynamodb.UpdateItem"
LOST: Final = ReadTimeoutError(endpoint_url="https://dynamodb")
PLAIN: Final[Any] = {"L": [{"S": "plain"}]}
NEWER: Final[Any] = {"L": [{"S": "newer"}]}


class Together:
    """A table on DynamoDB Local, and a reconciler that writes many items in one request."""

    def __init__(self) -> None:
        once = Config(retries={"total_max_attempts": 1}, max_pool_connections=16)
        self.kms = boto3.client("kms", config=once)
        self.dynamodb = boto3.client("dynamodb", config=once)  # the reconciler's
        self.plain = boto3.client("dynamodb")  # all other writers'
        self.plain.create_table(
            TableName=TABLE,
            KeySchema=[
                {"AttributeName": "sessionId", "KeyType": "HASH"},
                {"AttributeName": "userId", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "sessionId", "AttributeType": "S"},
                {"AttributeName": "userId", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        self.cipher = ValueCipher(Keyrings(self.kms, self.kms.create_key()["KeyMetadata"]["Arn"]))
        self.policy = POLICY
        self.calls: Counter[str] = Counter()
        self._numbers = count()
        for client in (self.dynamodb, self.kms):
            client.meta.events.register("before-send", self._note)
        self.reconciler = self.reconciling()

    def _note(self, event_name: str, **_: Any) -> None:
        self.calls[event_name.rpartition(".")[2]] += 1

    def reconciling(self, current: Callable[[Policy], Policy] = lambda policy: policy) -> Reconciler:
        sleep: Callable[[float], None] = lambda _: None  # noqa: E731
        table = Table(self.dynamodb, TABLE, sleep)
        return Reconciler(table, self.cipher, current=current, batch=Batch(self.dynamodb, TABLE, sleep))

    def stored(self, key: Any) -> Any:
        return self.plain.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item")

    def put(self, key: Any, **attributes: Any) -> None:
        self.plain.put_item(TableName=TABLE, Item={**key, **attributes})

    def items(self, many: int, **attributes: Any) -> list[Any]:
        """Put items in plaintext; return their keys."""
        numbers = [next(self._numbers) for _ in range(many)]
        keys = [{"sessionId": {"S": f"dlg-{number}"}, "userId": {"S": f"user-{number}"}} for number in numbers]
        for key in keys:
            self.put(key, **(attributes or {"history": PLAIN}))
        return keys

    def reconcile(self, keys: list[Any], role: Role = Role.ENCRYPTOR, **options: Any) -> list[Outcome]:
        self.calls.clear()
        outcomes = self.reconciler.reconcile(keys, self.policy, role, **options)
        return [outcomes[key_id(key)] for key in keys]

    def check_encrypted(self, keys: list[Any], history: Any = PLAIN) -> None:
        for key in keys:
            item = self.stored(key)
            assert "history" not in item
            assert ItemCipher(self.cipher, self.policy).decrypt_item(item)["history"] == history


@pytest.fixture
def together(database: None) -> Together:
    return Together()


def statuses(outcomes: list[Outcome]) -> Counter[Status]:
    return Counter(outcome.status for outcome in outcomes)


def answering(together: Together, code: str, moment: str) -> AbstractContextManager[None]:
    """Have every statement told as failed with ``code``: before it is executed, or after it was."""

    def answer(many: int) -> dict[str, Any]:
        one = {"Error": {"Code": code, "Message": "not this time"}, "TableName": TABLE}
        return {"Responses": [one] * many, "ResponseMetadata": {"HTTPStatusCode": 200}}

    def before(params: Any, **_: Any) -> Any:
        many = params["body"].count(b'"Statement":')
        return AWSResponse("", 200, HTTPHeaders(), None), answer(many)

    def after(parsed: Any, **_: Any) -> None:
        parsed |= answer(len(parsed["Responses"]))

    events, (event, handler) = (
        together.dynamodb.meta.events,
        {
            "before": (f"before-call.{TOGETHER}", before),
            "after": (f"after-call.{TOGETHER}", after),
        }[moment],
    )
    events.register(event, handler)
    stack = ExitStack()
    stack.callback(events.unregister, event, handler)
    return stack  # type: ignore[return-value]


# All is well


def test_many_items_then_they_are_written_in_as_few_requests_as_possible(together: Together) -> None:
    keys = together.items(2 * MOST + 3)

    outcomes = together.reconcile(keys)

    assert statuses(outcomes) == {Status.ENCRYPTED: len(keys)}
    assert together.calls["BatchExecuteStatement"] == 3
    assert together.calls["UpdateItem"] == 0
    assert together.calls["GenerateDataKey"] == len(keys)
    together.check_encrypted(keys)


def test_one_item_then_it_is_an_update(together: Together) -> None:
    keys = together.items(1)
    assert statuses(together.reconcile(keys)) == {Status.ENCRYPTED: 1}
    assert (together.calls["BatchExecuteStatement"], together.calls["UpdateItem"]) == (0, 1)


def test_one_key_many_times_then_it_is_written_once(together: Together) -> None:
    keys = together.items(2)
    assert statuses(together.reconcile(keys * 20)) == {Status.ENCRYPTED: 40}
    assert (together.calls["BatchExecuteStatement"], together.calls["GenerateDataKey"]) == (1, 2)
    together.check_encrypted(keys)


def test_items_of_all_kinds_then_each_has_its_own_outcome(together: Together) -> None:
    keys = together.items(6)
    together.plain.delete_item(TableName=TABLE, Key=keys[1])
    together.put(keys[2], encrypted_history={"S": "%%%"}, history=PLAIN)
    together.put(keys[3], name={"S": "nothing to encrypt"})
    together.put(keys[4], history={"B": b"\0" * 399_000})  # Compresses.

    outcomes = together.reconcile(keys)

    assert [outcome.status for outcome in outcomes] == [
        Status.ENCRYPTED,
        Status.NOTHING,
        Status.FAILED,
        Status.NOTHING,
        Status.ENCRYPTED,
        Status.ENCRYPTED,
    ]
    assert together.stored(keys[2])["history"] == PLAIN
    together.check_encrypted([keys[0], keys[5]])


def test_large_items_then_no_request_is_over_the_limit(together: Together) -> None:
    bodies: list[int] = []
    together.dynamodb.meta.events.register(
        f"before-send.{TOGETHER}", lambda request, **_: bodies.append(len(request.body))
    )
    keys = together.items(30, history={"S": "\u0001é" * 100_000})  # Three times as large in a request.

    assert statuses(together.reconcile(keys)) == {Status.ENCRYPTED: 30}

    assert len(bodies) > 30 * 1_200_000 / MOST_BYTES
    assert max(bodies) <= MOST_BYTES + 100
    together.check_encrypted(keys, {"S": "\u0001é" * 100_000})


def test_statement_that_would_be_too_long_then_it_is_an_update_and_the_others_are_not(together: Together) -> None:
    names = tuple(f"{number:02}{'n' * 200}" for number in range(15))
    together.policy = replace(POLICY, attributes=("history", *names))
    keys = together.items(3)
    assert statuses(together.reconcile(keys)) == {Status.ENCRYPTED: 3}
    assert together.calls["BatchExecuteStatement"] == 1

    together.put(keys[1], history=PLAIN, **dict.fromkeys(names, PLAIN))
    together.put(keys[0], history=NEWER)
    together.put(keys[2], history=NEWER)
    assert statuses(together.reconcile(keys)) == {Status.ENCRYPTED: 3}
    assert (together.calls["BatchExecuteStatement"], together.calls["UpdateItem"]) == (1, 1)


# Somebody writes in between


Write = Callable[[Together, Any], Any]


def newer(together: Together, key: Any) -> Any:
    together.put(key, history=NEWER)
    return together.stored(key)


def as_lisa(together: Together, key: Any) -> Any:
    """Set the ciphertext and leave the plaintext, as a writer of the old form does."""
    together.plain.update_item(
        TableName=TABLE,
        Key=key,
        UpdateExpression="SET encrypted_history = :c, is_encrypted = :t",
        ExpressionAttributeValues={":c": {"S": "of LISA's"}, ":t": {"BOOL": True}},
    )
    return together.stored(key)


def deleted(together: Together, key: Any) -> None:
    together.plain.delete_item(TableName=TABLE, Key=key)


def writing(write: Write, together: Together, key: Any, theirs: list[Any]) -> Callable[[], None]:
    """Return what writes an item and notes how it stands then."""
    return lambda: theirs.append(write(together, key))


WRITES: Final = [newer, as_lisa, deleted]


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__)
def test_write_between_read_and_request_at_each_place_then_it_stands_and_all_others_are_made(
    together: Together, write: Write
) -> None:
    for place in range(MOST):
        keys = together.items(MOST)
        theirs: list[Any] = []
        with interrupting(together.dynamodb, TOGETHER, writing(write, together, keys[place], theirs)):
            outcomes = together.reconcile(keys)

        assert together.calls["BatchExecuteStatement"] == 1
        assert outcomes[place].status is Status.SUPERSEDED
        assert together.stored(keys[place]) == theirs[0]
        del keys[place]
        assert statuses(outcomes) == {Status.ENCRYPTED: MOST - 1, Status.SUPERSEDED: 1}
        together.check_encrypted(keys)


def test_sweep_that_decrypts_when_somebody_writes_then_nothing_else_follows_and_the_outcome_says_so(
    together: Together,
) -> None:
    keys = together.items(3)
    together.reconcile(keys)
    together.policy = replace(POLICY, enabled=False, decrypt_all=True)

    with interrupting(together.dynamodb, TOGETHER, lambda: together.put(keys[1], history=NEWER)):
        outcomes = together.reconcile(keys, Role.MIGRATOR)

    assert [(outcome.status, outcome.unfollowed) for outcome in outcomes] == [
        (Status.DECRYPTED, False),
        (Status.SUPERSEDED, True),
        (Status.DECRYPTED, False),
    ]
    assert together.stored(keys[1])["history"] == NEWER


# An answer is lost


def test_answer_lost_before_the_effect_then_each_is_made_by_itself_once_it_was_looked_at(together: Together) -> None:
    keys = together.items(MOST)
    with failing(together.dynamodb, TOGETHER, LOST):
        outcomes = together.reconcile(keys)

    assert statuses(outcomes) == {Status.ENCRYPTED: MOST}
    assert (together.calls["BatchGetItem"], together.calls["UpdateItem"]) == (2, MOST)
    assert together.calls["GenerateDataKey"] == MOST, "the changes are planned once"
    together.check_encrypted(keys)


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param(lambda t: failing(t.dynamodb, TOGETHER, LOST, moment="after"), id="time-out"),
        pytest.param(
            lambda t: failing(t.dynamodb, TOGETHER, "InternalServerError", status=500, moment="after"), id="5xx"
        ),
        pytest.param(lambda t: answering(t, "InternalServerError", "after"), id="of each statement"),
    ],
)
def test_answer_lost_after_the_effect_then_it_is_found_and_nothing_is_written_again(
    together: Together, lost: Callable[[Together], AbstractContextManager[None]]
) -> None:
    keys = together.items(MOST)
    with lost(together):
        outcomes = together.reconcile(keys)

    assert statuses(outcomes) == {Status.ENCRYPTED: MOST}
    assert (together.calls["BatchExecuteStatement"], together.calls["UpdateItem"]) == (1, 0)
    together.check_encrypted(keys)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__)
def test_answer_lost_and_somebody_writes_then_that_stands(together: Together, write: Write, moment: Any) -> None:
    for place in (0, 7, MOST - 1):
        keys = together.items(MOST)
        theirs: list[Any] = []
        look = Looks(together, 2, writing(write, together, keys[place], theirs))
        with look, failing(together.dynamodb, TOGETHER, LOST, moment=moment):
            outcomes = together.reconcile(keys)

        assert together.stored(keys[place]) == theirs[0]
        # What LISA adds to our own ciphertext's place replaces it; whichever way, the newest write is theirs.
        assert outcomes[place].status is Status.SUPERSEDED
        assert statuses(outcomes) == {Status.ENCRYPTED: MOST - 1, Status.SUPERSEDED: 1}


class Looks:
    """Does something before the n-th BatchGetItem: the first reads the items, the second looks what stands there."""

    def __init__(self, together: Together, number: int, action: Callable[[], object]) -> None:
        self._events = together.dynamodb.meta.events
        self._left = number
        self._action = action

    def __enter__(self) -> None:
        self._events.register("before-call.dynamodb.BatchGetItem", self._meet)

    def __exit__(self, *_: object) -> None:
        self._events.unregister("before-call.dynamodb.BatchGetItem", self._meet)

    def _meet(self, **_: Any) -> None:
        self._left -= 1
        if self._left == 0:
            self._action()


@pytest.mark.parametrize("write", [newer, deleted], ids=lambda write: write.__name__)
def test_nothing_stands_yet_and_somebody_writes_before_the_single_write_then_that_stands(
    together: Together, write: Write
) -> None:
    keys = together.items(5)
    theirs: list[Any] = []
    with (
        failing(together.dynamodb, TOGETHER, LOST),
        interrupting(together.dynamodb, ALONE, writing(write, together, keys[0], theirs)),
    ):
        outcomes = together.reconcile(keys)

    assert outcomes[0].status is Status.SUPERSEDED
    assert together.stored(keys[0]) == theirs[0]
    together.check_encrypted(keys[1:])


def test_request_arrives_after_it_was_looked_for_then_nothing_is_lost(together: Together) -> None:
    keys = together.items(3)
    late: list[Any] = []

    def keep(params: Any, **_: Any) -> None:
        late.append(params["Statements"])

    together.dynamodb.meta.events.register(f"provide-client-params.{TOGETHER}", keep)
    with (
        failing(together.dynamodb, TOGETHER, LOST),
        interrupting(together.dynamodb, ALONE, lambda: together.plain.batch_execute_statement(Statements=late[0])),
    ):
        outcomes = together.reconcile(keys)

    # Ours is the newer write that each single one meets: it has a trigger, too, which finds the work done.
    assert statuses(outcomes) == {Status.SUPERSEDED: 3}
    together.check_encrypted(keys)


def test_answer_lost_and_the_items_cannot_be_looked_at_then_they_are_tried_again_later(together: Together) -> None:
    keys = together.items(3)
    faults = ExitStack()

    def unreachable() -> None:
        faults.enter_context(failing(together.dynamodb, "dynamodb.BatchGetItem", "InternalServerError", status=500))

    with faults, interrupting(together.dynamodb, TOGETHER, unreachable), failing(together.dynamodb, TOGETHER, LOST):
        outcomes = together.reconcile(keys)

    assert statuses(outcomes) == {Status.RETRY: 3}
    assert together.calls["UpdateItem"] == 0


# DynamoDB refuses


@pytest.mark.parametrize(
    "code",
    [
        "ProvisionedThroughputExceeded",
        "ThrottlingError",
        "RequestLimitExceeded",
        "TransactionConflict",
        "ValidationError",
        "InternalServerError",
    ],
)
def test_statements_that_are_not_made_then_each_is_made_by_itself(together: Together, code: str) -> None:
    keys = together.items(4)
    with answering(together, code, "before"):
        outcomes = together.reconcile(keys)

    assert statuses(outcomes) == {Status.ENCRYPTED: 4}
    assert together.calls["UpdateItem"] == 4
    together.check_encrypted(keys)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("AccessDenied", Status.SYSTEMIC),
        ("ResourceNotFound", Status.SYSTEMIC),
        ("of a kind that nobody knows", Status.SYSTEMIC),
        ("ItemCollectionSizeLimitExceeded", Status.FAILED),
        ("ConditionalCheckFailed", Status.SUPERSEDED),
    ],
)
def test_statements_that_are_refused_then_that_is_the_outcome_and_no_other_way_is_tried(
    together: Together, code: str, status: Status
) -> None:
    keys = together.items(4)
    with answering(together, code, "before"):
        assert statuses(together.reconcile(keys)) == {status: 4}
    assert together.calls["UpdateItem"] == 0


@pytest.mark.parametrize(
    ("failure", "status", "requests"),
    [
        ("AccessDeniedException", Status.SYSTEMIC, 1),
        ("ThrottlingException", Status.RETRY, 3),
        (ConnectTimeoutError(endpoint_url="https://dynamodb"), Status.RETRY, 3),
    ],
)
def test_request_that_is_refused_then_no_other_way_is_tried(
    together: Together, failure: Any, status: Status, requests: int
) -> None:
    keys = together.items(4)
    sent: list[str] = []
    together.dynamodb.meta.events.register(f"before-parameter-build.{TOGETHER}", lambda **_: sent.append("sent"))
    with failing(together.dynamodb, TOGETHER, failure):
        assert statuses(together.reconcile(keys)) == {status: 4}
    assert (len(sent), together.calls["UpdateItem"]) == (requests, 0)


def test_an_item_that_dynamodb_refuses_then_only_that_one_fails(together: Together) -> None:
    keys = together.items(5)
    too_large = "a validation error about the size of the item"
    refused: dict[str, Any] = {"message": too_large, "when": lambda params: params["Key"] == keys[2]}
    with (
        failing(together.dynamodb, TOGETHER, "ValidationException", message=too_large),
        failing(together.dynamodb, ALONE, "ValidationException", **refused),
    ):
        outcomes = together.reconcile(keys)

    assert [outcome.status for outcome in outcomes].count(Status.ENCRYPTED) == 4
    assert (outcomes[2].status, outcomes[2].reason) == (Status.FAILED, "item-too-large")


# The setting, and time


def test_switched_off_while_items_wait_for_their_request_then_none_is_encrypted(together: Together) -> None:
    keys = together.items(MOST + 5)
    enabled = threading.Event()
    enabled.set()
    together.reconciler = together.reconciling(lambda policy: replace(policy, enabled=enabled.is_set()))
    planned = count(1)
    together.kms.meta.events.register(
        "before-call.kms.GenerateDataKey", lambda **_: enabled.clear() if next(planned) == 12 else None
    )

    outcomes = together.reconcile(keys)

    assert statuses(outcomes) == {Status.NOTHING: len(keys)}
    assert (together.calls["BatchExecuteStatement"], together.calls["UpdateItem"]) == (0, 0)
    assert all(together.stored(key)["history"] == PLAIN for key in keys)


def test_switched_off_after_an_answer_was_lost_then_nothing_is_written_by_the_old_setting(together: Together) -> None:
    keys = together.items(4)
    enabled = threading.Event()
    enabled.set()
    together.reconciler = together.reconciling(lambda policy: replace(policy, enabled=enabled.is_set()))
    with failing(together.dynamodb, TOGETHER, LOST), Looks(together, 2, enabled.clear):
        outcomes = together.reconcile(keys)

    assert statuses(outcomes) == {Status.NOTHING: 4}
    assert together.calls["UpdateItem"] == 0


def test_time_is_used_up_then_what_was_begun_is_written_and_the_rest_is_tried_again(together: Together) -> None:
    keys = together.items(20)
    asked = count()

    outcomes = together.reconcile(keys, seconds_left=lambda: 10.0 if next(asked) < 12 else 0.0)

    assert statuses(outcomes) == {Status.ENCRYPTED: 12, Status.RETRY: 8}
    assert {outcome.reason for outcome in outcomes if outcome.status is Status.RETRY} == {"out-of-time"}


def test_time_is_used_up_when_an_answer_is_lost_then_nothing_more_is_begun(together: Together) -> None:
    keys = together.items(3)
    over = threading.Event()
    with interrupting(together.dynamodb, TOGETHER, over.set), failing(together.dynamodb, TOGETHER, LOST):
        outcomes = together.reconcile(keys, seconds_left=lambda: 0.0 if over.is_set() else 10.0)

    assert statuses(outcomes) == {Status.RETRY: 3}
    assert (together.calls["BatchGetItem"], together.calls["UpdateItem"]) == (1, 0)


def test_while_a_request_is_under_way_then_the_next_items_are_planned(together: Together) -> None:
    keys = together.items(2 * MOST)
    planned, all_planned = count(1), threading.Event()
    together.kms.meta.events.register(
        "before-call.kms.GenerateDataKey", lambda **_: all_planned.set() if next(planned) == 2 * MOST else None
    )
    waited: list[bool] = []
    with interrupting(together.dynamodb, TOGETHER, lambda: waited.append(all_planned.wait(60)), times=ALWAYS):
        outcomes = together.reconcile(keys)

    assert waited[0], "the first request waits for items that are planned only after it"
    assert statuses(outcomes) == {Status.ENCRYPTED: 2 * MOST}


def test_while_items_are_planned_then_the_next_are_read(together: Together) -> None:
    keys = together.items(60)
    reads, read_again = count(1), threading.Event()
    together.dynamodb.meta.events.register(
        "before-call.dynamodb.BatchGetItem", lambda **_: read_again.set() if next(reads) == 2 else None
    )
    waited: list[bool] = []
    together.kms.meta.events.register("before-call.kms.GenerateDataKey", lambda **_: waited.append(read_again.wait(60)))

    assert statuses(together.reconcile(keys)) == {Status.ENCRYPTED: 60}
    assert all(waited), "the first items wait for a read that begins only after them"


def test_a_surprise_in_a_request_then_its_items_fail_and_no_others(together: Together) -> None:
    keys = together.items(2 * MOST)
    with failing(together.dynamodb, TOGETHER, RuntimeError("of nobody's"), times=1):
        outcomes = together.reconcile(keys)

    assert statuses(outcomes) == {Status.ENCRYPTED: MOST, Status.FAILED: MOST}
    assert {outcome.reason for outcome in outcomes if outcome.status is Status.FAILED} == {
        next(outcome.reason for outcome in outcomes if outcome.reason.startswith("unexpected-RuntimeError"))
    }
