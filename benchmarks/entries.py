"""Who is measured: a name, words, a module of `benchmarks/contenders/` and what it is made with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

Kind: TypeAlias = Literal["limit", "kms", "binary", "hierarchical", "other"]
"""What a contender stands for where goals are judged: the best of a kind counts."""


@dataclass(frozen=True)
class Entry:
    """One contender.

    Attributes:
        name: its name in options, files and tables.
        title: what it is, in the page's words.
        kind: what it stands for.
        module: the module that makes it.
        options: what its ``make`` is given beside the parts.
        own_environment: whether it runs in `.venv-bench`, with what no other part of the project needs.
    """

    name: str
    title: str
    kind: Kind
    module: str
    options: Mapping[str, Any] = field(default_factory=dict)
    own_environment: bool = False


LIMIT: Final = "limit"
KMS: Final = "kms"
HIERARCHICAL: Final = "hierarchical"
LISA: Final = "lisa"
GUIDE: Final = "guide"
ENCRYPTION_CLIENT: Final = "encryption-client"

_OURS: Final = "benchmarks.contenders.ours"

ENTRIES: Final = (
    Entry(LIMIT, "the limit: same bytes, no encryption", "limit", "benchmarks.contenders.limit"),
    Entry(KMS, "this application, KMS keyring", "kms", _OURS),
    Entry("kms-batched", "the same, batched writes", "kms", _OURS, {"batched": True}),
    Entry("kms-binary", "the same, stored as binary", "binary", _OURS, {"batched": True, "encoding": "binary"}),
    Entry(HIERARCHICAL, "this application, a key a tenant", "hierarchical", _OURS, {"tenants": True}),
    Entry(
        "hierarchical-batched", "the same, batched writes", "hierarchical", _OURS, {"tenants": True, "batched": True}
    ),
    Entry(LISA, "LISA's own encryption", "other", "benchmarks.contenders.lisa"),
    Entry(GUIDE, "Encryption SDK, as its guide shows", "other", "benchmarks.contenders.guide", own_environment=True),
    Entry(
        ENCRYPTION_CLIENT,
        "DynamoDB Encryption Client",
        "other",
        "benchmarks.contenders.encryption_client",
        own_environment=True,
    ),
)

BY_NAME: Final = {entry.name: entry for entry in ENTRIES}


def of_kind(kind: Kind) -> tuple[str, ...]:
    """Return the names of the contenders of a kind."""
    return tuple(entry.name for entry in ENTRIES if entry.kind == kind)
