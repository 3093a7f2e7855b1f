"""What encryption makes of items: each of a sample is planned and encrypted as the deployed functions would.

By the same code, under a data key of this process: sizes are exact, and an item that cannot be encrypted fails here for
the reason that its dead letter would have.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from dynamodb_stream_encryptor.planning.local_kms import LocalKms
from dynamodb_stream_encryptor.planning.sizes import Sizes
from dynamodb_stream_encryptor.planning.table import Index, Table
from dynamodb_stream_encryptor.planning.units import read_units, write_units
from item_crypto import ItemTooLarge, Keyrings, Outcome, PermanentError, Policy, Role, Status, ValueCipher
from item_crypto.core.change import applied
from item_crypto.core.codec import Item, encode_value, item_size, to_json, value_size
from item_crypto.core.encoding import Encoding, message_of
from item_crypto.core.key import key_of
from item_crypto.core.stored_form import ENCRYPTED_PREFIX, MARKERS, encrypted_name
from item_crypto.plan import Planner

_OTHER_KEY: Final = "earlier-key"  # What decisions call a ciphertext under a key that is none of this process's.

RATIOS: Final = (("to half or less", 0.5), ("to less than before", 0.999), ("up to 1.5 times", 1.5), ("up to twice", 2),
                 ("up to 4 times", 4), ("more", None))  # fmt: skip
"""Names and upper bounds of what an item's size is multiplied by."""

EXAMPLES: Final = 3
"""Keys of items that are named for each reason."""

COLLISION: Final = "marker-of-its-own"
"""An item has an attribute with the name of a marker, and nothing encrypted: encryption would overwrite it."""

INCOMPRESSIBLE: Final = "binary-too-large"
"""An item is over DynamoDB's limit once encrypted, because of binary that does not get smaller when compressed."""


@dataclass
class Failures:
    """Items that cannot be encrypted for one reason.

    Attributes:
        items: how many.
        attributes: how many by the attribute that is to blame, where one is.
        examples: keys of the first of them, as DynamoDB JSON.
    """

    items: int = 0
    attributes: Counter[str] = field(default_factory=Counter)
    examples: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass
class Value:
    """What becomes of one attribute's values.

    Attributes:
        before: sizes in plaintext, the name's included.
        after: sizes once encrypted, likewise.
    """

    before: Sizes = field(default_factory=Sizes)
    after: Sizes = field(default_factory=Sizes)


@dataclass
class Stored:
    """What becomes of items in one encoding.

    Attributes:
        after: their sizes once encrypted.
        written: the larger of before and after, which a write's units go by.
    """

    after: Sizes = field(default_factory=Sizes)
    written: Sizes = field(default_factory=Sizes)


class Growth:
    """Encrypts items of a sample, and counts.

    Args:
        table: the table.
        policy: what is to be encrypted.
        key_arn: the ARN of the key, or of one as long.

    Attributes:
        before: sizes of the items that would be written.
        after: their sizes once they are.
        written: the larger of the two, which a write's units go by.
        encrypted: sizes of the items that are encrypted already.
        read: sizes of all items.
        ratios: how many items grow or shrink by how much, by the names in ``RATIOS``.
        values: what becomes of each attribute.
        encodings: what becomes of items in each encoding of ciphertexts, the policy's own too.
        states: how many items are to be encrypted, already are, have nothing to encrypt, are deferred, fail.
        failures: why, by reason.
        index_units: write units that the items' writes take in all indexes.
    """

    def __init__(self, table: Table, policy: Policy, key_arn: str) -> None:
        self._keys = tuple(table.keys)
        self._indexes = table.indexes
        self._policy = policy
        cipher = ValueCipher(Keyrings(LocalKms(table.region), key_arn))  # type: ignore[arg-type]
        self._planner = Planner(cipher, lambda: datetime.now(UTC))
        self.read, self.before, self.after, self.written, self.encrypted = (Sizes() for _ in range(5))
        self.ratios: Counter[str] = Counter()
        self.values = {name: Value() for name in policy.attributes}
        self.encodings = {encoding: Stored() for encoding in Encoding}
        self.states: Counter[str] = Counter()
        self.failures: dict[str, Failures] = {}
        self.index_units = 0

    def add(self, item: Item) -> None:
        """Count an item."""
        self.read.add(item_size(item))
        if any(name in item for name in MARKERS) and not any(map(_is_ciphertext_name, item)):
            self._fail(COLLISION, item, next(name for name in MARKERS if name in item))
            return
        key = key_of(item, self._keys)
        try:
            plan = self._planner.plan(key, item, self._policy, Role.ENCRYPTOR)
        except ItemTooLarge:
            self._fail(*self._too_large(item))
            return
        except PermanentError as error:
            self._fail(error.reason, item, getattr(error, "attribute", None))
            return
        if plan.change is None:
            self._leave(plan.outcome, item)
            return
        self.states["toEncrypt"] += 1
        self._count(item, applied(plan.change, item))

    def _leave(self, outcome: Outcome, item: Item) -> None:
        """Count an item that the stream's function would not write."""
        encrypted = any(encrypted_name(name) in item for name in self._policy.attributes)
        if outcome.status is Status.FAILED:
            self._fail(outcome.reason, item, None)
        elif outcome.status is Status.DEFERRED and outcome.reason != _OTHER_KEY:
            self.states["deferred"] += 1
        elif encrypted:
            self.states["encrypted"] += 1
            self.encrypted.add(item_size(item))
        else:
            self.states["nothing"] += 1

    def _count(self, item: Item, stored: Item) -> None:
        before, after = item_size(item), item_size(stored)
        self.before.add(before)
        self.after.add(after)
        self.written.add(max(before, after))
        for encoding, in_it in self.encodings.items():
            size = item_size(self._in_encoding(stored, encoding))
            in_it.after.add(size)
            in_it.written.add(max(before, size))
        self.ratios[next(name for name, bound in RATIOS if bound is None or after <= bound * before)] += 1
        for name, value in self.values.items():
            if name in item and encrypted_name(name) in stored:
                value.before.add(_named_size(name, item))
                value.after.add(_named_size(encrypted_name(name), stored))
        self.index_units += sum(index_units(index, self._keys, item, stored) for index in self._indexes)

    def _in_encoding(self, stored: Item, encoding: Encoding) -> Item:
        """Return an item with its ciphertexts in ``encoding``: the messages are the same."""
        messages = {
            name: message
            for name in map(encrypted_name, self._policy.attributes)
            if name in stored and (message := message_of(stored[name])) is not None
        }
        return {**stored, **{name: encoding.stored(message) for name, message in messages.items()}}

    def _fail(self, reason: str, item: Item, attribute: str | None) -> None:
        self.states["failing"] += 1
        failures = self.failures.setdefault(reason, Failures())
        failures.items += 1
        if attribute is not None:
            failures.attributes[attribute] += 1
        if len(failures.examples) < EXAMPLES:
            failures.examples.append({name: to_json(item[name]) for name in self._keys if name in item})

    def _too_large(self, item: Item) -> tuple[str, Item, str | None]:
        """Return why an item is too large: the largest attribute that is to be encrypted, and whether it is binary."""
        named = [name for name in self._policy.attributes if name in item]
        largest = max(named, key=lambda name: value_size(item[name]), default=None)
        if largest is not None and _grows(largest, item, self._policy.encoding):
            return INCOMPRESSIBLE, item, largest
        return ItemTooLarge.reason, item, largest


def _grows(name: str, item: Item, encoding: Encoding) -> bool:
    """Tell whether an attribute is binary that does not compress: text of the same size would shrink."""
    value = item[name]
    return next(iter(value)) in ("B", "BS") and value_size(encoding.stored(encode_value(name, value))) > value_size(
        value
    )


def _is_ciphertext_name(name: str) -> bool:
    return name.startswith(ENCRYPTED_PREFIX) and name not in MARKERS


def _named_size(name: str, item: Item) -> int:
    return len(name.encode()) + value_size(item[name])


def index_units(index: Index, table_keys: Sequence[str], before: Item, after: Item) -> int:
    """Return the write units that an item's encryption takes in an index.

    An index is written where what it holds of the item changes; its keys never do (Developer Guide, "Global secondary
    indexes", write capacity: one write of the larger of both sizes).
    """
    if not all(name in before for name in index.keys):
        return 0  # A sparse index does not hold it.
    held_before, held_after = (_held(index, table_keys, item) for item in (before, after))
    if held_before == held_after:
        return 0
    return write_units(max(item_size(held_before), item_size(held_after)))


def _held(index: Index, table_keys: Sequence[str], item: Item) -> dict[str, Any]:
    if index.projection == "ALL":
        return dict(item)
    names = {*table_keys, *index.keys, *(index.included if index.projection == "INCLUDE" else ())}
    return {name: value for name, value in item.items() if name in names}


def mean_units(growth: Growth) -> tuple[float, float, float, float]:
    """Return the means of an item with something to encrypt: the units of consistent reads before and
    after, of its write, and of its writes in indexes.

    Of one that is encrypted already its present size is all that is known.
    """

    def mean(sizes: Sizes, units: Callable[[int], float]) -> float:
        count = sizes.count + growth.encrypted.count
        return (sizes.sum_of(units) + growth.encrypted.sum_of(units)) / count if count else 0.0

    count = growth.before.count
    return (
        mean(growth.before, read_units),
        mean(growth.after, read_units),
        mean(growth.written, write_units),
        growth.index_units / count if count else 0.0,
    )
