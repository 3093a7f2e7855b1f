"""What the migrator decides by itself: time that is left, what a goal asks for, what a range of the stream holds."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from encryptor_runtime.messages import Aim, Goal
from item_crypto import SystemicError, TransientError, UnsupportedValue
from item_crypto.core.key import key_id
from migrator.budget import budget
from migrator.policy import forbids, policy_for, still_allows
from migrator.stream_range import Trimmed, keys_in_range
from tests.scene import POLICY

MOMENT = datetime(2026, 1, 2, tzinfo=UTC)


# Time


@pytest.mark.parametrize(
    ("left", "now", "expected"),
    [(300, 300, 255), (300, 45, 0), (90, 90, 45), (89, 89, 44.5), (10, 10, 5), (10, 5, 0)],
)
def test_budget_when_time_is_short_then_half_of_it_is_kept_back(left: float, now: float, expected: float) -> None:
    seconds = left
    seconds_for_items = budget(lambda: seconds, 45)

    seconds = now

    assert seconds_for_items() == expected


# Goals


@pytest.mark.parametrize(
    ("goal", "enabled", "is_forbidden"),
    [
        (Goal.ENCRYPT, True, False),
        (Goal.ENCRYPT, False, True),
        (Goal.REENCRYPT, True, False),
        (Goal.REENCRYPT, False, True),
        (Goal.DECRYPT, True, True),
        (Goal.DECRYPT, False, False),
        (Goal.VERIFY, True, False),
        (Goal.VERIFY, False, False),
    ],
)
def test_goal_when_the_setting_is_read_then_it_is_forbidden_or_not(
    goal: Goal, enabled: bool, is_forbidden: bool
) -> None:
    assert forbids(goal, enabled) is is_forbidden
    assert still_allows(goal, 2, 2, enabled) is not is_forbidden
    assert still_allows(goal, 2, 3, enabled) is (goal is Goal.VERIFY)


@pytest.mark.parametrize("enabled", [True, False])
def test_goal_when_it_is_made_a_policy_then_it_asks_for_no_more_than_it_says(enabled: bool) -> None:
    policy = POLICY.__class__(**{**vars(POLICY), "enabled": enabled})

    decrypting = policy_for(Aim(Goal.DECRYPT, None), policy)
    renewing = policy_for(Aim(Goal.REENCRYPT, MOMENT), policy)

    assert (decrypting.decrypt_all, decrypting.renew_before) == (not enabled, None)
    assert (renewing.decrypt_all, renewing.renew_before) == (False, MOMENT)
    assert [policy_for(aim, policy) for aim in (None, Aim(Goal.ENCRYPT, None), Aim(Goal.VERIFY, None))] == [policy] * 3


# A range of the stream


def key(number: int) -> dict[str, Any]:
    return {"sessionId": {"S": f"s{number}"}, "userId": {"S": "u"}}


def record(number: int) -> dict[str, Any]:
    return {"dynamodb": {"SequenceNumber": str(number), "Keys": key(number)}}


class Streams:
    """A stream of pages; ``endless`` ones never close."""

    def __init__(self, *pages: list[int], endless: bool = False, code: str | None = None) -> None:
        self._pages = pages
        self._endless = endless
        self._code = code
        self.asked: list[Mapping[str, Any]] = []
        self.read = 0

    def get_shard_iterator(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append(arguments)
        if self._code is not None:
            raise ClientError({"Error": {"Code": self._code, "Message": ""}}, "GetShardIterator")
        return {"ShardIterator": "0"}

    def get_records(self, ShardIterator: str) -> dict[str, Any]:  # noqa: N803
        self.read += 1
        number = int(ShardIterator)
        page = self._pages[number] if number < len(self._pages) else []
        following = {"NextShardIterator": str(number + 1)} if self._endless or number + 1 < len(self._pages) else {}
        return {"Records": list(map(record, page)), **following}


def batch(first: str = "10", last: str = "20") -> dict[str, Any]:
    return {"shardId": "shard", "startSequenceNumber": first, "endSequenceNumber": last}


def in_range(streams: Streams, **members: str) -> list[int]:
    found = keys_in_range(streams, "arn", {**batch(), **members})  # type: ignore[arg-type]
    assert all(found[key_id(each)] == each for each in found.values())
    return [int(each["sessionId"]["S"][1:]) for each in found.values()]


def test_range_when_read_then_from_its_first_record_to_its_last() -> None:
    streams = Streams([10, 12], [20, 21], [30], endless=True)

    assert in_range(streams) == [10, 12, 20]
    assert streams.asked == [
        {
            "StreamArn": "arn",
            "ShardId": "shard",
            "ShardIteratorType": "AT_SEQUENCE_NUMBER",
            "SequenceNumber": "10",
        }
    ]
    assert streams.read == 2


def test_range_when_its_last_record_is_gone_but_others_are_there_then_they_are_taken() -> None:
    assert in_range(Streams([10, 12, 21])) == [10, 12]


@pytest.mark.parametrize("pages", [([21],), ([], [21]), ([10, 12],), ([],)], ids=str)
def test_range_when_it_is_not_shown_up_to_its_end_then_it_is_trimmed(pages: Any) -> None:
    with pytest.raises(Trimmed):
        in_range(Streams(*pages))


def test_range_when_what_comes_is_past_its_end_then_nothing_more_is_read() -> None:
    streams = Streams([21], [22], [23], endless=True)
    with pytest.raises(Trimmed):
        in_range(streams)
    assert streams.read == 1


@pytest.mark.parametrize(("empty", "is_read"), [(99, True), (100, False)])
def test_range_when_pages_are_empty_then_99_of_them_are_no_sign_of_its_end(empty: int, is_read: bool) -> None:
    streams = Streams(*[[]] * empty, [10], *[[]] * empty, [20], endless=True)

    if is_read:
        assert in_range(streams) == [10, 20]
    else:
        with pytest.raises(Trimmed):
            in_range(streams)
        assert streams.read == 100


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("TrimmedDataAccessException", Trimmed),
        ("ResourceNotFoundException", Trimmed),
        ("ExpiredIteratorException", Trimmed),
        ("AccessDeniedException", SystemicError),
        ("InternalServerError", TransientError),
    ],
)
def test_range_when_the_stream_refuses_then_only_what_is_gone_is_trimmed(code: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        in_range(Streams([10, 20], code=code))


@pytest.mark.parametrize(
    "members",
    [
        {"shardId": ""},
        {"startSequenceNumber": ""},
        {"startSequenceNumber": "x"},
        {"endSequenceNumber": "9" * 41},
        {"endSequenceNumber": "١"},
        {"endSequenceNumber": None},
    ],
    ids=str,
)
def test_range_when_it_is_none_then_it_is_refused(members: Any) -> None:
    with pytest.raises(UnsupportedValue):
        in_range(Streams([10, 20]), **members)
