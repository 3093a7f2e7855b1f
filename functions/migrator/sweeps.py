"""The control table's rows of sweeps: how far each has come, kept so that a crash skips nothing and counts once.

::

    {"id": "sweep#20260102T083000-1f2e", "part": "summary",      goal, state, segments, segmentsDone, …}
    {"id": "sweep#20260102T083000-1f2e", "part": "segment#0003", state, cursor, pages, scanned, n_encrypted, pace, …}
    {"id": "sweeps",                     "part": "20260102T083000-1f2e"}   to list them by
    {"id": "lock",                       "part": "sweep", "sweep": …}      the one that runs
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from encryptor_runtime.messages import Goal
from evidence.basis import Basis
from item_crypto.core.codec import Item, from_json, to_json
from item_crypto.errors import TransientError
from item_crypto.service_errors import error_code, translated
from migrator.adaptive_rate import LimitedBy, Pace
from migrator.progress import Segment, State, Sweep

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SWEEPS: Final = "sweeps"
_SUMMARY: Final = "summary"
_SEGMENT: Final = "segment#"
_COUNT: Final = "n_"
_UNDER_KEY: Final = "k_"
LOOKED_AT: Final = 100
"""Sweeps among which those that run or are paused are looked for: weeks of schedules."""

_LOCK: Final[Item] = {"id": {"S": "lock"}, "part": {"S": "sweep"}}


class SweepRunning(Exception):
    """Another sweep runs."""


class _Refused(Exception):
    """A condition on a row failed."""


class Sweeps:
    """The control table's rows of sweeps.

    Every method raises TransientError or SystemicError where DynamoDB does not answer.

    Args:
        dynamodb: a boto3 DynamoDB client.
        control_table: the control table's name.
    """

    def __init__(self, dynamodb: "DynamoDBClient", control_table: str) -> None:
        self._dynamodb = dynamodb
        self._table = control_table

    def create(self, sweep: Sweep, force: bool) -> None:
        """Store a new sweep that runs.

        Raises:
            SweepRunning: another one does, and ``force`` is not given.
        """
        row = {**_key(sweep.id, _SUMMARY), **_row(sweep)}
        listed = {"id": {"S": _SWEEPS}, "part": {"S": sweep.id}}
        try:
            self._transact(
                {"Put": {"Item": {**_LOCK, "sweep": {"S": sweep.id}}, **({} if force else _UNLOCKED)}},
                {"Put": {"Item": row}},
                {"Put": {"Item": listed}},
            )
        except _Refused:
            raise SweepRunning from None

    def running(self) -> Sweep | None:
        """Return the sweep that holds the lock, or None."""
        holder = self._lock_holder()
        return None if holder is None else self.get(holder)

    def mark_queued(self, sweep: Sweep) -> None:
        """Note that a sweep's segments are queued, so that no start has to look after it."""
        update = {
            "Key": _key(sweep.id, _SUMMARY),
            "UpdateExpression": "SET queued = :true",
            "ExpressionAttributeValues": {":true": {"BOOL": True}},
        }
        self._transact({"Update": update})

    def get(self, sweep_id: str) -> Sweep | None:
        """Return a sweep, or None."""
        item = self._call("get_item", Key=_key(sweep_id, _SUMMARY), ConsistentRead=True).get("Item")
        return None if item is None else _sweep(item)

    def newest(self, limit: int = 20) -> list[Sweep]:
        """Return the newest sweeps, those that run or are paused first; of these also older ones."""
        answer = self._call(
            "query",
            KeyConditionExpression="id = :id",
            ExpressionAttributeValues={":id": {"S": _SWEEPS}},
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=LOOKED_AT,
        )
        sweeps = [sweep for row in answer["Items"] if (sweep := self.get(row["part"]["S"])) is not None]
        return sorted(sweeps, key=lambda sweep: sweep.state not in (State.RUNNING, State.PAUSED))[:limit]

    def segment(self, sweep_id: str, number: int) -> Segment:
        """Return how far a segment has come."""
        answer = self._call("get_item", Key=_key(sweep_id, _segment_part(number)), ConsistentRead=True)
        return _segment(number, answer.get("Item", {}))

    def begin(self, sweep_id: str, number: int, now: datetime) -> Segment:
        """Note that a worker takes up a segment; return how far it has come."""
        update = {
            "Key": _key(sweep_id, _segment_part(number)),
            "UpdateExpression": "SET begunAt = :now",
            "ExpressionAttributeValues": {":now": {"S": now.isoformat()}},
        }
        self._transact({"Update": update})
        return self.segment(sweep_id, number)

    def set_rate(self, sweep: Sweep, rate: float | None) -> bool:
        """Change the ceiling of a sweep; return False where it has ended.

        Workers read it between two pages. It is an attribute of its own, so that neither a page that is committed nor
        a change of the state takes it back, nor is taken back by it.

        Args:
            sweep: the sweep.
            rate: items a second at most, over all segments; None for no ceiling.
        """
        update = {
            "Key": _key(sweep.id, _SUMMARY),
            "UpdateExpression": "SET rate = :rate",
            "ConditionExpression": "#state IN (:running, :paused)",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":rate": {"NULL": True} if rate is None else {"S": str(rate)},
                ":running": {"S": State.RUNNING.value},
                ":paused": {"S": State.PAUSED.value},
            },
        }
        try:
            self._transact({"Update": update})
        except _Refused:
            return False
        return True

    def slow_down(self, sweep_id: str, segment: Segment, pace: Pace) -> None:
        """Store the pace of a segment whose page came to nothing, unless another worker has committed one."""
        names, values = _of_pace(pace)
        update = {
            "Key": _key(sweep_id, _segment_part(segment.number)),
            "UpdateExpression": "SET " + ", ".join(f"{name} = {value}" for name, value in names.items()),
            "ConditionExpression": "pages = :pages" if segment.pages else "attribute_not_exists(pages)",
            "ExpressionAttributeValues": {
                **values,
                **({":pages": {"N": str(segment.pages)}} if segment.pages else {}),
            },
        }
        with suppress(_Refused):
            self._transact({"Update": update})

    def segments(self, sweep: Sweep) -> list[Segment]:
        """Return all segments of a sweep."""
        found = {}
        for page in self._pages(sweep.id):
            for item in page:
                number = int(item["part"]["S"].removeprefix(_SEGMENT))
                found[number] = _segment(number, item)
        return [found.get(number, Segment(number)) for number in range(sweep.segments)]

    def _pages(self, sweep_id: str) -> Iterator[list[dict[str, Any]]]:
        start: dict[str, Any] = {}
        while True:
            answer = self._call(
                "query",
                KeyConditionExpression="id = :id AND begins_with(part, :segment)",
                ExpressionAttributeValues={":id": {"S": f"sweep#{sweep_id}"}, ":segment": {"S": _SEGMENT}},
                ConsistentRead=True,
                **start,
            )
            yield answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def commit(
        self,
        sweep: Sweep,
        segment: Segment,
        scanned: int,
        counts: Mapping[str, int],
        under_key: Mapping[str, int],
        cursor: Item | None,
        now: datetime,
        pace: Pace,
        speed: float,
    ) -> Segment | None:
        """Count a page of a segment and move its cursor, once; return the segment, or None where somebody else did.

        A page that was redone after a crash, or done by two workers at a time, is counted by whoever commits first::

            worker 1   read page 7 ───────────────── commit if pages = 7 ── counted, pages = 8
            worker 2        read page 7 ───────────────────────────────────── commit if pages = 7 ─ refused

        Args:
            sweep: the sweep.
            segment: the segment as it was read.
            scanned: how many items the page had.
            counts: what became of them.
            under_key: how many of them need each KMS key.
            cursor: the key after which to go on; None where the segment is done.
            now: the time, aware.
            pace: how fast the next page may be worked off.
            speed: items a second of this one.
        """
        numbers = {"scanned": scanned, **_prefixed(_COUNT, counts), **_prefixed(_UNDER_KEY, under_key)}
        names = {f"#{n}": name for n, name in enumerate(numbers)}
        values: dict[str, Any] = {f":{n}": {"N": str(number)} for n, number in enumerate(numbers.values())}
        pace_names, pace_values = _of_pace(pace)
        sets = ["pages = :next", "#state = :state", "committedAt = :now", "speed = :speed"]
        sets += [f"{name} = {value}" for name, value in pace_names.items()]
        values |= {":next": {"N": str(segment.pages + 1)}, ":state": {"S": "waiting" if cursor else "done"}}
        values |= {":now": {"S": now.isoformat()}, ":speed": {"S": str(speed)}, **pace_values}
        if cursor is not None:
            sets.append("#cursor = :cursor")
            values[":cursor"] = {"S": _cursor_text(cursor)}
        condition = "attribute_not_exists(pages)"
        if segment.pages:
            condition = "pages = :pages"
            values[":pages"] = {"N": str(segment.pages)}
        adds = ", ".join(f"#{n} :{n}" for n in range(len(numbers)))
        update = {
            "Key": _key(sweep.id, _segment_part(segment.number)),
            "UpdateExpression": f"SET {', '.join(sets)} ADD {adds}" + ("" if cursor else " REMOVE #cursor"),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {**names, "#state": "state", "#cursor": "cursor"},
            "ExpressionAttributeValues": values,
        }
        steps = [{"Update": update}]
        if cursor is None:
            steps.append(
                {
                    "Update": {
                        "Key": _key(sweep.id, _SUMMARY),
                        "UpdateExpression": "ADD segmentsDone :one",
                        "ExpressionAttributeValues": {":one": {"N": "1"}},
                    }
                }
            )
        try:
            self._transact(*steps)
        except _Refused:
            return None
        return self.segment(sweep.id, segment.number)

    def move(self, sweep: Sweep, state: State, now: datetime, reason: str | None = None) -> bool:
        """Bring a sweep into another state; return False where it was not in the state that was read.

        State and lock change in one transaction, so that no crash leaves a lock that nobody holds.

        Raises:
            SweepRunning: the sweep is to run, and another one does.
        """
        while True:
            holder = self._lock_holder()
            if state is State.RUNNING and holder not in (None, sweep.id):
                raise SweepRunning
            try:
                self._transact(_state_change(sweep, state, now, reason), *_lock_change(sweep.id, state, holder))
            except _Refused:
                # Either the sweep was moved, or the lock was: a forced sweep may have taken it over meanwhile.
                current = self.get(sweep.id)
                if current is None or current.state is not sweep.state:
                    return False
                if self._lock_holder() == holder:
                    raise TransientError("dynamodb", "TransactionCanceled") from None
            else:
                return True

    def _lock_holder(self) -> str | None:
        item = self._call("get_item", Key=_LOCK, ConsistentRead=True).get("Item")
        return None if item is None else str(item["sweep"]["S"])

    def finish(self, sweep_id: str, now: datetime) -> bool:
        """Mark a sweep as done if all its segments are; return whether it is.

        One that is paused as well: its last page was in hand, and nothing is left that a resume could carry on::

            worker     … work the last page off ── count it ── finish: done
            operator           pause ▲ here, or here ▲
        """
        while True:
            sweep = self.get(sweep_id)
            if sweep is None or sweep.segments_done < sweep.segments:
                return False
            if sweep.state not in (State.RUNNING, State.PAUSED):
                return sweep.state is State.DONE
            if self.move(sweep, State.DONE, now):
                return True

    def _transact(self, *steps: dict[str, Any]) -> None:
        named = [{kind: {"TableName": self._table, **step} for kind, step in part.items()} for part in steps]
        with translated("dynamodb"):
            try:
                self._dynamodb.transact_write_items(TransactItems=named)  # type: ignore[arg-type]
            except ClientError as error:
                if error_code(error) != "TransactionCanceledException":
                    raise
                reasons: Any = error.response.get("CancellationReasons", [])
                if any(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons):
                    raise _Refused from None
                # Another transaction on the same rows, or throttling.
                raise TransientError("dynamodb", "TransactionCanceled") from None

    def _call(self, operation: str, **arguments: Any) -> Mapping[str, Any]:
        with translated("dynamodb"):
            answer: Mapping[str, Any] = getattr(self._dynamodb, operation)(TableName=self._table, **arguments)
        return answer


_UNLOCKED: Final = {"ConditionExpression": "attribute_not_exists(id)"}


def _state_change(sweep: Sweep, state: State, now: datetime, reason: str | None) -> dict[str, Any]:
    values: dict[str, Any] = {":old": {"S": sweep.state.value}, ":new": {"S": state.value}}
    sets = ["#state = :new"]
    if state is State.RUNNING:
        sets += ["queued = :false", "resumedAt = :now"]
        values |= {":false": {"BOOL": False}, ":now": {"S": now.isoformat()}}
    if state not in (State.RUNNING, State.PAUSED):
        sets.append("finishedAt = :now")
        values[":now"] = {"S": now.isoformat()}
    if reason is not None:
        sets.append("reason = :reason")
        values[":reason"] = {"S": reason}
    return {
        "Update": {
            "Key": _key(sweep.id, _SUMMARY),
            "UpdateExpression": f"SET {', '.join(sets)}",
            "ConditionExpression": "#state = :old",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": values,
        }
    }


def _lock_change(sweep_id: str, state: State, holder: str | None) -> list[dict[str, Any]]:
    """Return what becomes of the lock: a sweep that runs takes it, one that does not gives its own back."""
    own = {"ConditionExpression": "sweep = :own", "ExpressionAttributeValues": {":own": {"S": sweep_id}}}
    if state is State.RUNNING:
        return [{"Put": {"Item": {**_LOCK, "sweep": {"S": sweep_id}}, **(own if holder else _UNLOCKED)}}]
    return [{"Delete": {"Key": _LOCK, **own}}] if holder == sweep_id else []


def _key(sweep_id: str, part: str) -> dict[str, Any]:
    return {"id": {"S": f"sweep#{sweep_id}"}, "part": {"S": part}}


def _segment_part(number: int) -> str:
    return f"{_SEGMENT}{number:04}"


def _prefixed(prefix: str, numbers: Mapping[str, int]) -> dict[str, int]:
    return {prefix + name: number for name, number in numbers.items() if number}


def _without(prefix: str, row: Mapping[str, Any]) -> dict[str, int]:
    return {name[len(prefix) :]: int(number) for name, number in row.items() if name.startswith(prefix)}


def _cursor_text(cursor: Item) -> str:
    return json.dumps({name: to_json(value) for name, value in cursor.items()})


def _segment(number: int, item: Mapping[str, Any]) -> Segment:
    row = {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
    cursor = json.loads(row["cursor"]) if "cursor" in row else None
    return Segment(
        number,
        row.get("state") == "done",
        None if cursor is None else {name: from_json(value) for name, value in cursor.items()},
        int(row.get("pages", 0)),
        int(row.get("scanned", 0)),
        _without(_COUNT, row),
        _without(_UNDER_KEY, row),
        datetime.fromisoformat(row["committedAt"]) if "committedAt" in row else None,
        datetime.fromisoformat(row["begunAt"]) if "begunAt" in row else None,
        _pace(row),
        float(row["speed"]) if "speed" in row else None,
    )


def _of_pace(pace: Pace) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the placeholders that a segment's pace is set by, and their values."""
    names = {"pace": ":pace", "throttledAt": ":throttledAt", "limitedBy": ":limitedBy"}
    limited_by = {"NULL": True} if pace.limited_by is None else {"S": pace.limited_by.value}
    # As text: DynamoDB's numbers have fewer digits.
    values = {":pace": {"S": str(pace.rate)}, ":throttledAt": {"S": str(pace.throttled_at)}, ":limitedBy": limited_by}
    return names, values


def _pace(row: Mapping[str, Any]) -> Pace | None:
    if "pace" not in row:
        return None
    limited_by = None if row["limitedBy"] is None else LimitedBy(row["limitedBy"])
    return Pace(float(row["pace"]), float(row["throttledAt"]), limited_by)


def _row(sweep: Sweep) -> dict[str, Any]:
    row = {
        "goal": sweep.goal.value,
        "state": sweep.state.value,
        "startedBy": sweep.started_by,
        "startedAt": sweep.started_at.isoformat(),
        "settingVersion": sweep.setting_version,
        "segments": sweep.segments,
        "segmentsDone": sweep.segments_done,
        "estimatedItems": sweep.estimated_items,
        "rate": None if sweep.rate is None else str(sweep.rate),
        "olderThan": sweep.older_than.isoformat() if sweep.older_than else None,
        "deep": sweep.deep,
        "queued": sweep.queued,
        "basis": None if sweep.basis is None else json.dumps(asdict(sweep.basis)),
    }
    return {name: TypeSerializer().serialize(value) for name, value in row.items()}


def _sweep(item: Mapping[str, Any]) -> Sweep:
    row = {name: TypeDeserializer().deserialize(value) for name, value in item.items()}

    def moment(name: str) -> datetime | None:
        return datetime.fromisoformat(row[name]) if row.get(name) else None

    return Sweep(
        id=row["id"].removeprefix("sweep#"),
        goal=Goal(row["goal"]),
        state=State(row["state"]),
        started_by=row["startedBy"],
        started_at=datetime.fromisoformat(row["startedAt"]),
        setting_version=int(row["settingVersion"]),
        segments=int(row["segments"]),
        segments_done=int(row["segmentsDone"]),
        estimated_items=int(row["estimatedItems"]),
        rate=float(row["rate"]) if row["rate"] else None,
        older_than=moment("olderThan"),
        deep=row["deep"],
        finished_at=moment("finishedAt"),
        reason=row.get("reason"),
        queued=row.get("queued", True),  # Rows of earlier versions do not tell.
        resumed_at=moment("resumedAt"),
        basis=_basis(row["basis"]) if row.get("basis") else None,
    )


def _basis(text: str) -> Basis:
    row = json.loads(text)
    attributes, earlier, keys, context = (tuple(row[name]) for name in ("attributes", "earlier", "keys", "context"))
    return Basis(row["table"], attributes, earlier, keys, context)
