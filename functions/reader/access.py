"""What every access to an item leaves behind in metrics, logs and audit lines."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from encryptor_runtime.runtime import Runtime
from http_api.audit import AuditLine
from item_crypto.core.codec import Item
from item_crypto.core.stored_form import View
from item_crypto.errors import (
    EncryptionOff,
    InvalidRequest,
    ItemTooLarge,
    KeyDestroyed,
    PermanentError,
    TenantShredded,
)
from item_crypto.outcome import Status
from item_crypto.reconcile import Access


@contextmanager
def invocation(runtime: Runtime, context: Any) -> Iterator[None]:
    """Begin an invocation, and write its metrics at the end, whatever happens."""
    runtime.begin(context)
    with runtime.telemetry.invocation(context):
        try:
            yield
        finally:
            runtime.telemetry.kms(runtime.meter.drain())


@contextmanager
def telling_of_keys(runtime: Runtime, line: AuditLine) -> Iterator[None]:
    """Note in ``line`` where a data key that was used within was remembered: CloudTrail has no line of that use."""
    try:
        yield
    finally:
        if runtime.meter.spared:
            line.facts["dataKey"] = "remembered"


def read(runtime: Runtime, key: Item, who: str, view: View = View.CLEAR) -> Item | None:
    """Return the item of ``key`` in ``view``, or None where there is none.

    Raises:
        PermanentError: it cannot be decrypted.
        TransientError, SystemicError: DynamoDB or KMS did not answer.
    """
    with counting_failures(runtime):
        access = runtime.reconciler.access(key, runtime.policy(), view)
    report(runtime, access, who)
    return access.item


@contextmanager
def counting_failures(runtime: Runtime) -> Iterator[None]:
    """Count an item that cannot be decrypted within; what was destroyed on purpose by itself, for no alarm."""
    try:
        yield
    except PermanentError as error:
        if isinstance(error, KeyDestroyed):
            runtime.telemetry.count("ItemsKeyDestroyed")
        elif not isinstance(error, ItemTooLarge | InvalidRequest | EncryptionOff | TenantShredded):
            runtime.telemetry.count("DecryptionsFailed")
        raise


def report(runtime: Runtime, access: Access, who: str) -> None:
    """Count and audit what became of the stored item on an access of ``who``."""
    if access.decrypted:
        runtime.telemetry.count("DecryptionsSucceeded", access.decrypted)
    runtime.telemetry.outcomes([access.outcome], who)
    if access.outcome.status in (Status.FAILED, Status.SYSTEMIC):
        # The reader has the item all the same; somebody has to see to the stored one.
        runtime.telemetry.problem("the item stays as it is stored", reason=access.outcome.reason)
