"""Reads items of a table: a sample of it evenly, or all of it; slowly, and never more than a page in memory.

A sample is read from segments of a parallel scan that are chosen at random: DynamoDB cuts the table into them by a hash
of the partition key, so each is as good as any other. A few items are taken from each.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_stream_encryptor.planning.table import Table
from dynamodb_stream_encryptor.service_errors import explained

CALLS: Final = ("dynamodb:Scan",)
"""What is called here, as IAM names it."""

DEFAULT_READ_UNITS: Final = 50.0
"""Read units a second that are taken at most where nobody says otherwise."""

_PART_OF_PROVISIONED: Final = 0.1  # Of what a table's own readers and writers have paid for, we take little.
_FROM_EACH: Final = 10  # Items taken from a segment: few, so that many segments are visited.
_SEGMENTS: Final = 1_000_000  # The most that a scan can be cut into (API reference, Scan).
_REQUESTS: Final = (
    4  # For each that a sample takes at the least: the item count is hours old, and segments may be empty.
)
_FULL_PAGE: Final = 1000

Items = Sequence[Mapping[str, Any]]


def allowed_units(table: Table, wanted: float | None) -> float:
    """Return how many read units a second are taken at most: ``wanted``, or little of what the table has."""
    if wanted is not None:
        return wanted
    if table.read_capacity:
        return max(1.0, min(DEFAULT_READ_UNITS, table.read_capacity * _PART_OF_PROVISIONED))
    return DEFAULT_READ_UNITS


class Reader:
    """Reads a table by scans that are eventually consistent, at a bounded rate.

    Attributes:
        units: read units taken so far, as DynamoDB counts them.
        items: items read so far.
        is_complete: whether the whole table was read.
    """

    def __init__(
        self,
        dynamodb: Any,
        table: Table,
        units_a_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._allowed = units_a_second
        self._clock = clock
        self._sleep = sleep
        self._began: float | None = None
        self.units = 0.0
        self.items = 0
        self.is_complete = False

    def all(self, most: int | None = None) -> Iterator[Items]:
        """Yield every item of the table, page by page; ``most`` of them where that is given.

        Raises:
            CliError: DynamoDB does not answer, or refuses.
        """
        start: dict[str, Any] = {}
        while most is None or self.items < most:
            limit = _FULL_PAGE if most is None else min(_FULL_PAGE, most - self.items)
            items, last = self._page({"Limit": limit, **start})
            yield items
            if not last:
                self.is_complete = True
                return
            start = {"ExclusiveStartKey": last}

    def sample(self, size: int, chance: random.Random) -> Iterator[Items]:
        """Yield about ``size`` items, or all there are if they are fewer; from segments in a random order.

        Raises:
            CliError: as for :meth:`all`.
        """
        if self._table.items <= size:
            # As far as is known, that is all; and where the hours-old count is wrong, the first by a hash of the key.
            yield from self.all(size)
            return
        parts = -(-size // _FROM_EACH)
        segments = min(-(-self._table.items // _FROM_EACH), _SEGMENTS)
        left, requests = size, _REQUESTS * parts
        for segment in _shuffled(segments, chance):
            if left <= 0 or not requests:
                break
            items, _ = self._page({"Segment": segment, "TotalSegments": segments, "Limit": min(_FROM_EACH, left)})
            left, requests = left - len(items), requests - 1
            yield items
        if left == size:  # Next to nothing is in the table, whatever its hours-old count says.
            yield from self.all(size)

    def _page(self, arguments: Mapping[str, Any]) -> tuple[Items, Any]:
        self._wait()
        try:
            answer = self._dynamodb.scan(
                TableName=self._table.name, ReturnConsumedCapacity="TOTAL", ConsistentRead=False, **arguments
            )
        except (ClientError, BotoCoreError) as error:
            raise explained(error, f"reading the table {self._table.name}") from error
        consumed = answer.get("ConsumedCapacity") or {}
        self.units += float(consumed.get("CapacityUnits") or 0.5)
        self.items += len(answer["Items"])
        return answer["Items"], answer.get("LastEvaluatedKey")

    def _wait(self) -> None:
        """Wait until what was taken is no more than what may have been."""
        now = self._clock()
        if self._began is None:
            self._began = now
        if (ahead := self.units / self._allowed - (now - self._began)) > 0:
            self._sleep(ahead)


def _shuffled(count: int, chance: random.Random) -> Iterator[int]:
    """Yield the numbers below ``count`` in a random order, each once, and remember only those that were asked for."""
    moved: dict[int, int] = {}
    for end in range(count, 0, -1):  # Fisher and Yates's shuffle, of a list that is not there.
        chosen = chance.randrange(end)
        yield moved.get(chosen, chosen)
        moved[chosen] = moved.pop(end - 1, end - 1)
