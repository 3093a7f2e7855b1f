"""What a function's response says about its batch (ReportBatchItemFailures)."""

from collections.abc import Collection
from typing import Any

ALL: None = None
"""Stands for "the whole batch failed"."""


def failed_identifiers(response: Any, batch: Collection[str]) -> set[str] | None:
    """Return the identifiers of the failed records, or `ALL` when the response fails the whole batch.

    Success is a null or empty response, or an empty or null list. An identifier that is empty, missing or not
    of this batch fails the whole batch, and so does a response of another shape ("Success and failure
    conditions" in the AWS Lambda Developer Guide).
    """
    if response is None:
        return set()
    if not isinstance(response, dict):
        return ALL
    failures = response.get("batchItemFailures")
    if failures is None:
        return set()
    if not isinstance(failures, list):
        return ALL
    identifiers = {entry.get("itemIdentifier") if isinstance(entry, dict) else None for entry in failures}
    if not identifiers <= set(batch):
        return ALL
    return {identifier for identifier in identifiers if identifier}
