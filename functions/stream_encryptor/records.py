"""Stream records: which of them hint at work, and at which key."""

from collections.abc import Callable, Mapping
from typing import Any

from encryptor_runtime.messages import Hint
from item_crypto.core.codec import Item, from_json, key_from_json
from item_crypto.errors import UnsupportedValue


def hint_of(record: Mapping[str, Any], needs_work: Callable[[Item], bool]) -> Hint | None:
    """Return the hint in a stream record, or None where the record tells that there is nothing to do.

    A REMOVE leaves nothing to encrypt. A record that carries the new image is decided on as it stands: if that image
    needs nothing, a later one that does has a record of its own. Streams of the view type KEYS_ONLY, which this
    application makes, carry none.

    Args:
        record: one of ``Records`` in Lambda's event, binary values as base64 text.
        needs_work: tells whether an item, as it stands in an image, is to be changed or deferred.

    Raises:
        UnsupportedValue: the record has no usable key.
    """
    if record.get("eventName") == "REMOVE":
        return None
    change = record.get("dynamodb")
    if not isinstance(change, Mapping):
        raise UnsupportedValue("a stream record without a change")
    key = key_from_json(change.get("Keys"))
    if "NewImage" in change and not _needs_work(change["NewImage"], needs_work):
        return None
    written_at = change.get("ApproximateCreationDateTime")
    return Hint(key, record.get("eventID"), float(written_at) if isinstance(written_at, int | float) else None)


def _needs_work(image: Mapping[str, Any], needs_work: Callable[[Item], bool]) -> bool:
    try:
        item = {name: from_json(value) for name, value in image.items()}
    except (TypeError, ValueError):
        return True  # The item itself, read anew, decides.
    return needs_work(item)
