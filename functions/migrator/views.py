"""What the operator is shown, as JSON. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from encryptor_runtime.messages import shown, shown_text
from encryptor_runtime.switch import SwitchState
from item_crypto.core.part import keys_as_json
from migrator.census import census
from migrator.letters import BATCH, Letter
from migrator.progress import Segment, State, Sweep

_RANGE: Final = ("shardId", "startSequenceNumber", "endSequenceNumber", "streamArn")


def sweep(found: Sweep, segments: Sequence[Segment], now: datetime) -> dict[str, Any]:
    """Return a sweep and how far its segments have come in all."""
    scanned = sum(segment.scanned for segment in segments)
    counted = census(_total([segment.counts for segment in segments]))
    seconds = max(0.001, ((found.finished_at or now) - found.started_at).total_seconds())
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
        "underKey": _total([segment.under_key for segment in segments]),
        "rate": found.rate,
        "olderThan": _iso(found.older_than),
        "deep": found.deep,
        "itemsPerSecond": round(scanned / seconds, 1),
        "reason": found.reason,
        "minutesWithoutProgress": _idle_minutes(found, segments, now),
    }


def _idle_minutes(found: Sweep, segments: Sequence[Segment], now: datetime) -> int | None:
    """Return for how many whole minutes a sweep that runs has committed no page; None for one that does not run."""
    if found.state is not State.RUNNING:
        return None
    latest = max((segment.committed_at for segment in segments if segment.committed_at), default=found.started_at)
    return max(0, int((now - latest).total_seconds() // 60))


def segment(found: Segment) -> dict[str, Any]:
    """Return how far one segment of a sweep has come."""
    return {
        "segment": found.number,
        "state": "done" if found.done else "waiting",
        "pages": found.pages,
        "scanned": found.scanned,
        "counts": census(found.counts).items,
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
