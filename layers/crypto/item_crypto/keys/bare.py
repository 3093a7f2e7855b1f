"""Bare data keys, for somebody who encrypts and decrypts elsewhere: a browser, say.

::

    GenerateDataKey  the current key,         context  →  plaintext key, encrypted key
    Decrypt          each key, by its ARN,    context  →  plaintext key

They are what the KMS keyrings of ``kms.py`` ask for themselves: so a message that is made with one elsewhere, and
names the KMS key by its ARN, is a message like any other here, and the other way round.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from item_crypto.errors import DecryptionFailed, InvalidRequest, SystemicError
from item_crypto.keys.identity import check_key_arn
from item_crypto.keys.meter import KmsMeter
from item_crypto.keys.protocol import Context
from item_crypto.service_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

SIZE: Final = 32
"""Bytes of a data key, as the suites with AES-256 take it."""

_ANOTHER_KEY: Final = "IncorrectKeyException"

# What KMS, or boto3 before it is asked, says of a request of a wrong shape.
_MALFORMED: Final = frozenset({"ValidationException", "ParamValidationError"})

# What KMS says of a ciphertext that is damaged or was made under another context, or is no ciphertext by its size.
_WRONG_CIPHERTEXT: Final = frozenset({"InvalidCiphertextException"}) | _MALFORMED


@dataclass(frozen=True)
class BareKey:
    """A new data key.

    Attributes:
        key_arn: the KMS key that it is encrypted under.
        encrypted: what KMS decrypts again, under the same context.
        plaintext: the key itself, 32 bytes.
    """

    key_arn: str
    encrypted: bytes = field(repr=False)
    plaintext: bytes = field(repr=False)


class BareKeys:
    """Makes data keys, and decrypts those that it made.

    Both methods raise TransientError or SystemicError where KMS does not answer or refuses.

    Args:
        kms: a boto3 KMS client.
        key_arn: the key that new data keys come from.
        earlier_key_arns: keys that data keys may still be encrypted under.
        meter: told how long each call to KMS took.

    Raises:
        ConfigurationError: a key is not given by its key ARN.
    """

    def __init__(self, kms: "KMSClient", key_arn: str, earlier_key_arns: Sequence[str], meter: KmsMeter) -> None:
        self._kms = kms
        self._key_arn = check_key_arn(key_arn)
        self._key_arns = (key_arn, *(check_key_arn(arn) for arn in earlier_key_arns if arn != key_arn))
        self._meter = meter

    def generate(self, context: Context) -> BareKey:
        """Return a new data key for ``context``.

        Raises:
            InvalidRequest: KMS does not take the context.
        """
        try:
            with self._calling():
                answer = self._kms.generate_data_key(
                    KeyId=self._key_arn, KeySpec="AES_256", EncryptionContext=dict(context)
                )
        except SystemicError as error:
            if error.code in _MALFORMED:
                raise InvalidRequest("KMS refuses the encryption context as malformed") from None
            raise
        made = BareKey(answer["KeyId"], answer["CiphertextBlob"], answer["Plaintext"])
        if made.key_arn != self._key_arn or len(made.plaintext) != SIZE:
            raise SystemicError("kms", "unexpected-data-key")
        return made

    def decrypt(self, encrypted: bytes, context: Context) -> bytes:
        """Return the data key, 32 bytes, that one of the keys encrypted as ``encrypted`` under ``context``.

        KMS does not say under which key it is, so each is tried by its ARN, the current one first. One that refuses
        for a reason of its own (disabled, denied) hides none of the others, and is told where none of them fits.

        Raises:
            DecryptionFailed: none of the keys did.
        """
        refusals = []
        for key_arn in self._key_arns:
            try:
                plaintext = self._decrypted(key_arn, encrypted, context)
            except SystemicError as error:
                refusals.append(error)
            else:
                if plaintext is not None:
                    return plaintext
        raise refusals[0] if refusals else DecryptionFailed("under-no-listed-key")

    def _decrypted(self, key_arn: str, encrypted: bytes, context: Context) -> bytes | None:
        """Return the data key, or None where it is under another KMS key."""
        try:
            with self._calling():
                answer = self._kms.decrypt(KeyId=key_arn, CiphertextBlob=encrypted, EncryptionContext=dict(context))
        except SystemicError as error:
            if error.code == _ANOTHER_KEY:
                return None
            if error.code in _WRONG_CIPHERTEXT:
                raise DecryptionFailed("not-issued-under-this-context") from None
            raise
        if answer["KeyId"] != key_arn:
            return None
        if len(answer["Plaintext"]) != SIZE:
            # Something else that was encrypted under this key and context: no data key, so none of its bytes leave.
            raise DecryptionFailed("no-data-key")
        return answer["Plaintext"]

    @contextmanager
    def _calling(self) -> Iterator[None]:
        started = time.perf_counter()
        try:
            with translated("kms"):
                yield
        finally:
            self._meter.add((time.perf_counter() - started) * 1000)
