"""The runtime switch: reading, its cache, changing, history."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError

from encryptor_runtime.switch import Switch, SwitchState, VersionConflict
from item_crypto.core.part import Buckets, ListedKeys, Part
from item_crypto.errors import SystemicError, TransientError
from tests.faults import ALWAYS, failing, interrupting
from tests.scene import CLIENT, one_request_at_a_time
from tests.tables import create_table

TABLE = "control"
LIFETIME = 5.0
CURRENT = {"id": {"S": "setting"}, "part": {"S": "current"}}


class Control:
    """A control table on moto, a clock, and what the switch asks of DynamoDB."""

    def __init__(self) -> None:
        self.other = boto3.client("dynamodb", **CLIENT)  # the client of everybody else
        self.dynamodb = boto3.client("dynamodb", **CLIENT)
        one_request_at_a_time(self.dynamodb, self.other)
        create_table(self.other, TABLE, "id", "part")
        self.now = 1000.0
        self.calls: list[str] = []
        self.dynamodb.meta.events.register("before-call", lambda model, **_: self.calls.append(model.name))

    def switch(self, enabled: bool = True, mine: bool = True) -> Switch:
        client = self.dynamodb if mine else self.other
        return Switch(client, TABLE, enabled, LIFETIME, clock=lambda: self.now)

    def rows(self) -> dict[str, Any]:
        items = self.other.scan(TableName=TABLE, ConsistentRead=True)["Items"]
        return {item["part"]["S"]: item for item in items}


@pytest.fixture
def control(aws: None) -> Control:
    return Control()


# Reading


@pytest.mark.parametrize("enabled", [True, False])
def test_given_no_change_yet_when_read_then_the_environments_value_holds_as_version_0(
    control: Control, enabled: bool
) -> None:
    assert control.switch(enabled).read() == SwitchState(enabled, 0, None, None)


def test_given_a_change_when_read_then_it_holds_and_the_environments_value_no_longer_does(control: Control) -> None:
    made = control.switch(mine=False).change(False, "alice", 0)

    assert control.switch(enabled=True).read() == made
    assert (made.enabled, made.version, made.changed_by) == (False, 1, "alice")
    assert made.changed_at is not None
    assert timedelta(0) <= datetime.now(UTC) - made.changed_at < timedelta(minutes=1)


def test_given_the_setting_when_read_then_the_read_is_consistent(control: Control) -> None:
    asked: list[Any] = []
    control.dynamodb.meta.events.register(
        "provide-client-params.dynamodb.GetItem", lambda params, **_: asked.append(params["ConsistentRead"])
    )
    control.switch().read()

    assert asked == [True]


@pytest.mark.parametrize("enabled", [True, False], ids=["default on", "default off"])
@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("ProvisionedThroughputExceededException", 400, TransientError),
        ("InternalServerError", 500, TransientError),
        ("AccessDeniedException", 400, SystemicError),
        ("ResourceNotFoundException", 400, SystemicError),
    ],
)
def test_given_a_table_that_does_not_answer_when_read_then_it_is_an_error_and_never_a_guess(
    control: Control, enabled: bool, code: str, status: int, error: type[Exception]
) -> None:
    switch = control.switch(enabled)

    for read in (switch.read, switch.read_now):
        with failing(control.dynamodb, "dynamodb.GetItem", code, status=status), pytest.raises(error):
            read()


def test_given_a_connection_that_breaks_when_read_then_the_error_is_transient(control: Control) -> None:
    hung = ReadTimeoutError(endpoint_url="https://dynamodb")

    with failing(control.dynamodb, "dynamodb.GetItem", hung), pytest.raises(TransientError):
        control.switch().read()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param({"enabled": {"S": "true"}}, id="enabled is text"),
        pytest.param({"enabled": {"NULL": True}}, id="enabled is null"),
        pytest.param({"enabled": None}, id="enabled is missing"),
        pytest.param({"version": {"S": "1"}}, id="version is text"),
        pytest.param({"version": None}, id="version is missing"),
        pytest.param({"version": {"N": "1.5"}}, id="version is a fraction"),
        pytest.param({"changedAt": None}, id="time is missing"),
        pytest.param({"changedAt": {"S": "yesterday"}}, id="time is none"),
    ],
)
def test_given_a_row_that_somebody_damaged_when_read_then_it_is_an_error_and_never_off(
    control: Control, damage: dict[str, Any]
) -> None:
    control.switch().change(True, "alice", 0)
    row = {name: value for name, value in (control.rows()["current"] | damage).items() if value is not None}
    control.other.put_item(TableName=TABLE, Item=row)

    with pytest.raises(SystemicError) as raised:
        control.switch(enabled=False).read()

    assert raised.value.code == "unreadable-setting"


# The cache


def test_given_a_reading_when_it_is_young_then_dynamodb_is_not_asked_again(control: Control) -> None:
    switch = control.switch()
    for _ in range(50):
        control.now += LIFETIME / 100
        switch.read()

    assert control.calls == ["GetItem"]


def test_given_a_change_of_somebody_else_when_a_lifetime_has_passed_then_it_holds(control: Control) -> None:
    switch = control.switch()
    assert switch.read().enabled is True
    control.switch(mine=False).change(False, "alice", 0)

    control.now += LIFETIME - 0.001
    assert switch.read().enabled is True
    control.now += 0.001
    assert switch.read().enabled is False


def test_given_an_answer_that_took_long_when_read_again_then_its_age_counts_from_the_request(control: Control) -> None:
    def wait() -> None:
        control.now += LIFETIME

    switch = control.switch()
    with interrupting(control.dynamodb, "dynamodb.GetItem", wait, times=ALWAYS):
        switch.read()
        switch.read()

    assert control.calls == ["GetItem", "GetItem"]


def test_given_dynamodb_is_gone_when_the_reading_is_too_old_then_it_is_an_error_until_dynamodb_is_back(
    control: Control,
) -> None:
    switch = control.switch()
    switch.read()

    with failing(control.dynamodb, "dynamodb.GetItem", "InternalServerError", status=500):
        control.now += LIFETIME - 0.001
        assert switch.read().enabled is True
        control.now += 0.001
        for _ in range(3):
            with pytest.raises(TransientError):
                switch.read()
    assert switch.read().enabled is True


def test_given_a_reading_when_read_now_then_dynamodb_is_asked(control: Control) -> None:
    switch = control.switch()
    switch.read()
    control.switch(mine=False).change(False, "alice", 0)

    assert switch.read_now().enabled is False


def test_given_many_threads_when_they_read_at_once_then_dynamodb_is_asked_once(control: Control) -> None:
    switch, together = control.switch(), threading.Barrier(8)

    def read(_: int) -> SwitchState:
        together.wait()
        return switch.read()

    with ThreadPoolExecutor(8) as pool:
        settings = set(pool.map(read, range(8)))

    assert settings == {SwitchState(True)}
    assert control.calls == ["GetItem"]


def test_given_a_reading_when_this_process_changes_the_setting_then_the_reading_is_dropped(control: Control) -> None:
    switch = control.switch()
    switch.read()
    made = switch.change(False, "alice", 0)

    assert switch.read() == made


# Changing


def test_given_changes_when_made_then_each_is_a_row_and_the_newest_the_current_one(control: Control) -> None:
    switch = control.switch()
    made = [switch.change(enabled, by, version) for version, (enabled, by) in enumerate([(False, "a"), (True, "b")])]

    rows = control.rows()
    assert rows.keys() == {"current", "v0000000001", "v0000000002"}
    assert {**rows["current"], "part": rows["v0000000002"]["part"]} == rows["v0000000002"]
    assert rows["v0000000001"] == {
        "id": {"S": "setting"},
        "part": {"S": "v0000000001"},
        "enabled": {"BOOL": False},
        "version": {"N": "1"},
        "changedBy": {"S": "a"},
        "changedAt": {"S": made[0].changed_at.isoformat() if made[0].changed_at else ""},
    }
    assert switch.history() == [made[1], made[0]]
    assert switch.history(limit=1) == [made[1]]


def test_given_more_than_a_hundred_changes_when_asked_for_history_then_the_newest_hundred_are_told(
    control: Control,
) -> None:
    switch = control.switch()
    switch.change(False, "a", 0)
    first = control.rows()["v0000000001"]
    for version in range(2, 103):
        later = {"part": {"S": f"v{version:010}"}, "version": {"N": str(version)}}
        control.other.put_item(TableName=TABLE, Item=first | later)

    assert [state.version for state in switch.history()] == list(range(102, 2, -1))


def test_given_no_change_yet_when_asked_for_history_then_there_is_none(control: Control) -> None:
    assert control.switch().history() == []


@pytest.mark.parametrize("expected", [0, 1, 3], ids=["before the first change", "one behind", "one ahead"])
def test_given_another_version_when_changed_then_it_is_a_conflict_and_nothing_changes(
    control: Control, expected: int
) -> None:
    switch = control.switch()
    switch.change(False, "alice", 0)
    current = switch.change(True, "alice", 1)
    before = control.rows()

    with pytest.raises(VersionConflict) as conflict:
        switch.change(False, "bob", expected)

    assert conflict.value.current == current
    assert control.rows() == before


def test_given_no_change_yet_when_changed_from_a_later_version_then_it_is_a_conflict(control: Control) -> None:
    with pytest.raises(VersionConflict) as conflict:
        control.switch().change(False, "alice", 1)

    assert conflict.value.current == SwitchState(True)
    assert control.rows() == {}


@pytest.mark.parametrize("start", [0, 1], ids=["first change", "later change"])
def test_given_changes_at_once_from_one_version_when_made_then_one_wins(control: Control, start: int) -> None:
    if start:
        control.switch().change(True, "before", 0)
    together = threading.Barrier(6)

    def change(number: int) -> SwitchState | VersionConflict:
        switch = control.switch(mine=number % 2 == 0)
        together.wait()
        try:
            return switch.change(bool(number % 2), f"user-{number}", start)
        except VersionConflict as conflict:
            return conflict

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(change, range(6)))

    (winner,) = [result for result in results if isinstance(result, SwitchState)]
    assert control.switch().read() == winner
    assert {result.current for result in results if isinstance(result, VersionConflict)} == {winner}
    assert control.switch().history()[0] == winner
    assert len(control.switch().history()) == start + 1


@pytest.mark.parametrize("reason", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_given_a_transaction_that_dynamodb_cancels_for_its_own_reasons_when_changed_then_it_is_no_version_conflict(
    control: Control, reason: str
) -> None:
    """The setting is still at the expected version: "somebody was first" would be untrue."""
    reasons = [{"Code": reason}, {"Code": "None"}]
    cancelled = "TransactionCanceledException"

    with (
        failing(control.dynamodb, "dynamodb.TransactWriteItems", cancelled, CancellationReasons=reasons),
        pytest.raises(TransientError),
    ):
        control.switch().change(False, "alice", 0)


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [("InternalServerError", 500, TransientError), ("AccessDeniedException", 400, SystemicError)],
)
def test_given_a_table_that_refuses_when_changed_then_it_is_an_error_and_nothing_changes(
    control: Control, code: str, status: int, error: type[Exception]
) -> None:
    with failing(control.dynamodb, "dynamodb.TransactWriteItems", code, status=status), pytest.raises(error):
        control.switch().change(False, "alice", 0)
    assert control.rows() == {}


# A part

BUCKETS: Any = {"M": {"buckets": {"N": "100"}, "of": {"N": "10000"}}}
KEY: Any = {"M": {"sessionId": {"S": "dlg-1"}, "raw": {"B": b"\xff"}}}


@pytest.mark.parametrize(
    "part",
    [Buckets(100), ListedKeys.of([{"sessionId": {"S": "dlg-1"}, "raw": {"B": b"\xff"}}, {"orderId": {"N": "1.70"}}])],
)
def test_given_a_part_when_changed_and_read_then_it_is_the_same_and_in_the_history(
    control: Control, part: Part
) -> None:
    made = control.switch(mine=False).change(True, "alice", 0, part)

    read = control.switch(False).read()

    assert (read, read.part, control.switch().history()) == (made, part, [made])
    assert control.switch(mine=False).change(False, "alice", 1, part).part is None
    assert control.switch().read().part is None


def test_given_a_part_when_stored_then_the_row_is_as_documented(control: Control) -> None:
    control.switch().change(True, "alice", 0, Buckets(100))
    control.switch().change(True, "alice", 1, ListedKeys.of([{"sessionId": {"S": "dlg-1"}}]))

    rows = control.rows()

    assert (rows["v0000000001"]["enabled"], rows["v0000000001"]["onlyFor"]) == ({"BOOL": True}, BUCKETS)
    assert rows["current"]["onlyFor"] == {"M": {"keys": {"L": [{"M": {"sessionId": {"S": "dlg-1"}}}]}}}


@pytest.mark.parametrize(
    "only_for",
    [
        {"NULL": True},
        {"S": "1%"},
        {"M": {}},
        {"M": {"buckets": {"N": "0"}, "of": {"N": "10000"}}},
        {"M": {"buckets": {"N": "10000"}, "of": {"N": "10000"}}},
        {"M": {"buckets": {"N": "1.5"}, "of": {"N": "10000"}}},
        {"M": {"buckets": {"S": "100"}, "of": {"N": "10000"}}},
        {"M": {"buckets": {"N": "100"}}},
        {"M": {"buckets": {"N": "100"}, "of": {"N": "1000"}}},
        {"M": {**BUCKETS["M"], "seed": {"S": "x"}}},
        {"M": {"keys": {"L": []}}},
        {"M": {"keys": {"L": [{"S": "dlg-1"}]}}},
        {"M": {"keys": {"L": [{"M": {}}]}}},
        {"M": {"keys": {"L": [{"M": {"a": {"BOOL": True}}}]}}},
        {"M": {"keys": {"L": [KEY]}, "buckets": {"N": "1"}}},
        {"M": {"keys": {"L": [{"M": {"a": {"S": str(number)}}} for number in range(101)]}}},
    ],
)
def test_given_an_unreadable_part_when_read_then_it_is_an_error_and_neither_on_nor_off(
    control: Control, only_for: Any
) -> None:
    control.switch().change(True, "alice", 0)
    row = control.rows()["current"]
    control.other.put_item(TableName=TABLE, Item={**row, "onlyFor": only_for})

    with pytest.raises(SystemicError, match="unreadable-setting"):
        control.switch().read()


def test_given_a_part_beside_off_when_read_then_it_is_an_error(control: Control) -> None:
    control.switch().change(False, "alice", 0)
    row = control.rows()["current"]
    control.other.put_item(TableName=TABLE, Item={**row, "onlyFor": BUCKETS})

    with pytest.raises(SystemicError, match="unreadable-setting"):
        control.switch().read()


def test_given_as_many_keys_as_can_be_when_stored_then_row_and_history_are_read(control: Control) -> None:
    switch = control.switch()
    keys = [{"sessionId": {"S": f"{number:04}" + "x" * 300}} for number in range(100)]
    for version in range(40):  # More than a page of DynamoDB's.
        switch.change(True, "alice", version, ListedKeys.of(keys[: 60 + version]))

    assert switch.read_now().version == 40
    assert [setting.version for setting in switch.history(100)] == list(range(40, 0, -1))
