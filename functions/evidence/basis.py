"""What a verification rests on in its deployment, and what was changed of it since. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Basis:
    """What a deployment says of its table.

    Attributes:
        table: the table's name.
        attributes: the attributes to encrypt.
        earlier: those that are no longer to be encrypted, so that one in plaintext counts for nothing.
        keys: the keys that a value may be under and be decrypted: ARNs, and the table of branch keys.
        context: the names of the context's attributes, and its purpose.
    """

    table: str
    attributes: tuple[str, ...]
    earlier: tuple[str, ...]
    keys: tuple[str, ...]
    context: tuple[str, ...]


def changes(then: Basis | None, now: Basis) -> Iterator[str]:
    """Return what was changed, in a sentence each, after which a count by ``then`` does not tell of ``now``.

    An attribute or a key that is new takes nothing from what was counted; that an attribute was not looked at is told
    by the counts themselves.

    Args:
        then: what the verification rested on; None where that was not noted.
        now: what holds now.
    """
    if then is None:
        yield "Nobody knows what the verification rested on. Verify again."
        return
    if then.table != now.table:
        yield f"The verification was of another table, {then.table}. Verify this one."
    for name in now.attributes:
        if name in then.earlier:
            yield f"The attribute {name} was not to be encrypted when it was looked at. Verify again."
    if not {*then.keys} <= {*now.keys}:
        yield "A key under which values were decrypted is no longer listed. Verify again."
    if then.context != now.context:
        yield "The encryption context is another one than when it was verified. Verify again."
