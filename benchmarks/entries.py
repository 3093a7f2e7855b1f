"""Who is measured: a name, a sentence, a module of `benchmarks/contenders/` and what it is made with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True)
class Entry:
    """One contender.

    Attributes:
        name: its name in options, files and tables.
        title: what it is, in the page's words.
        module: the module that makes it.
        options: what its ``make`` is given beside the parts.
        own_environment: whether it runs in `.venv-bench`, with what no other part of the project needs.
        at_once: how many items it works on at once.
    """

    name: str
    title: str
    module: str
    options: Mapping[str, Any] = field(default_factory=dict)
    own_environment: bool = False
    at_once: int = 1


LIMIT: Final = "limit"
KMS: Final = "kms"
LISA: Final = "lisa"
GUIDE: Final = "guide"
ENCRYPTION_CLIENT: Final = "encryption-client"

ENTRIES: Final = (
    Entry(LIMIT, "the limit: the same bytes, no encryption", "benchmarks.contenders.limit", at_once=50),
    Entry(KMS, "this application, KMS keyring", "benchmarks.contenders.ours", at_once=8),
    Entry(LISA, "LISA's own form", "benchmarks.contenders.lisa"),
    Entry(GUIDE, "Encryption SDK as AWS's guide shows it", "benchmarks.contenders.guide", own_environment=True),
    Entry(
        ENCRYPTION_CLIENT,
        "DynamoDB Encryption Client",
        "benchmarks.contenders.encryption_client",
        own_environment=True,
    ),
)

BY_NAME: Final = {entry.name: entry for entry in ENTRIES}
