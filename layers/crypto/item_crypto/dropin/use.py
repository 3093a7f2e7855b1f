"""The record of a use: what an ``on_access`` hook is told. Names and a digest, never a value."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from item_crypto.core.codec import Item, to_json

DONE: Final = "done"


@dataclass(frozen=True)
class Use:
    """One item that was read or written, as far as configured attributes are concerned.

    Attributes:
        operation: boto3's name of it: ``get_item``, ``query``, ``update_item``, …; ``decrypt_record`` for a record of
            the stream.
        table: the table's name, as the caller gave it.
        key_names: the names of the item's key attributes.
        key_digest: SHA-256 of the key, in hexadecimal digits (:func:`key_digest`).
        decrypted: the attributes that were decrypted.
        encrypted: the attributes that were encrypted.
        keys: what identifies the keys that were used: their ARNs for KMS keys.
        outcome: ``done``; the ``reason`` of the error that the caller got; or what DynamoDB said to a write:
            ``condition-failed``, ``unprocessed`` in a batch, ``failed`` for all else, which may have taken effect.
    """

    operation: str
    table: str
    key_names: tuple[str, ...]
    key_digest: str
    decrypted: tuple[str, ...] = ()
    encrypted: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    outcome: str = DONE


OnAccess = Callable[[Use], None]
"""Told of each use; what it raises reaches the caller, who then gets no item."""


def key_digest(item: Item, names: Iterable[str]) -> str:
    """Return the digest of an item's key: SHA-256 of its DynamoDB JSON, members sorted, without white space.

    Whoever knows a key can look for its uses; a record alone does not tell the key. Numbers are in their canonical
    spelling, binary is base64. A key attribute that the item lacks is left out.
    """
    key = {name: to_json(item[name]) for name in names if name in item}
    text = json.dumps(key, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
