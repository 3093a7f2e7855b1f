"""Items in, items out: the surface for whoever uses this package as a library."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from item_crypto.cipher import ValueCipher
from item_crypto.core.codec import Item, check_value
from item_crypto.core.context import encryption_context
from item_crypto.core.policy import Policy, Role
from item_crypto.core.settle import settle
from item_crypto.core.stored_form import check_size, stored_form
from item_crypto.errors import ContextUnusable, UnsupportedValue
from item_crypto.plan import Settled, decide


class ItemCipher:
    """Encrypts and decrypts whole items, without a table.

    Items may be in either of boto3's styles, and come back in the style they were given in: the resource's
    (``{"userId": "user-24", "count": Decimal(1)}``) or the client's (``{"userId": {"S": "user-24"}}``).

    Args:
        cipher: encrypts and decrypts values.
        policy: which attributes, and the encryption context.
        now: returns the time, aware.
    """

    def __init__(
        self,
        cipher: ValueCipher,
        policy: Policy,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._cipher = cipher
        self._policy = policy
        self._now = now

    def encrypt_item(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``item`` in its stored form, every configured attribute encrypted; ``item`` itself is not changed.

        Whatever the policy's setting. An attribute that is already encrypted stays as it is; one in plaintext beside
        its ciphertext replaces it, save where that would lose a value: an appended list is its continuation, and
        beside LISA's old form ``is_encrypted`` tells which is newer. Only these two need the right to decrypt.

        Raises:
            ContextUnusable: a part of the encryption context is missing from the item.
            UnsupportedValue: a value is not one that DynamoDB can hold.
            UnknownForm: an encrypted attribute has no known form.
            ItemTooLarge: the item would exceed 400 KB.
            PermanentError: two values of an attribute cannot be told apart or put together.
            TransientError, SystemicError: KMS did not answer, or refuses the key.
        """
        values, is_resource_style = self._typed(item)
        check_size(values)
        policy = replace(self._policy, enabled=True, part=None)
        decision = decide(values, policy, Role.ENCRYPTOR, self._cipher.keys)
        if any(name in values for name in decision.deferred):
            decision = decide(values, policy, Role.READER, self._cipher.keys)
        if decision.error is not None:
            raise decision.error
        if not decision.changed:
            return dict(item)
        context = self._context(values)
        targets = settle(decision, self._cipher.decrypt(decision.to_decrypt, context))
        encrypted = {name: target.value for name, target in targets.items() if target.encrypted}
        messages = self._cipher.messages(encrypted, context)
        ciphertexts = {name: policy.encoding.stored(message) for name, message in messages.items()}
        stored = stored_form(values, policy.attributes, targets, ciphertexts, self._now(), policy.earlier)
        check_size(stored)
        return _untyped(stored) if is_resource_style else stored

    def decrypt_item(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``item`` in the clear, without ciphertexts and markers, in whatever form it is stored.

        Raises:
            ContextUnusable: a part of the encryption context is missing from the item.
            DecryptionFailed: a ciphertext does not belong to this item and attribute, or is not authentic.
            UnknownForm: an encrypted attribute has no known form.
            PermanentError: two values of an attribute cannot be told apart or put together.
            TransientError, SystemicError: KMS did not answer, or refuses the key.
        """
        values, is_resource_style = self._typed(item)
        decision = decide(values, self._policy, Role.READER, self._cipher.keys)
        if decision.error is not None:
            raise decision.error
        decrypted = {}
        if decision.to_view:
            decrypted = self._cipher.decrypt(decision.to_view, self._context(values))
        clear = Settled(decision, decrypted, settle(decision, decrypted)).view
        return _untyped(clear) if is_resource_style else clear

    def _context(self, item: Item) -> dict[str, str]:
        return encryption_context(item, self._policy.context_attributes, self._policy.purpose)

    def _typed(self, item: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
        """Return the item in the client's style, and whether it was in the resource's."""
        name = self._policy.context_attributes[0]
        if name not in item:
            raise ContextUnusable("a context attribute is missing", name)
        # A key attribute is a string, a number or binary, so it tells the styles apart for certain.
        if isinstance(item[name], Mapping):
            for value in item.values():
                check_value(value)
            return dict(item), False
        try:
            return {key: TypeSerializer().serialize(value) for key, value in item.items()}, True
        except (TypeError, ArithmeticError, RecursionError):
            raise UnsupportedValue("a value is not one that DynamoDB can hold") from None


def _untyped(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
