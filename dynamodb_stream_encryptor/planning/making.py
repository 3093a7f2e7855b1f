"""Makes a plan: describes the table, reads items of it, and puts together what the other modules find."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from dynamodb_stream_encryptor.errors import UsageError
from dynamodb_stream_encryptor.planning import describe, sampling, trail_files
from dynamodb_stream_encryptor.planning.document import Choice, Found, Looked
from dynamodb_stream_encryptor.planning.growth import Growth
from dynamodb_stream_encryptor.planning.local_kms import stand_in_arn
from dynamodb_stream_encryptor.planning.obstacles import Finding, nothing_chosen, of_items, of_names, of_table
from dynamodb_stream_encryptor.planning.prices import find_prices
from dynamodb_stream_encryptor.planning.survey import Survey
from dynamodb_stream_encryptor.planning.table import Table
from dynamodb_stream_encryptor.planning.traffic import find_traffic
from dynamodb_stream_encryptor.planning.trail import Trail
from item_crypto import ConfigurationError, Policy
from item_crypto.keys.identity import check_key_arn

PURPOSE: Final = "session-encryption"
"""The encryption context's ``purpose``, as the template has it by default; it counts in the size of a message."""


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        table: the table's name.
        choice: what is to be done with it.
        sample: how many items to look at; None for all.
        read_units: read units a second at most; None for few.
        prices: a price list in the place of the one that is shipped.
        cloudtrail: where data events are.
        deployed: the options that name the stack that works on the table already; None for none.
    """

    table: str
    choice: Choice
    sample: int | None
    read_units: float | None = None
    prices: Path | None = None
    cloudtrail: str | None = None
    deployed: str | None = None


def make(
    client: Callable[[str], Any],
    region: str,
    request: Request,
    told: Callable[[str, int, int | None], None],
    now: datetime | None = None,
    chance: random.Random | None = None,
) -> Found:
    """Return what is found out about a table.

    Args:
        client: makes a boto3 client of a service.
        region: the table's Region.
        request: what is asked for.
        told: is told how far what is, as in ``("items", 120, 1000)``; None where the end is not known.
        now: the time; None for the clock's.
        chance: what chooses the sample; None for a seed of the system's.

    Raises:
        CliError: an option is wrong, there is no such table, or AWS does not answer.
    """
    # Whatever can be wrong is looked at before the table is read.
    prices = find_prices(region, request.prices)
    choice = request.choice
    key_arn = _key_arn(choice.key_arn, region)
    found_trail = _trail(request, client, told)
    table = describe.describe(describe.Clients(client("dynamodb"), client("lambda")), request.table, region)
    generated = now or datetime.now(UTC)
    traffic = find_traffic(client("cloudwatch"), table.name, generated)
    findings = [
        *of_table(table, choice.single_writing_region, request.deployed is not None),
        *of_names(table, choice.attributes),
    ]
    survey, growth = Survey(), _growth(table, choice, key_arn, findings)
    began = time.monotonic()
    reader = sampling.Reader(client("dynamodb"), table, sampling.allowed_units(table, request.read_units))
    for items in _read(reader, request, chance or random.SystemRandom()):
        for item in items:
            survey.add(item)
            if growth is not None:
                growth.add(item)
        told("items", reader.items, min(request.sample or table.items, table.items) or None)
    looked = Looked(reader.is_complete, request.sample, reader.units, time.monotonic() - began)
    if growth is not None:
        findings += of_items(survey, growth, choice.attributes, choice.appended)
    if not choice.attributes:
        findings.append(nothing_chosen(table, survey))
    return Found(
        generated=generated,
        table=table,
        choice=choice,
        looked=looked,
        survey=survey,
        growth=growth,
        traffic=traffic,
        prices=prices,
        trail=found_trail,
        findings=findings,
        deployed=request.deployed,
    )


def _read(reader: sampling.Reader, request: Request, chance: random.Random) -> Iterator[sampling.Items]:
    return reader.all() if request.sample is None else reader.sample(request.sample, chance)


def _key_arn(given: str | None, region: str) -> str:
    if given is None:
        return stand_in_arn(region)
    try:
        check_key_arn(given)
    except ConfigurationError as error:
        raise UsageError(f"--key: {error}.") from None
    if (of_key := given.split(":")[3]) != region:
        raise UsageError(f"--key: the key is in {of_key}, and the table in {region}.")
    return given


def _growth(table: Table, choice: Choice, key_arn: str, findings: list[Finding]) -> Growth | None:
    """Return what encrypts items; None where nothing is chosen, or what is chosen cannot be encrypted by its name."""
    barred = {"attribute-is-key", "attribute-has-stored-name", "stored-form-is-key"}
    if not choice.attributes or any(finding.code in barred for finding in findings):
        return None
    policy = Policy(
        attributes=choice.attributes,
        appended=frozenset(choice.appended),
        context_attributes=tuple(table.keys),
        purpose=PURPOSE,
        enabled=True,
        encoding=choice.encoding,
    )
    return Growth(table, policy, key_arn)


def _trail(
    request: Request, client: Callable[[str], Any], told: Callable[[str, int, int | None], None]
) -> Trail | None:
    if request.cloudtrail is None:
        return None
    trail = Trail(request.table, request.choice.attributes)
    for event in trail_files.events(
        request.cloudtrail, lambda: client("s3"), lambda number: told("CloudTrail files", number, None)
    ):
        trail.add(event)
    return trail
