"""How the bytes of a message stand in an attribute: as base64 text, or as they are.

::

    base64    {"S": "AgR4…"}      four bytes for each three of the message
    binary    {"B": b"\\x02\\x04x…"}   the message

Both are always read, told apart by the attribute's type. The message is the same in either, so it can be put from one
into the other without a key.
"""

import base64
from enum import Enum

from item_crypto.core.codec import Value, decode_base64


class Encoding(Enum):
    """How the bytes of a message stand in an attribute."""

    BASE64 = "base64"
    BINARY = "binary"

    def stored(self, message: bytes) -> Value:
        """Return the attribute value, in the style of boto3's client, that holds ``message``."""
        return {"B": message} if self is Encoding.BINARY else {"S": base64.b64encode(message).decode()}


def encoding_of(value: Value) -> Encoding:
    """Return the encoding that ``value`` has, if it holds a message at all."""
    return Encoding.BINARY if "B" in value else Encoding.BASE64


def message_of(value: Value) -> bytes | None:
    """Return the bytes that ``value`` holds in either encoding, or None where it holds none."""
    content = value.get("B")
    return bytes(content) if isinstance(content, bytes | bytearray) else decode_base64(value.get("S"))
