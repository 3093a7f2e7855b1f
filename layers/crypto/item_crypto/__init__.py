"""Encrypts chosen attributes of DynamoDB items with the AWS Encryption SDK and a KMS key.

Use it on items that you have in hand, in either of boto3's styles::

    import boto3
    from item_crypto import ItemCipher, Keyrings, Policy, ValueCipher

    kms = boto3.client("kms")
    key_arn = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    policy = Policy(
        attributes=("history", "configuration"),
        appended=frozenset(),
        context_attributes=("userId", "sessionId"),
        purpose="session-encryption",
        enabled=True,
    )
    items = ItemCipher(ValueCipher(Keyrings(kms, key_arn)), policy)

    stored = items.encrypt_item({"userId": "user-24", "sessionId": "dlg-1", "history": [{"type": "human"}]})
    # {"userId": "user-24", "sessionId": "dlg-1", "encrypted_history": "AgR4…", "is_encrypted": True, …}
    items.decrypt_item(stored)
    # {"userId": "user-24", "sessionId": "dlg-1", "history": [{"type": "human"}]}

Rules for keys: give KMS keys by key ARN, never by an alias. ``context_attributes`` must be the whole key of the table:
they bind a ciphertext to its item, and KMS sees them in plain text. Decryption tries the current key and those listed
as earlier; never delete a key while ``verify`` finds items under it.

Compatibility: what one version stores, every later version reads. The stored form is specified in docs/format.md and
held by frozen vectors in the tests. Any AWS Encryption SDK that may use the KMS key can decrypt a message.

Whoever reads and writes a table directly changes one line, and sees its items in the clear whatever form each is
stored in::

    encryption = Encryption(ValueCipher(Keyrings(kms, key_arn)), policy)
    table = EncryptedTable(boto3.resource("dynamodb").Table("sessions"), encryption)
    table.put_item(Item={"userId": "user-24", "sessionId": "dlg-1", "history": [{"type": "human"}]})
    table.get_item(Key={"userId": "user-24", "sessionId": "dlg-1"})["Item"]["history"]
    # [{"type": "human"}]

Whoever brings a table's items into their form uses :class:`Reconciler` instead, which loses no write of others.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from item_crypto.cipher import ValueCipher
    from item_crypto.core.decide import Action, Decision, Step
    from item_crypto.core.encoding import Encoding
    from item_crypto.core.policy import Policy, Role
    from item_crypto.dropin.boto3_client import EncryptedClient
    from item_crypto.dropin.boto3_table import EncryptedTable
    from item_crypto.dropin.encryption import Encryption
    from item_crypto.dropin.stream import StreamRecord, decrypt_record
    from item_crypto.dropin.use import Use, key_digest
    from item_crypto.dynamodb.batch import Batch
    from item_crypto.dynamodb.table import Table
    from item_crypto.errors import (
        CallRefused,
        ConfigurationError,
        ConflictUnresolved,
        ContextUnusable,
        DecryptionFailed,
        ExpressionRefused,
        InvalidRequest,
        ItemCryptoError,
        ItemTooLarge,
        KeyNotListed,
        MarkerUnusable,
        OutcomeUnknown,
        PermanentError,
        SystemicError,
        TransientError,
        UnknownForm,
        UnsupportedValue,
    )
    from item_crypto.items import ItemCipher
    from item_crypto.keys.kms import Keyrings
    from item_crypto.outcome import Outcome, Status
    from item_crypto.plan import decide
    from item_crypto.reconcile import Access, Reconciler
    from item_crypto.setting import ControlTable

__all__ = [
    "Access",
    "Action",
    "Batch",
    "CallRefused",
    "ConfigurationError",
    "ConflictUnresolved",
    "ContextUnusable",
    "ControlTable",
    "Decision",
    "DecryptionFailed",
    "Encoding",
    "EncryptedClient",
    "EncryptedTable",
    "Encryption",
    "ExpressionRefused",
    "InvalidRequest",
    "ItemCipher",
    "ItemCryptoError",
    "ItemTooLarge",
    "KeyNotListed",
    "Keyrings",
    "MarkerUnusable",
    "Outcome",
    "OutcomeUnknown",
    "PermanentError",
    "Policy",
    "Reconciler",
    "Role",
    "Status",
    "Step",
    "StreamRecord",
    "SystemicError",
    "Table",
    "TransientError",
    "UnknownForm",
    "UnsupportedValue",
    "Use",
    "ValueCipher",
    "decide",
    "decrypt_record",
    "key_digest",
]

# What each name is found in. It is loaded when it is asked for: a module of this package loads this one first, and a
# function that encrypts nothing would load the AWS Encryption SDK with it, which is half of its cold start.
_FOUND_IN: Final = {
    "Access": "reconcile",
    "Action": "core.decide",
    "Batch": "dynamodb.batch",
    "CallRefused": "errors",
    "ConfigurationError": "errors",
    "ConflictUnresolved": "errors",
    "ContextUnusable": "errors",
    "ControlTable": "setting",
    "Decision": "core.decide",
    "DecryptionFailed": "errors",
    "Encoding": "core.encoding",
    "EncryptedClient": "dropin.boto3_client",
    "EncryptedTable": "dropin.boto3_table",
    "Encryption": "dropin.encryption",
    "ExpressionRefused": "errors",
    "InvalidRequest": "errors",
    "ItemCipher": "items",
    "ItemCryptoError": "errors",
    "ItemTooLarge": "errors",
    "KeyNotListed": "errors",
    "Keyrings": "keys.kms",
    "MarkerUnusable": "errors",
    "Outcome": "outcome",
    "OutcomeUnknown": "errors",
    "PermanentError": "errors",
    "Policy": "core.policy",
    "Reconciler": "reconcile",
    "Role": "core.policy",
    "Status": "outcome",
    "Step": "core.decide",
    "StreamRecord": "dropin.stream",
    "SystemicError": "errors",
    "Table": "dynamodb.table",
    "TransientError": "errors",
    "UnknownForm": "errors",
    "UnsupportedValue": "errors",
    "Use": "dropin.use",
    "ValueCipher": "cipher",
    "decide": "plan",
    "decrypt_record": "dropin.stream",
    "key_digest": "dropin.use",
}


def __getattr__(name: str) -> Any:
    """Return what is loaded when it is asked for."""
    if name not in _FOUND_IN:
        raise AttributeError(name)
    return getattr(import_module(f"item_crypto.{_FOUND_IN[name]}"), name)
