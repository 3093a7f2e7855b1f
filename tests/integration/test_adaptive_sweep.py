"""A sweep beside live writers over a table that throttles: on moto, with refusals as they come over the wire."""

import json
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from migrator import sweep
from migrator.adaptive_rate import START
from tests.faults import interrupting
from tests.migration import CONTROL, TABLE, Migration

_HARMLESS: Final = {"DynamoDB_20120810": "ListTables", "TrentService": "ListKeys"}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts of boto3's follow one another without its pauses, of which nothing here tells."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))


class Throttling:
    """Answers requests of the migrator in the service's place, each attempt by itself.

    Attributes:
        refused: how many attempts were.
    """

    def __init__(self, client: Any, operation: str, code: str, picks: Callable[[int], bool]) -> None:
        self.refused = 0
        self._code, self._picks, self._seen, self._lock = code, picks, 0, threading.Lock()
        client.meta.events.register_first(f"before-send.{operation}", self._answer)

    def _answer(self, request: Any, **_: Any) -> AWSResponse | None:
        body = json.loads(request.body)
        with self._lock:
            if body.get("TableName", TABLE) != TABLE or "TransactItems" in body:
                return None
            self._seen += 1
            if not self._picks(self._seen):
                return None
            self.refused += 1
        # moto answers beside this one, which is the answer that counts: it is asked for something harmless.
        target = request.headers["X-Amz-Target"].decode().partition(".")[0]
        request.headers["X-Amz-Target"] = f"{target}.{_HARMLESS[target]}"
        request.body = b"{}"
        text = json.dumps({"__type": f"com.amazonaws#{self._code}", "message": "slow down"}).encode()
        answer = AWSResponse(request.url, 400, HTTPHeaders(), None)  # type: ignore[arg-type]
        answer._content = text  # What a response has read already, as botocore's own stubs do it.
        return answer


def pace(world: Migration, sweep_id: str, segment: int = 0) -> dict[str, Any]:
    """Return what is stored of a segment's pace."""
    key = {"id": {"S": f"sweep#{sweep_id}"}, "part": {"S": f"segment#{segment:04}"}}
    return dict(world.dynamodb.get_item(TableName=CONTROL, Key=key)["Item"])


THROTTLED: Final = "ProvisionedThroughputExceededException"


@pytest.mark.parametrize(
    ("service", "operation", "code", "reason"),
    [
        ("dynamodb", "dynamodb.UpdateItem", THROTTLED, "table-throttled"),
        ("dynamodb", "dynamodb.Scan", "ThrottlingException", "table-throttled"),
        ("dynamodb", "dynamodb.UpdateItem", "RequestLimitExceeded", "table-throttled"),
        ("kms", "kms.GenerateDataKey", "ThrottlingException", "kms-throttled"),
    ],
)
def test_given_one_attempt_is_throttled_when_boto3_hides_it_then_the_sweep_is_half_as_fast_all_the_same(
    world: Migration, service: str, operation: str, code: str, reason: str
) -> None:
    for number in range(110):
        world.plain(f"s{number}", number)
    sweep_id = world.start("encrypt", segments=1)
    throttling = Throttling(getattr(world.clients, service), operation, code, lambda seen: seen == 1)

    assert world.deliver(world.work, sweep.handle, 10) == 1

    shown = world.sweep(sweep_id)
    assert throttling.refused == 1
    assert (shown["scanned"], shown["counts"]) == (100, {"encrypted": 100})
    assert (shown["limitedBy"], shown["segmentsDetail"][0]["limitedBy"]) == (reason, reason)
    assert float(pace(world, sweep_id)["pace"]["S"]) == START / 2
    world.pump()
    assert world.sweep(sweep_id)["counts"] == {"encrypted": 110}


def test_given_a_page_that_cannot_be_read_for_throttles_when_redone_then_it_begins_more_slowly(
    world: Migration,
) -> None:
    for number in range(110):
        world.plain(f"s{number}", number)
    sweep_id = world.start("encrypt", segments=1)
    throttling = Throttling(world.clients.dynamodb, "dynamodb.Scan", THROTTLED, lambda seen: seen <= 18)

    world.pump()
    assert throttling.refused == 18  # Six times three attempts of boto3's.
    assert world.sweep(sweep_id)["scanned"] == 0
    assert float(pace(world, sweep_id)["pace"]["S"]) == START / 2
    world.command("resume", sweep=sweep_id)  # Its message comes again after ten seconds.
    world.pump()

    done = world.sweep(sweep_id)
    assert (done["state"], done["counts"]) == ("done", {"encrypted": 110})


def test_given_throttles_all_along_and_writers_at_the_worst_moment_when_swept_then_it_ends_and_no_write_is_lost(
    world: Migration,
) -> None:
    """A writer appends to a session right before the migrator's write of it, again and again."""
    for number in range(120):
        world.plain(f"s{number}", number)
    sweep_id = world.start("encrypt", segments=2)
    throttling = Throttling(world.clients.dynamodb, "dynamodb.UpdateItem", THROTTLED, lambda seen: seen % 5 == 0)
    written: dict[str, int] = {}
    numbers = iter(range(1000, 100_000))
    lock = threading.Lock()

    def write() -> None:
        with lock:
            number = next(numbers)
            session = f"s{number % 120}"
            world.plain(session, number)
            written[session] = number

    of_the_table = {"when": lambda parameters: parameters["TableName"] == TABLE, "times": 60}
    with interrupting(world.clients.dynamodb, "dynamodb.UpdateItem", write, **of_the_table):
        world.pump()
    slow = pace(world, sweep_id)
    world.run("encrypt")  # What the stream's function does for the writes that came after the migrator.

    assert world.sweep(sweep_id)["state"] == "done"
    assert throttling.refused >= 20
    assert len(written) >= 50
    assert float(slow["pace"]["S"]) <= START / 2 / 4  # Cut again and again.
    for number in range(120):
        clear = world.clear(f"s{number}")
        assert clear["history"]["L"][0]["M"]["number"] == {"N": str(written.get(f"s{number}", number))}
        assert "history" not in world.get(f"s{number}")


@pytest.mark.parametrize("goal", ["encrypt", "verify"])
def test_given_a_provisioned_table_when_swept_then_it_takes_half_of_its_capacity(world: Migration, goal: str) -> None:
    world.provision(read=40, write=10)
    for number in range(30):
        world.plain(f"s{number}", number)
    sweep_id = world.start(goal, segments=1)

    assert world.deliver(world.work, sweep.handle, 10) == 1

    shown = world.sweep(sweep_id)
    # It begins as if each item took one unit of each kind; what a page took decides from then on.
    assert (shown["scanned"], shown["rateNow"]) == (5, 5.0)
    if goal == "encrypt":
        assert shown["limitedBy"] == "table-capacity"
        assert float(pace(world, sweep_id)["pace"]["S"]) == 10.0  # moto counts half a unit for an update.
    else:
        assert shown["limitedBy"] is None  # It writes nothing, and reads little.
    world.pump()
    assert world.sweep(sweep_id)["state"] == "done"


def test_given_a_stored_pace_when_another_worker_carries_the_segment_on_then_it_keeps_to_it(world: Migration) -> None:
    for number in range(200):
        world.plain(f"s{number}", number)
    sweep_id = world.start("encrypt", segments=1)
    Throttling(world.clients.dynamodb, "dynamodb.UpdateItem", THROTTLED, lambda seen: seen == 1)
    assert world.deliver(world.work, sweep.handle, 10) == 1

    world.set()  # Another process.
    assert world.deliver(world.work, sweep.handle, 10) == 1

    assert world.sweep(sweep_id)["scanned"] == 150
    assert pace(world, sweep_id)["throttledAt"] == {"S": str(START)}
