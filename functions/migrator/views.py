"""What the operator is shown, as JSON. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from encryptor_runtime.messages import shown, shown_text
from encryptor_runtime.settings import BranchKeySettings
from encryptor_runtime.switch import SwitchState
from evidence.sweep import FAILURES
from item_crypto.core.part import keys_as_json
from migrator.counts import census
from migrator.letters import BATCH, Letter
from migrator.progress import Segment, State, Sweep, came_forward

if TYPE_CHECKING:
    from item_crypto.keys.branch_keys import BranchKey

_SEEN_WITHIN: Final = timedelta(seconds=60)  # A segment that is at work is seen that often: a page is a second's worth.
_RANGE: Final = ("shardId", "startSequenceNumber", "endSequenceNumber", "streamArn")


_FORESEEN: Final = 366 * 86_400.0  # Seconds: what lies further ahead is no estimate.


def sweep(found: Sweep, segments: Sequence[Segment], now: datetime) -> dict[str, Any]:
    """Return a sweep and how far its segments have come in all."""
    scanned = sum(segment.scanned for segment in segments)
    counted = census(_total([segment.counts for segment in segments]))
    seconds = max(0.001, ((found.finished_at or now) - found.started_at).total_seconds())
    at_work = [segment for segment in segments if _is_at_work(found, segment, now)]
    rate_now = _rate_now(found, at_work)
    return {
        "id": found.id,
        "goal": found.goal.value,
        "state": found.state.value,
        "startedBy": found.started_by,
        "startedAt": found.started_at.isoformat(),
        "finishedAt": _iso(found.finished_at),
        "settingVersion": found.setting_version,
        "segments": found.segments,
        "segmentsDone": found.segments_done,
        "scanned": scanned,
        "estimatedItems": found.estimated_items,
        "counts": counted.items,
        "outside": counted.outside,
        "attributes": counted.attributes,
        "strays": counted.strays,
        "values": {"seen": counted.values, "decrypted": counted.decrypted},
        "encodings": counted.encodings,
        "underKey": _total([segment.under_key for segment in segments]),
        "rate": found.rate,
        "olderThan": _iso(found.older_than),
        "deep": found.deep,
        "itemsPerSecond": round(scanned / seconds, 1),
        "rateNow": rate_now,
        "limitedBy": _limited_by(at_work),
        "estimatedEnd": _iso(_estimated_end(found, scanned, rate_now, now)),
        "segmentsRunning": len(at_work),
        "itemsFailed": sum(counted.items.get(name, 0) for name in FAILURES),
        "reason": found.reason,
        "minutesWithoutProgress": _idle_minutes(found, segments, now),
    }


def sweep_name(found: Sweep) -> str:
    """Return a sweep's id, and what it is for and how it stands: what to call it in a sentence."""
    return f"{found.id} ({found.goal.value}, {found.state.value})"


def _idle_minutes(found: Sweep, segments: Sequence[Segment], now: datetime) -> int | None:
    """Return for how many whole minutes a sweep that runs has committed no page; None for one that does not run."""
    if found.state is not State.RUNNING:
        return None
    return max(0, int((now - came_forward(found, segments)).total_seconds() // 60))


def _is_at_work(sweep: Sweep, segment: Segment, now: datetime) -> bool:
    seen = segment.last_seen
    return sweep.state is State.RUNNING and not segment.done and seen is not None and now - seen < _SEEN_WITHIN


def _rate_now(found: Sweep, at_work: Sequence[Segment]) -> float | None:
    """Return how many items a second the segments at work had in their last pages; None for one that does not run."""
    if found.state is not State.RUNNING:
        return None
    return round(sum(segment.speed or 0.0 for segment in at_work), 1)


def _limited_by(at_work: Sequence[Segment]) -> str | None:
    """Return what limits most of the segments that are at work; None where most get faster."""
    reasons = Counter(segment.pace.limited_by for segment in at_work if segment.pace is not None)
    ((reason, _),) = reasons.most_common(1) or [(None, 0)]
    return None if reason is None else reason.value


def _estimated_end(found: Sweep, scanned: int, rate_now: float | None, now: datetime) -> datetime | None:
    """Return when a sweep that goes on as it does now will end, by DynamoDB's own, slow count of items."""
    if not rate_now or not found.estimated_items:
        return None
    seconds = max(0, found.estimated_items - scanned) / rate_now
    return now + timedelta(seconds=round(seconds)) if seconds < _FORESEEN else None


def segment(found: Segment, sweep: Sweep, now: datetime) -> dict[str, Any]:
    """Return how far one segment of a sweep has come."""
    at_work = _is_at_work(sweep, found, now)
    pace = found.pace
    return {
        "segment": found.number,
        "state": "done" if found.done else "running" if at_work else "waiting",
        "pages": found.pages,
        "scanned": found.scanned,
        "counts": census(found.counts).items,
        "rateNow": found.speed if at_work else None,
        "limitedBy": pace.limited_by.value if at_work and pace is not None and pace.limited_by is not None else None,
    }


def config(current: SwitchState, history: Sequence[SwitchState]) -> dict[str, Any]:
    """Return the setting, the keys that it is on for where these are listed, and its history, newest first."""
    return {
        "setting": current.as_json(),
        "listedKeys": keys_as_json(current.part),
        "history": [setting.as_json() for setting in history],
    }


def table(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return which table it is, what its stream carries, and how many items it has by DynamoDB's own, slow count."""
    stream = described.get("StreamSpecification") or {}
    return {
        "table": described["TableName"],
        "tableArn": described["TableArn"],
        "account": described["TableArn"].split(":")[4],
        "tableItemCount": described["ItemCount"],
        "stream": {
            "arn": described.get("LatestStreamArn"),
            "viewType": stream.get("StreamViewType") if stream.get("StreamEnabled") else None,
        },
    }


def key(key_arn: str, metadata: Mapping[str, Any], rotation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the current key, given what KMS says of it and of its rotation."""
    return {
        "arn": key_arn,
        "state": metadata.get("KeyState"),
        "rotationEnabled": rotation.get("KeyRotationEnabled"),
        "rotationPeriodInDays": rotation.get("RotationPeriodInDays"),
        "nextRotationDate": _iso(rotation.get("NextRotationDate")),
    }


def recovery(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return to which times the table can be restored, given what DynamoDB says of it."""
    return {
        "pitr": described.get("PointInTimeRecoveryStatus") == "ENABLED",
        "days": described.get("RecoveryPeriodInDays"),
        "earliest": _iso(described.get("EarliestRestorableDateTime")),
        "latest": _iso(described.get("LatestRestorableDateTime")),
    }


def tenant_keys(told: BranchKeySettings | None) -> dict[str, Any] | None:
    """Return what the stack has of branch keys; None where it has none."""
    if told is None:
        return None
    return {"table": told.table, "attribute": told.tenant_attribute, "writes": told.writes}


def branch_key(found: "BranchKey") -> dict[str, Any]:
    """Return a branch key, or the tombstone of one; never the key itself."""
    return {
        "branchKeyId": found.branch_key_id,
        "state": found.state.value,
        "tenant": found.tenant,
        "since": found.since,
        "kmsKeyArn": found.kms_key_arn,
    }


def letter(found: Letter) -> dict[str, Any]:
    """Return keys and reasons of a dead letter; whatever else it holds is left out."""
    members = shown(found.document)
    context, batch = found.document.get("requestContext"), found.document.get(BATCH)
    return {
        "id": found.id,
        "kind": found.kind,
        **members,
        "reason": members["reason"] or (shown_text(context.get("condition")) if isinstance(context, dict) else None),
        "time": members["time"] or shown_text(found.document.get("timestamp")),
        "attempts": found.attempts,
        "range": {name: shown_text(batch.get(name)) for name in _RANGE} if isinstance(batch, dict) else None,
    }


def _total(numbers: Sequence[Mapping[str, int]]) -> dict[str, int]:
    whole: Counter[str] = Counter()
    for part in numbers:
        whole.update(part)
    return dict(whole)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
