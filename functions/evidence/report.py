"""The evidence that `report` writes, from what the control function tells of the table. Pure.

It states what was found, by whom it was asked for and when; it certifies nothing. `findings` lists all that is not as
it should be, and is empty where nothing is; `verdict` tells a check that decrypted every value from one that only read
headers. No value of an item is in it, and no key of one either: item keys hold user ids, and a report goes to people
who need not see them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from evidence.counted import counted
from evidence.retention import PITR_DAYS, Backup, Copy, PlaintextGone, copies, plaintext_gone
from evidence.sweep import Sweep, read_sweep, read_time
from evidence.verdict import STATE_WORDS, Judgement, Verdict, judge, wanted
from item_crypto.core.part import in_words

FORMAT_VERSION: Final = 2
LIMITS: Final = (
    "The counts are a scan's: each item was read once, consistently, at some time between the start and the end of the "
    "verification.",
    "A new write is in the table in plaintext until its stream record is handled: usually for less than a second, "
    "longer where the stream mapping was disabled or behind. That time stays within reach of point-in-time recovery. "
    "The dates for earlier plaintext are about what was there before them.",
    "Backups are those that were listed for this report. Exports, replicas elsewhere, logs of the writers and copies "
    "that they keep are not known to this system.",
    "Who asked is what the caller said: the command says what it learned from AWS STS or the operating system, the "
    "admin page names the user of the token. CloudTrail has the proof.",
)


@dataclass(frozen=True)
class Findings:
    """What the control function tells, and what whoever asks says.

    Attributes:
        stack, region, who: where was asked, and by whom.
        now: when, aware.
        status, config, failures: as the control function answers these commands.
        verification: the sweep that counted.
        backups: the older backups that were listed.
        versions: of the software, by name.
        may_be_absent: names whose absence the operator expects.
        changed: what was changed after the verification began, a sentence each.
    """

    stack: str
    region: str
    who: str
    now: datetime
    status: Mapping[str, Any]
    config: Mapping[str, Any]
    failures: Mapping[str, Any]
    verification: Sweep
    backups: Sequence[Backup]
    versions: Mapping[str, str]
    may_be_absent: Collection[str] = ()
    changed: Sequence[str] = ()


def evidence(found: Findings) -> dict[str, Any]:
    """Return the evidence as a JSON document. Times are ISO 8601 in UTC."""
    status, verification = found.status, found.verification
    recovery = status.get("recovery") or {}
    judged = judge(verification, wanted(status, found.may_be_absent, found.changed))
    gone = None
    # Where it does not vouch for the whole table as it is now, that no plaintext was found says nothing.
    if not (judged.blind or judged.by.changed or judged.by.part):
        sweeps = [read_sweep(sweep) for sweep in status.get("sweeps") or ()]
        gone = plaintext_gone(verification, sweeps, _listed_since(status))
    stream = status.get("stream") or {}
    places = copies(gone, recovery.get("pitr"), _pitr_days(recovery), found.backups, found.now, stream.get("viewType"))
    open_failures = _open_failures(found)
    findings = [*judged.findings, *_findings(found, open_failures["messages"])]
    return {
        "document": "DynamoDB Stream Encryptor: evidence",
        "formatVersion": FORMAT_VERSION,
        "generatedAt": _text(found.now),
        "generatedBy": found.who,
        "stack": {"name": found.stack, "region": found.region},
        "verdict": (Verdict.FINDINGS if findings else judged.verdict).value,
        "findings": findings,
        "table": {
            "name": status.get("table"),
            "arn": status.get("tableArn"),
            "account": status.get("account"),
            "approximateItems": status.get("tableItemCount"),
            "encryptedAttributes": list(status.get("attributes") or ()),
            "earlierAttributes": list(status.get("earlierAttributes") or ()),
            "streamViewType": stream.get("viewType"),
            "streamMapping": (status.get("mapping") or {}).get("state"),
        },
        "encryption": {
            "algorithm": status.get("algorithm"),
            "encoding": status.get("encoding"),
            "contextAttributes": list(status.get("contextAttributes") or ()),
            "purpose": status.get("purpose"),
        },
        "key": dict(status.get("key") or {}),
        "earlierKeys": list(status.get("earlierKeys") or ()),
        "setting": status.get("setting"),
        "settingHistory": list(found.config.get("history") or ()),
        "verification": _verification(verification, judged),
        "earlierPlaintext": _earlier_plaintext(gone, places),
        "failures": open_failures,
        "versions": dict(found.versions),
        "limits": list(LIMITS),
    }


def _verification(sweep: Sweep, judged: Judgement) -> dict[str, Any]:
    return {
        "sweep": sweep.id,
        "startedBy": sweep.started_by,
        "startedAt": _text(sweep.started_at),
        "finishedAt": _text(sweep.finished_at),
        "settingVersion": sweep.setting_version,
        "method": _method(sweep),
        "items": sweep.scanned,
        "values": {"seen": sweep.values_seen, "decrypted": sweep.values_decrypted},
        "mayBeAbsent": sorted(judged.by.may_be_absent),
        "part": judged.by.part,
        "byState": {state: sweep.counts.get(state, 0) + sweep.outside.get(state, 0) for state in STATE_WORDS},
        "outsideByState": {state: sweep.outside.get(state, 0) for state in STATE_WORDS} if judged.by.part else {},
        "byAttribute": {name: dict(places) for name, places in sweep.attributes.items()},
        "notListed": dict(sweep.strays),
        "byKey": dict(sweep.under_key),
        "byEncoding": dict(sweep.encodings),
    }


def _method(sweep: Sweep) -> str:
    if not sweep.deep:
        return f"the headers of {counted(sweep.values_seen, 'value')} read, and none decrypted"
    return f"{sweep.values_decrypted:,} of {counted(sweep.values_seen, 'value')} decrypted"


def _earlier_plaintext(gone: PlaintextGone | None, places: Sequence[Copy]) -> dict[str, Any]:
    holding = [place.until for place in places if place.holds]
    dates = [until for until in holding if until is not None]
    return {
        "encryptedBy": _text(gone.at) if gone else None,
        "basis": gone.basis if gone else "There is plaintext in the table, or nothing proves that there is none.",
        "goneEverywhereBy": _text(max(dates)) if dates and len(dates) == len(holding) else None,
        "copies": [
            {"name": place.name, "mayHold": place.holds, "until": _text(place.until), "note": place.note}
            for place in places
        ],
    }


def _open_failures(found: Findings) -> dict[str, Any]:
    listed = [
        {name: failure.get(name) for name in ("id", "kind", "reason", "time", "attempts")}
        for failure in found.failures.get("failures") or ()
    ]
    counted = (found.status.get("failureQueue") or {}).get("messages") or 0
    # The queue's own count is approximate, and may be behind what was just read.
    return {"messages": max(counted, len(listed)), "listed": listed}


def _findings(found: Findings, open_failures: int) -> Iterator[str]:
    status, verification = found.status, found.verification
    setting, key = status.get("setting") or {}, status.get("key") or {}
    if not setting.get("enabled"):
        yield "Encryption is off: new writes are stored in plaintext."
    elif setting.get("part") is not None:
        yield f"Encryption is on for {in_words(setting['part'])} only: all other writes are stored in plaintext."
    for arn, number in verification.under_key.items():
        if number and arn in (status.get("earlierKeys") or ()):
            yield f"{counted(number, 'item')} still under the earlier key {arn}."
    if key.get("state") != "Enabled":
        yield f"The key's state is {key.get('state') or 'unknown'}."
    if not key.get("rotationEnabled"):
        yield "The key's automatic rotation is off or unknown."
    if (mapping := (status.get("mapping") or {}).get("state")) != "Enabled":
        yield f"The stream mapping is {mapping or 'unknown'}: new writes may not be encrypted."
    if open_failures:
        yield f"{counted(open_failures, 'failure')} open in the failure queue."


def _listed_since(status: Mapping[str, Any]) -> datetime | None:
    """Return when the newest of the configured attributes was first configured; None where that is not told."""
    since = status.get("attributesSince") or {}
    dates = [moment for name in status.get("attributes") or () if (moment := read_time(since.get(name))) is not None]
    return max(dates, default=None)


def _pitr_days(recovery: Mapping[str, Any]) -> int:
    days = recovery.get("days")
    return days if isinstance(days, int) and 1 <= days <= PITR_DAYS else PITR_DAYS


def _text(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if moment else None
