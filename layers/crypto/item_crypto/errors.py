"""What can go wrong, as classes that tell a caller what to do next.

::

    ItemCryptoError
    ├── PermanentError              the item needs a person: to the failure queue, never retried by itself
    │   ├── UnsupportedValue        a value that DynamoDB cannot hold, or bytes that are no such value
    │   ├── ItemTooLarge            over DynamoDB's 400 KB
    │   ├── ContextUnusable         the encryption context cannot be made from the item's key
    │   ├── UnknownForm             an encrypted attribute in no form that this package knows
    │   ├── MarkerUnusable          is_encrypted is missing or no boolean where it must decide
    │   ├── ConflictUnresolved      a second conflict where the first one still stands
    │   ├── InvalidRequest          a service refuses what is asked for this item as malformed
    │   │   └── ConditionTooLong    a write would rest on more attributes than a condition can name
    │   ├── MessageRefused          a message that somebody else made is not stored
    │   ├── EncryptionOff           nor is any, for an attribute that is stored in the clear
    │   ├── TenantShredded          the key that a write needs was destroyed on purpose
    │   ├── CallRefused             the drop-in for boto3 has no such call, or not with these arguments
    │   │   └── ExpressionRefused   an expression needs a value that DynamoDB cannot see
    │   └── DecryptionFailed        verification failed; what outsiders see is one uniform sentence
    │       ├── KeyNotListed        encrypted under a key that is neither current nor among the earlier ones
    │       └── KeyDestroyed        its key was destroyed on purpose
    ├── TransientError              the same call may succeed later, for this item
    │   ├── KeyNotReady             its key has yet to be made
    │   └── OutcomeUnknown          a write was sent, and nobody knows whether it took effect
    └── SystemicError               no item can succeed until somebody acts (key disabled, access denied)
        ├── KeyUnusable             only items under one earlier key cannot; all others can
        └── ConfigurationError      refused at start

No message of these classes holds a value, a key or a token; ``reason`` is a fixed kebab-case word for logs,
metrics and dead letters.
"""

from typing import ClassVar


class ItemCryptoError(Exception):
    """The root of all errors of this package."""

    reason: ClassVar[str] = "item-crypto-error"


class PermanentError(ItemCryptoError):
    """Trying again cannot help; a person has to look at the item."""

    reason = "permanent"


class UnsupportedValue(PermanentError):
    """A value is not one that DynamoDB can hold, or stored bytes do not decode to such a value."""

    reason = "unsupported-value"


class ItemTooLarge(PermanentError):
    """The item would exceed DynamoDB's limit of 400 KB, in plaintext or encrypted.

    Attributes:
        size: what was computed, in bytes by DynamoDB's size rules; None where DynamoDB itself refused it.
    """

    reason = "item-too-large"

    def __init__(self, message: str, size: int | None = None) -> None:
        super().__init__(message)
        self.size = size


class ContextUnusable(PermanentError):
    """The encryption context cannot be made: a part of the key is missing, empty or of the wrong type.

    Attributes:
        attribute: the name of the part.
    """

    reason = "context-unusable"

    def __init__(self, message: str, attribute: str) -> None:
        super().__init__(message)
        self.attribute = attribute


class UnknownForm(PermanentError):
    """An encrypted attribute holds neither a current message nor one in LISA's old form."""

    reason = "unknown-form"


class MarkerUnusable(PermanentError):
    """is_encrypted is missing or not a boolean where it has to decide between two values."""

    reason = "marker-unusable"


class ConflictUnresolved(PermanentError):
    """A conflicting value would replace an earlier conflicting value that nobody has looked at."""

    reason = "conflict-unresolved"


class InvalidRequest(PermanentError):
    """DynamoDB or KMS refuses the request for this item as malformed."""

    reason = "invalid-request"


class ConditionTooLong(InvalidRequest):
    """A write would rest on more attributes of the item than one condition of DynamoDB's can name. Nothing was sent."""

    reason = "condition-too-long"


class MessageRefused(PermanentError):
    """A message that somebody else made is none that may be stored as it is; nothing was.

    Attributes:
        attribute: the name of the attribute that it was to be the ciphertext of.
        detail: a fixed kebab-case word: ``not-a-message``, ``key-not-current``, ``other-context``, …
    """

    reason = "message-refused"

    def __init__(self, attribute: str, detail: str) -> None:
        super().__init__(f"the message is refused: {detail}")
        self.attribute = attribute
        self.detail = detail


class EncryptionOff(PermanentError):
    """A ciphertext is given for an attribute whose values are to be stored in the clear; nothing was stored.

    Attributes:
        attribute: the attribute's name.
    """

    reason = "encryption-off"

    def __init__(self, attribute: str) -> None:
        super().__init__("the attribute is to be stored in the clear")
        self.attribute = attribute


class TenantShredded(PermanentError):
    """The key that a write needs was destroyed on purpose, with all that its tenant had: there will be none again."""

    reason = "tenant-shredded"

    def __init__(self) -> None:
        super().__init__("the tenant's key was destroyed on purpose")


class CallRefused(PermanentError):
    """The drop-in for boto3 does not make this call: it would carry items past encryption. Nothing was sent.

    Attributes:
        operation: boto3's name of the call.
    """

    reason = "call-refused"

    def __init__(self, operation: str, instead: str) -> None:
        super().__init__(f"{operation} is refused: {instead}")
        self.operation = operation


class ExpressionRefused(CallRefused):
    """An expression needs a value that is encrypted, or names what only the stored form has. Nothing was sent.

    Attributes:
        attribute: the attribute that it names; None where it cannot be read at all.
    """

    reason = "expression-refused"

    def __init__(self, attribute: str | None, instead: str) -> None:
        super().__init__("the expression" if attribute is None else f"the expression with {attribute}", instead)
        self.attribute = attribute


class DecryptionFailed(PermanentError):
    """A ciphertext could not be verified and decrypted; ``detail`` is for logs only.

    Attributes:
        detail: a fixed kebab-case word: ``context-mismatch``, ``not-authentic``, ``wrong-attribute``, …
    """

    reason = "decryption-failed"

    def __init__(self, detail: str) -> None:
        super().__init__("the item could not be decrypted")
        self.detail = detail


class KeyNotListed(DecryptionFailed):
    """The message names a KMS key that is neither the current one nor among the earlier ones."""

    reason = "key-not-listed"

    def __init__(self) -> None:
        super().__init__("key-not-listed")


class KeyDestroyed(DecryptionFailed):
    """The key that a message needs was destroyed on purpose: what is encrypted under it is gone, and stays so."""

    reason = "key-destroyed"

    def __init__(self) -> None:
        super().__init__("key-destroyed")


class TransientError(ItemCryptoError):
    """A service was throttled, timed out or failed; the same call may succeed later.

    Attributes:
        service: ``kms``, ``dynamodb``, ``sqs``, …: who answered so.
        code: the service's error code or the name of the client's exception.
    """

    reason = "transient"

    def __init__(self, service: str, code: str) -> None:
        super().__init__(f"{service}: {code}")
        self.service = service
        self.code = code


class KeyNotReady(TransientError):
    """The key that an item needs has yet to be made, by somebody with more rights."""

    reason = "key-not-ready"

    def __init__(self) -> None:
        super().__init__("keys", "not-ready")


class OutcomeUnknown(TransientError):
    """A write was sent and its answer lost: it may have taken effect, and may yet. Whoever asked for it has to look."""

    reason = "outcome-unknown"


class SystemicError(ItemCryptoError):
    """A service refuses every call until somebody acts: denied, disabled, not found.

    Attributes:
        service: ``kms``, ``dynamodb``, ``sqs``, …: who answered so.
        code: the service's error code or the name of the client's exception.
    """

    reason = "systemic"

    def __init__(self, service: str, code: str) -> None:
        super().__init__(f"{service}: {code}")
        self.service = service
        self.code = code


class KeyUnusable(SystemicError):
    """KMS refuses a key that is not the current one: disabled, denied, pending deletion.

    It concerns the items under that key and nobody else, so whoever works on many items counts it as that item's
    failure and goes on.
    """

    reason = "key-unusable"


class ConfigurationError(SystemicError):
    """The configuration cannot work or would not be safe; refused before any item is touched."""

    reason = "configuration"

    def __init__(self, message: str) -> None:
        ItemCryptoError.__init__(self, message)
        self.service = "configuration"
        self.code = "refused"
