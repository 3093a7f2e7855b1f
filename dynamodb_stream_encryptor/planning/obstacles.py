"""What stands in the way of encrypting a table, and what is worth knowing before. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dynamodb_stream_encryptor.counted import counted
from dynamodb_stream_encryptor.planning.growth import COLLISION, INCOMPRESSIBLE, Growth
from dynamodb_stream_encryptor.planning.survey import Survey
from dynamodb_stream_encryptor.planning.table import Table
from item_crypto.core.context import PURPOSE, RESERVED_PREFIX
from item_crypto.core.stored_form import ENCRYPTED_PREFIX, IS_ENCRYPTED, MARKERS, encrypted_name, is_taken

_CANDIDATES: Final = 12  # Attributes that are named where none is chosen.
_TAKEN: Final = re.compile(r"[A-Za-z0-9_.-]{1,255}")  # What the template's parameters take as a name.


@dataclass(frozen=True)
class Finding:
    """Something about a table.

    Attributes:
        code: a fixed kebab-case word.
        message: what it is, and what helps.
        in_the_way: whether the table cannot be encrypted as asked for while it is so.
        items: how many items of those that were looked at it concerns; None where it concerns the table.
        examples: keys of some of them, as DynamoDB JSON.
    """

    code: str
    message: str
    in_the_way: bool = True
    items: int | None = None
    examples: Sequence[Mapping[str, Any]] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as the document has it."""
        more = {} if self.items is None else {"items": self.items, "examples": list(self.examples)}
        return {"code": self.code, "message": self.message, "inTheWay": self.in_the_way, **more}


def of_table(table: Table, single_writing_region: bool, deployed: bool) -> Iterator[Finding]:
    """Yield what there is about a table, whatever is to be encrypted.

    Args:
        table: the table.
        single_writing_region: the user's word that one Region alone writes.
        deployed: whether a stack works on it already.
    """
    for name in table.keys:
        if name == PURPOSE or name.startswith(RESERVED_PREFIX):
            yield Finding(
                "key-name-reserved",
                f"The key attribute {name} cannot be part of the encryption context: that name is reserved.",
            )
        elif not _TAKEN.fullmatch(name):
            yield Finding(
                "key-name-unusable",
                f"The key attribute {name} has a name that the template's parameter ContextAttributes does not take: "
                "letters, digits and the characters _ . - only.",
            )
    if table.replicas and table.consistency != "STRONG" and not single_writing_region:
        yield Finding(
            "replicas",
            f"The table is replicated to {', '.join(table.replicas)}, where the last writer wins: a conditional write "
            "holds within a Region only. If one Region alone writes, say so with --single-writing-region.",
        )
    if table.stream is None:
        yield Finding(
            "no-stream",
            "The table has no stream, which is what triggers encryption. Give it one of KEYS_ONLY: the commands are "
            "below.",
        )
    elif not deployed and table.stream.view != "KEYS_ONLY":
        yield Finding(
            "stream-holds-values",
            f"The stream is of {table.stream.view}: it holds values in plaintext for a day. KEYS_ONLY is enough, but a "
            "stream's view cannot be changed: other consumers would have to follow to a new one.",
            in_the_way=False,
        )
    if table.stream and table.stream.consumers and not deployed:
        yield Finding(
            "stream-has-consumers",
            f"{', '.join(table.stream.consumers)} {_read(len(table.stream.consumers))} the stream and will meet "
            "ciphertext. No more than two consumers should read one shard.",
            in_the_way=False,
        )
    yield from _copies(table)


def _copies(table: Table) -> Iterator[Finding]:
    if table.recovery:
        yield Finding(
            "recovery-holds-plaintext",
            f"Point-in-time recovery keeps today's plaintext for {counted(table.recovery_days or 35, 'day')} after the "
            "migration.",
            in_the_way=False,
        )
    if table.backups:
        yield Finding(
            "backups-hold-plaintext",
            f"{_there_are(table.backups, 'backup')} of the table in plaintext: they stay so "
            "until somebody deletes them.",
            in_the_way=False,
        )
    if table.exports:
        yield Finding(
            "exports-hold-plaintext",
            f"{_there_are(table.exports, 'export')} of the table to S3 in plaintext in the "
            "last 90 days; later ones hold ciphertext.",
            in_the_way=False,
        )
    if table.kinesis:
        yield Finding(
            "kinesis-holds-plaintext",
            f"Changes go to {counted(table.kinesis, 'Kinesis stream')}, with the items before and "
            "after: each write's plaintext is in it, and its consumers will meet ciphertext.",
            in_the_way=False,
        )


def of_names(table: Table, attributes: Sequence[str]) -> Iterator[Finding]:
    """Yield what there is about the names of the attributes that are to be encrypted."""
    keys = dict.fromkeys(table.keys, "the table")
    for index in table.indexes:
        for name in index.keys:
            keys.setdefault(name, f"the index {index.name}")
    for name in attributes:
        if name in keys:
            yield Finding("attribute-is-key", f"{name} is a key of {keys[name]}: keys cannot be encrypted.")
        elif (taken := next((n for n in (encrypted_name(name), IS_ENCRYPTED) if n in keys), None)) is not None:
            yield Finding(
                "stored-form-is-key",
                f"{taken}, which {name} needs in its stored form, is a key of {keys[taken]}.",
            )
        if is_taken(name):
            yield Finding(
                "attribute-has-stored-name", f"{name} is a name of the stored form, so it cannot be encrypted itself."
            )
        if not _TAKEN.fullmatch(name):
            yield Finding(
                "attribute-name-unusable",
                f"{name} is a name that the template's parameter EncryptedAttributes does not take: letters, digits "
                "and the characters _ . - only.",
            )
        if name == table.ttl:
            yield Finding(
                "attribute-is-ttl",
                f"{name} is the table's time to live: once it is encrypted, items no longer expire.",
            )


def nothing_chosen(table: Table, survey: Survey) -> Finding:
    """Return that nothing is to be encrypted, and what could be: what is no key, the largest first."""
    barred = {*table.keys, *(name for index in table.indexes for name in index.keys), table.ttl, *MARKERS}
    names = [one.name for one in survey if one.name not in barred and not one.name.startswith(ENCRYPTED_PREFIX)]
    could = f" Those that could be, the largest first: {', '.join(names[:_CANDIDATES])}." if names else ""
    return Finding("nothing-chosen", f"No attributes to encrypt are chosen. Give some with --attributes A,B.{could}")


def of_items(survey: Survey, growth: Growth, attributes: Sequence[str], appended: Sequence[str]) -> Iterator[Finding]:
    """Yield what there is about the items that were looked at."""
    for reason, failures in sorted(growth.failures.items()):
        count = failures.items
        blamed = ", ".join(f"{name} ({number:,})" for name, number in failures.attributes.most_common())
        # A part of a key is to blame by its name, which is no attribute to encrypt.
        sentence = _FAILURES.get(reason, "cannot be encrypted: {reason}").format(blamed=blamed or "–", reason=reason)
        verb = sentence.split(" ", 1)
        sentence = f"{_singular(verb[0]) if count == 1 else verb[0]} {verb[1]}"
        yield Finding(reason, f"{counted(count, 'item')} {sentence}", True, count, failures.examples)
    for name in attributes:
        if survey.items and not survey[name].sizes.count and not survey[encrypted_name(name)].sizes.count:
            yield Finding(
                "attribute-not-seen",
                f"No item that was looked at has {name}. Is it spelled right?",
                in_the_way=False,
            )
        elif name in appended and (others := [kind for kind in survey[name].types if kind != "L"]):
            yield Finding(
                "appended-is-no-list",
                f"{name} is said to be appended to, and is not always a list: {', '.join(others)}.",
            )
    if deferred := growth.states["deferred"]:
        yield Finding(
            "old-form",
            f"{counted(deferred, 'item')} in an older encrypted form: the sweep moves "
            f"{'it' if deferred == 1 else 'them'}, and needs the right to decrypt under the old key.",
            in_the_way=False,
            items=deferred,
        )


_FAILURES: Final = {
    INCOMPRESSIBLE: "are over DynamoDB's 400 KB once encrypted, because of binary that does not compress: {blamed}. "
    "Base64 makes it a third larger, which --encoding binary saves; keep what is still too large in S3",
    "item-too-large": "are over DynamoDB's 400 KB, encrypted or decrypted back; the largest attribute is {blamed}",
    COLLISION: "have attributes of their own that are called as markers of the stored form are, and would be "
    "overwritten: {blamed}",
    "unknown-form": "have an attribute encrypted_… that is none of this system's: it would be taken for a ciphertext",
    "context-unusable": "have a key that makes no encryption context: {blamed} is empty or missing",
    "unsupported-value": "have a value that cannot be encoded and decoded again",
}


def _singular(verb: str) -> str:
    return {"are": "is", "have": "has"}.get(verb, verb)


def _read(count: int) -> str:
    return "reads" if count == 1 else "read"


def _there_are(count: int, noun: str) -> str:
    return f"There {'is' if count == 1 else 'are'} {counted(count, noun)}"
