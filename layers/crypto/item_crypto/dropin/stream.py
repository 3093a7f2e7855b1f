"""Records of the table's stream in the clear, for whoever follows it: search indexes, analytics, other tables.

Of every change that a writer makes, a second record follows when the item is re-written encrypted. In the clear both
its images are alike, so ``is_change`` tells what is one to a reader of the items::

    writer puts plaintext      INSERT             is_change   new image in the clear
    it is encrypted            MODIFY             not         the same item before and after
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer

from item_crypto.core.codec import Item, Value, is_same, to_json, value_from_json
from item_crypto.dropin.encryption import Encryption
from item_crypto.errors import UnsupportedValue

_IMAGES: Final = ("OldImage", "NewImage")


@dataclass(frozen=True)
class StreamRecord:
    """A record of the stream with its images in the clear, as Python values.

    Its members are named as those of Powertools' ``DynamoDBRecord`` and ``StreamRecord``; Powertools is not needed.

    Attributes:
        event_id: what identifies the record; None where it does not say.
        event_name: ``INSERT``, ``MODIFY`` or ``REMOVE``.
        event_source_arn: the stream; None in a record of the stream's own API.
        sequence_number: its place in the shard; None where it does not say.
        keys: the item's key.
        old_image: the item before, in the clear; None where the record has none. Not shown by ``repr``.
        new_image: the item after, in the clear; None where the record has none. Not shown by ``repr``.
        is_change: whether it is a change to a reader: False only where both images are there and the same.
    """

    event_id: str | None
    event_name: str
    event_source_arn: str | None
    sequence_number: str | None
    keys: dict[str, Any] = field(repr=False)
    old_image: dict[str, Any] | None = field(repr=False)
    new_image: dict[str, Any] | None = field(repr=False)
    is_change: bool

    @classmethod
    def of(cls, record: Mapping[str, Any], encryption: Encryption) -> "StreamRecord":
        """Return ``record`` in the clear.

        Args:
            record: as Lambda's event or the stream's API (boto3's ``get_records``) has it; Powertools'
                ``DynamoDBRecord`` as well.
            encryption: how the table's items are encrypted.

        Raises:
            UnsupportedValue: it is no such record.
            PermanentError: an image cannot be decrypted.
            TransientError, SystemicError: KMS did not answer, or refuses.
        """
        change = _change(record)
        images = _clear(record, change, encryption)
        old, new = (images.get(name) for name in _IMAGES)
        return cls(
            record.get("eventID"),
            str(record.get("eventName")),
            record.get("eventSourceARN"),
            change.get("SequenceNumber"),
            _python(_typed(change.get("Keys", {}))),
            None if old is None else _python(old),
            None if new is None else _python(new),
            old is None or new is None or not _is_same_item(old, new),
        )


def decrypt_record(record: Mapping[str, Any], encryption: Encryption) -> dict[str, Any]:
    """Return a copy of ``record`` whose images are in the clear, in the form that it came in.

    In Lambda's event binary values are base64 text, in the stream's API bytes. Powertools' ``DynamoDBRecord`` gives a
    record in Lambda's form, of which it can be made again.

    Raises: as for :meth:`StreamRecord.of`.
    """
    change = _change(record)
    has_bytes = isinstance(change.get("ApproximateCreationDateTime"), datetime)
    images: dict[str, Any] = _clear(record, change, encryption)
    if not has_bytes:
        images = {image: {name: to_json(value) for name, value in item.items()} for image, item in images.items()}
    return {**record, "dynamodb": {**change, **images}}


def _change(record: Mapping[str, Any]) -> Mapping[str, Any]:
    change = record.get("dynamodb")
    if not isinstance(change, Mapping):
        raise UnsupportedValue("a stream record without a change")
    return change


def _clear(record: Mapping[str, Any], change: Mapping[str, Any], encryption: Encryption) -> dict[str, dict[str, Value]]:
    """Return the images that a record has, in the clear."""
    names = [name for name in _IMAGES if name in change]
    table = str(record.get("eventSourceARN") or "").rpartition(":table/")[2].partition("/")[0]
    clear = encryption.clear("decrypt_record", table, [_typed(change[name]) for name in names])
    return dict(zip(names, clear, strict=True))


def _typed(image: Any) -> dict[str, Value]:
    """Return an image in the client's style, from either form."""
    if not isinstance(image, Mapping):
        raise UnsupportedValue("an image of a stream record is no item")
    return {str(name): value_from_json(_as_text(value)) for name, value in image.items()}


def _as_text(value: Any) -> Any:
    """Return a value with its bytes, as the stream's API gives them, as base64 text."""
    match value:
        case bytes() | bytearray():
            return base64.b64encode(value).decode()
        case dict():
            return {name: _as_text(member) for name, member in value.items()}
        case list():
            return [_as_text(member) for member in value]
    return value


def _python(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}


def _is_same_item(one: Item, other: Item) -> bool:
    return one.keys() == other.keys() and all(is_same(one[name], other[name]) for name in one)
