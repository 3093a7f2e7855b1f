"""A plan as a document: what `--json` prints, and what the words and the page are made of. Pure.

``formatVersion`` changes where a member is renamed, removed or given another meaning; members may be added.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from dynamodb_stream_encryptor.planning import suggestion
from dynamodb_stream_encryptor.planning.cost import Deployment, Load, Use, amount, migration, month, seconds_at, total
from dynamodb_stream_encryptor.planning.figures import number
from dynamodb_stream_encryptor.planning.growth import RATIOS, Growth, mean_units
from dynamodb_stream_encryptor.planning.obstacles import Finding
from dynamodb_stream_encryptor.planning.prices import Prices
from dynamodb_stream_encryptor.planning.survey import Survey
from dynamodb_stream_encryptor.planning.table import Table, Traffic
from dynamodb_stream_encryptor.planning.trail import Trail
from dynamodb_stream_encryptor.planning.units import write_units
from item_crypto.core.encoding import Encoding

FORMAT_VERSION: Final = 1

CHECKLIST: Final = (
    "Who reads the table itself (GetItem, Query, Scan, exports, analytics)? They get ciphertext: move them to the "
    "drop-in first.",
    "Who consumes its stream, or a Kinesis stream of its changes? They meet ciphertext too.",
    "Who appends with list_append? It has to be list_append(if_not_exists(…)), and the attribute named by --append.",
    "Who sets a nested path, counts or adds (SET a.b, ADD, if_not_exists(…) + :one)? Not on an encrypted attribute.",
    "Who has a condition, a filter or a projection on an encrypted attribute? Once encrypted it is absent.",
    "Who reads an item, changes it and puts it back whole? They have to read through the drop-in, or lose values.",
)
"""What is asked of people where no trail tells."""

ASSUMPTIONS: Final = (
    "The items that were looked at stand for all: their mean is multiplied by the table's item count, which DynamoDB "
    "brings up to date every six hours or so.",
    "Each plaintext write costs a consistent read, a data key of KMS and an UpdateItem; the item that comes back on "
    "the stream costs another read. Writes a month are the write units that CloudWatch counted, by the mean item: "
    "writes that leave the attributes alone count as well.",
    "Readers that decrypt are all reads that CloudWatch counted, taken for consistent ones, with a call to KMS each.",
    "Lambda: 5 ms of the migrator an item that is written, 0.5 ms one that is only read; 25 ms of the stream's "
    "function a write.",
    "Not counted: CloudWatch (logs, alarms, dashboard), SQS, API Gateway, backups, and reads by the drop-in from its "
    "cache.",
)
"""What the figures rest on, whatever the table."""


@dataclass(frozen=True)
class Looked:
    """How the table was looked at.

    Attributes:
        full: whether every item was read.
        asked: how many items were asked for; None for all.
        read_units: read units that it took.
        seconds: how long it took.
    """

    full: bool
    asked: int | None
    read_units: float
    seconds: float


@dataclass(frozen=True)
class Choice:
    """What is to be done.

    Attributes:
        attributes: the attributes to encrypt.
        appended: those among them that writers append to.
        key_arn: the key; None for one that is made.
        rate: items a second; None for a suggestion.
        monthly_writes: plaintext writes a month, where the user says; None for CloudWatch's word.
        single_writing_region: the user's word on a replicated table.
        encoding: how ciphertexts are to be stored.
        deployment: how the functions are to run, as far as it costs.
    """

    attributes: tuple[str, ...]
    appended: tuple[str, ...] = ()
    key_arn: str | None = None
    rate: int | None = None
    monthly_writes: float | None = None
    single_writing_region: bool = False
    encoding: Encoding = Encoding.BASE64
    deployment: Deployment = field(default_factory=Deployment)


@dataclass(frozen=True)
class Found:
    """Everything that was found out.

    Attributes:
        generated: when, aware.
        table: the table.
        choice: what is to be done with it.
        looked: how it was looked at.
        survey: what is in it.
        growth: what encryption makes of it; None where nothing was chosen.
        traffic: its traffic, or why that is not known.
        prices: the price list; None where there is none for the Region.
        trail: who uses it; None where no trail was given.
        findings: what stands in the way, and what is worth knowing.
        deployed: the stack that works on it already; None for none.
    """

    generated: datetime
    table: Table
    choice: Choice
    looked: Looked
    survey: Survey
    growth: Growth | None
    traffic: Traffic | str
    prices: Prices | None
    trail: Trail | None
    findings: Sequence[Finding]
    deployed: str | None = None


def load(found: Found, growth: Growth) -> Load:
    """Return the table's load by the items that were looked at, for as many as it has."""
    table, looked_at = found.table, max(growth.read.count, 1)
    items = growth.read.count if found.looked.full else max(table.items, growth.read.count)
    factor = items / looked_at
    before, after, write, index_write = mean_units(growth)
    return Load(
        items=items,
        concerned=(growth.before.count + growth.encrypted.count) * factor,
        changed=growth.before.count * factor,
        bytes=growth.read.total * factor,
        grown=(growth.after.total - growth.before.total) * factor,
        read_before=before,
        read_after=after,
        write=write,
        index_write=index_write,
        replicas=len(table.replicas),
    )


def document(found: Found) -> dict[str, Any]:
    """Return the plan."""
    in_the_way = [finding.as_json() for finding in found.findings if finding.in_the_way]
    to_know = [finding.as_json() for finding in found.findings if not finding.in_the_way]
    return {
        "formatVersion": FORMAT_VERSION,
        "generatedAt": found.generated.isoformat(timespec="seconds"),
        "verdict": "in-the-way" if in_the_way else "ready",
        "inTheWay": in_the_way,
        "toKnow": to_know,
        "table": _table(found),
        "choice": _choice(found.choice),
        "looked": {
            "items": found.survey.items,
            "full": found.looked.full,
            "asked": found.looked.asked,
            "readUnits": found.looked.read_units,
            "seconds": round(found.looked.seconds, 1),
        },
        "items": found.survey.sizes.as_json(),
        "attributes": [attribute.as_json() for attribute in found.survey],
        "furtherAttributes": found.survey.others,
        "traffic": _traffic(found.traffic),
        **({} if found.growth is None else _of_growth(found, found.growth)),
        "callers": None if found.trail is None else _callers(found.trail),
        "checklist": list(CHECKLIST),
    }


def _table(found: Found) -> dict[str, Any]:
    table = found.table
    return {
        "name": table.name,
        "arn": table.arn,
        "region": table.region,
        "keys": [{"name": name, "type": kind} for name, kind in table.keys.items()],
        "indexes": [
            {"name": index.name, "keys": list(index.keys), "projection": index.projection,
             "included": list(index.included), "local": index.is_local}
            for index in table.indexes
        ],
        "items": table.items,
        "bytes": table.size,
        "mode": table.mode,
        "readCapacity": table.read_capacity,
        "writeCapacity": table.write_capacity,
        "class": table.table_class,
        "stream": None
        if table.stream is None
        else {
            "arn": table.stream.arn,
            "view": table.stream.view,
            "consumers": None if table.stream.consumers is None else list(table.stream.consumers),
        },
        "replicas": list(table.replicas),
        "consistency": table.consistency,
        "ownKey": table.own_key,
        "deletionProtection": table.deletion_protection,
        "timeToLive": table.ttl,
        "recovery": table.recovery,
        "recoveryDays": table.recovery_days,
        "backups": table.backups,
        "exports": table.exports,
        "kinesisStreams": table.kinesis,
        "unseen": list(table.unseen),
        "stack": found.deployed,
    }  # fmt: skip


def _choice(choice: Choice) -> dict[str, Any]:
    return {
        "attributes": list(choice.attributes),
        "appended": list(choice.appended),
        "keyArn": choice.key_arn,
        "singleWritingRegion": choice.single_writing_region,
        "encoding": choice.encoding.value,
        "architecture": choice.deployment.architecture,
    }


def _traffic(traffic: Traffic | str) -> dict[str, Any]:
    if isinstance(traffic, str):
        return {"known": False, "why": traffic}
    return {
        "known": True,
        "days": round(traffic.days, 2),
        "monthlyWriteUnits": round(traffic.monthly_write_units),
        "monthlyReadUnits": round(traffic.monthly_read_units),
        "peakWriteUnitsASecond": round(traffic.peak_writes, 2),
        "peakReadUnitsASecond": round(traffic.peak_reads, 2),
    }


def _of_growth(found: Found, growth: Growth) -> dict[str, Any]:
    table, choice = found.table, found.choice
    the_load = load(found, growth)
    traffic = None if isinstance(found.traffic, str) else found.traffic
    suggested = suggestion.suggest(table, the_load, traffic, choice.rate)
    given = suggestion.parameters(
        table, choice.attributes, choice.appended, choice.key_arn, choice.single_writing_region, suggested,
        choice.encoding,
    )  # fmt: skip
    return {
        "states": {name: growth.states[name] for name in ("toEncrypt", "encrypted", "deferred", "nothing", "failing")},
        "growth": {
            "before": growth.before.as_json(),
            "after": growth.after.as_json(),
            "ratio": round(growth.after.total / growth.before.total, 3) if growth.before.total else None,
            "ratios": [{"name": name, "items": growth.ratios[name]} for name, _ in RATIOS],
            "attributes": [
                {"name": name, "before": value.before.as_json(), "after": value.after.as_json()}
                for name, value in growth.values.items()
            ],
            "encodings": [
                {
                    "name": encoding.value,
                    "after": stored.after.as_json(),
                    "writeUnits": round(stored.written.mean_of(write_units), 3),
                }
                for encoding, stored in growth.encodings.items()
            ],
        },
        "suggestion": {
            "rate": suggested.rate,
            "limitedBy": suggested.limited_by,
            "segments": suggested.segments,
            "concurrency": suggested.concurrency,
            "seconds": max(1, round(seconds_at(suggested.rate, the_load.items))),
            "parameters": given,
            "commands": _commands(found, given, suggested),
        },
        "cost": _cost(found, the_load, traffic),
    }


def _commands(found: Found, given: dict[str, str], suggested: suggestion.Suggestion) -> list[str]:
    """Return what to run next, in order; for a stack that is there, the sweep alone."""
    table = found.table
    options = f"--rate {suggested.rate} --segments {suggested.segments}"
    if found.deployed is not None:
        return [f"stream-encryptor migrate {found.deployed} {options}"]
    stream = [] if table.stream else [suggestion.stream_commands(table)]
    deploy = suggestion.deploy_command(given, found.choice.deployment.architecture, table.region)
    stack = f"--stack NAME --region {table.region}"
    return [*stream, deploy, f"stream-encryptor config on {stack}", f"stream-encryptor migrate {stack} {options}"]


def _cost(found: Found, the_load: Load, traffic: Traffic | None) -> dict[str, Any]:
    choice, table = found.choice, found.table
    deployment = choice.deployment
    share = the_load.concerned / the_load.items if the_load.items else 0.0
    writes, basis = _monthly_writes(choice, traffic, the_load, share)
    reads = traffic.monthly_read_units / max(the_load.read_before, 1) * share if traffic else 0.0
    once = migration(the_load, deployment)
    monthly = month(the_load, deployment, writes, reads, bool(table.recovery), choice.key_arn is None)
    return {
        "currency": found.prices.currency if found.prices else None,
        "prices": None
        if found.prices is None
        else {
            "region": found.prices.region,
            "asOf": found.prices.as_of,
            "source": found.prices.source,
            "file": found.prices.origin,
        },
        "perItem": {
            "readUnitsBefore": round(the_load.read_before, 3),
            "readUnitsAfter": round(the_load.read_after, 3),
            "writeUnits": round(the_load.write, 3),
            "indexWriteUnits": round(the_load.index_write, 3),
            "replicas": the_load.replicas,
        },
        "items": round(the_load.items),
        "toEncrypt": round(the_load.changed),
        "bytesBefore": round(the_load.bytes),
        "bytesAfter": round(the_load.bytes + the_load.grown),
        "monthlyWrites": round(writes),
        "monthlyWritesBasis": basis,
        "monthlyReads": round(reads),
        "once": _priced(once, found),
        "month": _priced(monthly, found),
        "assumptions": [*ASSUMPTIONS, *_assumptions(found)],
    }


def _assumptions(found: Found) -> Iterator[str]:
    deployment, table = found.choice.deployment, found.table
    renewal = (
        f"{number(deployment.renewals_a_day, 'sweep')} that encrypts anew what is older than "
        f"{number(deployment.renewed_after, 'day')}"
        if deployment.renewed_after
        else "none that encrypts anew"
    )
    yield f"Scheduled each day: {number(deployment.sweeps_a_day, 'catch-up sweep')}, and {renewal}."
    if not table.is_on_demand:
        yield (
            "Units of this provisioned table are priced as if its capacity were raised by just what they take; what "
            "fits into capacity that lies idle costs nothing more."
        )
    if table.table_class != "STANDARD":
        yield f"The table's class is {table.table_class}; the prices are those of STANDARD."
    if table.replicas:
        yield "Replicas' writes and bytes are priced as those of this Region."


def _monthly_writes(choice: Choice, traffic: Traffic | None, the_load: Load, share: float) -> tuple[float, str]:
    if choice.monthly_writes is not None:
        return choice.monthly_writes, "--monthly-writes"
    if traffic is None:
        return 0.0, "not known: give --monthly-writes"
    return traffic.monthly_write_units / max(the_load.write, 1) * share, "CloudWatch"


def _priced(uses: list[Use], found: Found) -> dict[str, Any]:
    return {"parts": [_use(use, found) for use in uses], "total": _use(total(uses), found)}


def _use(use: Use, found: Found) -> dict[str, Any]:
    prices = found.prices
    return {
        "what": use.what,
        "readUnits": round(use.reads, 1),
        "writeUnits": round(use.writes, 1),
        "kmsRequests": round(use.kms),
        "lambdaInvocations": round(use.invocations),
        "lambdaGigabyteSeconds": round(use.seconds, 1),
        "gigabyteMonths": round(use.storage + use.recovery, 6),
        "amount": None
        if prices is None
        else round(amount(use, prices, found.table.is_on_demand, found.choice.deployment.architecture), 4),
    }


def _callers(trail: Trail) -> dict[str, Any]:
    return {
        "events": trail.events,
        "otherEvents": trail.others,
        "furtherCallers": trail.further,
        "callers": [caller.as_json() for caller in trail.callers],
    }
