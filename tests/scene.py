"""A table, KMS keys and the package's parts over moto, as the tests of the core need them."""

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from moto.core.models import botocore_stubber

from item_crypto import ItemCryptoError, Keyrings, Policy, Reconciler, Role, Table, ValueCipher, decide
from item_crypto.core.codec import Item, Value
from item_crypto.core.context import encryption_context
from item_crypto.core.settle import settle
from item_crypto.core.stored_form import conflict_name, encrypted_name, in_the_clear
from item_crypto.forms import open_envelope
from item_crypto.keys.meter import KmsMeter
from tests import lisa
from tests.faults import interrupting
from tests.tables import create_table

REGION: Final = "eu-central-1"
NOW: Final = datetime(2026, 1, 2, 8, 30, tzinfo=UTC)
TABLE: Final = "sessions"
CLIENT: Final[dict[str, Any]] = {
    "region_name": REGION,
    "aws_access_key_id": "testing",
    "aws_secret_access_key": "testing",
    "config": Config(retries={"total_max_attempts": 1}),  # boto3 waits between attempts
}

POLICY: Final = Policy(
    attributes=("history", "configuration"),
    appended=frozenset(),
    context_attributes=("userId", "sessionId"),
    purpose="session-encryption",
    enabled=True,
)

HISTORY: Final[Value] = {"L": [{"M": {"type": {"S": "human"}, "content": {"S": "what is the tide in Porto?"}}}]}
CONFIGURATION: Final[Value] = {"M": {"model": {"S": "small"}, "temperature": {"N": "0.7"}}}


class Scene:
    """Everything over one moto: to be made while ``mock_aws`` is on."""

    def __init__(self) -> None:
        self.kms = boto3.client("kms", **CLIENT)
        self.dynamodb = boto3.client("dynamodb", **CLIENT)  # the client of the package's own table
        self.plain = boto3.client("dynamodb", **CLIENT)  # the client of all other writers
        self._now = NOW
        self._keys = itertools.count()
        one_request_at_a_time(self.dynamodb, self.plain)
        self.key_arn, self.earlier_key_arn, self.unlisted_key_arn = (
            self.kms.create_key()["KeyMetadata"]["Arn"] for _ in range(3)
        )
        create_table(self.plain, TABLE, "sessionId", "userId")
        self.policy = POLICY
        self.meter = KmsMeter()
        self.cipher = ValueCipher(Keyrings(self.kms, self.key_arn, [self.earlier_key_arn], self.meter))
        self.earlier_cipher = ValueCipher(Keyrings(self.kms, self.earlier_key_arn))
        self.unlisted_cipher = ValueCipher(Keyrings(self.kms, self.unlisted_key_arn))
        self.table = Table(self.dynamodb, TABLE, sleep=lambda _: None)
        self.reconciler = Reconciler(self.table, self.cipher, now=lambda: self._now)

    def new_key(self) -> dict[str, Value]:
        """Return the key of an item that does not exist yet."""
        number = next(self._keys)
        return {"sessionId": {"S": f"dlg-{number}"}, "userId": {"S": f"user-{number}"}}

    def context(self, key: Item) -> dict[str, str]:
        return encryption_context(key, self.policy.context_attributes, self.policy.purpose)

    # What is stored

    def stored(self, key: Item) -> dict[str, Any] | None:
        """Return the item as it is stored."""
        return self.plain.get_item(TableName=TABLE, Key=dict(key), ConsistentRead=True).get("Item")

    def store(self, item: Item) -> None:
        """Put an item, as a plain writer does."""
        self.plain.put_item(TableName=TABLE, Item=dict(item))

    def set(self, key: Item, **attributes: Value) -> None:
        """Set attributes of an item and leave the others, as a plain writer does."""
        names = {f"#{number}": name for number, name in enumerate(attributes)}
        values = {f":{number}": value for number, value in enumerate(attributes.values())}
        clauses = ", ".join(f"#{number} = :{number}" for number in range(len(attributes)))
        self.plain.update_item(
            TableName=TABLE,
            Key=dict(key),
            UpdateExpression=f"SET {clauses}",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )

    def append(self, key: Item, name: str, *members: Value) -> None:
        """Append to a list, as a writer of ``list_append(if_not_exists(…))`` does."""
        self.plain.update_item(
            TableName=TABLE,
            Key=dict(key),
            UpdateExpression="SET #n = list_append(if_not_exists(#n, :none), :new)",
            ExpressionAttributeNames={"#n": name},
            ExpressionAttributeValues={":none": {"L": []}, ":new": {"L": list(members)}},
        )

    def delete(self, key: Item) -> None:
        self.plain.delete_item(TableName=TABLE, Key=dict(key))

    # Ciphertexts

    def encrypted(self, key: Item, **values: Value) -> dict[str, Value]:
        """Return ``encrypted_X`` in the current form for each value, under one data key."""
        return _as_attributes(self.cipher.encrypt(values, self.context(key)))

    def encrypted_earlier(self, key: Item, **values: Value) -> dict[str, Value]:
        """Return ``encrypted_X`` under the earlier KMS key."""
        return _as_attributes(self.earlier_cipher.encrypt(values, self.context(key)))

    def lisa(self, key: Item, **values: Value) -> dict[str, Value]:
        """Return ``encrypted_X`` in LISA's form."""
        context = self.context(key)
        return {
            encrypted_name(name): {"S": lisa.ciphertext(self.kms, self.key_arn, lisa.plain(value), context)}
            for name, value in values.items()
        }

    def lisa_set(self, key: Item, **values: Value) -> None:
        """Encrypt as LISA does: the ciphertext and the marker are set, the old plaintext stays where it was."""
        self.set(key, is_encrypted={"BOOL": True}, encryption_version={"S": "1.0"}, **self.lisa(key, **values))

    # What the tests ask

    def reconcile(self, key: Item, role: Role = Role.ENCRYPTOR, **changes: Any) -> Any:
        """Reconcile one key and return its outcome; ``changes`` are the policy's."""
        (outcome,) = self.reconciler.reconcile([key], replace(self.policy, **changes), role).values()
        return outcome

    def seen(self, key: Item, item: Item, **changes: Any) -> dict[str, Value]:
        """Return ``item`` as its owner is to see it; ``changes`` are the policy's."""
        policy = replace(self.policy, **changes)
        decision = decide(item, policy, Role.READER, self.cipher.keys)
        assert decision.error is None
        decrypted = self.cipher.decrypt(decision.to_view, self.context(key))
        newest = {name: target.value for name, target in settle(decision, decrypted).items()}
        return in_the_clear(item, policy.attributes, decrypted | newest)

    def held(self, key: Item, name: str) -> list[Value]:
        """Return every value that the stored item holds of one attribute: plain, encrypted, and kept as a conflict."""
        item = self.stored(key) or {}
        ciphertexts = {
            part: open_envelope(item[encrypted_name(part)])
            for part in (name, conflict_name(name))
            if encrypted_name(part) in item
        }
        plain = [item[name]] if name in item else []
        return plain + list(self.cipher.decrypt(ciphertexts, self.context(key)).values())

    def before_next_update(self, action: Callable[[], object]) -> AbstractContextManager[None]:
        """Do ``action`` exactly between the package's next read and its update: the worst moment."""
        return interrupting(self.dynamodb, "dynamodb.UpdateItem", action)


@contextmanager
def tolerating(*reasons: str) -> Iterator[None]:
    """Let errors with these reasons pass; where the write of another party may rightly make an operation fail."""
    try:
        yield
    except ItemCryptoError as error:
        if error.reason not in reasons:
            raise


def _as_attributes(ciphertexts: Mapping[str, str]) -> dict[str, Value]:
    return {encrypted_name(name): {"S": text} for name, text in ciphertexts.items()}


def one_request_at_a_time(*clients: Any) -> None:
    """Make each request of ``clients`` atomic, as DynamoDB's are; moto checks a condition and writes in two steps."""
    lock = threading.Lock()

    def answer(event_name: str, request: Any, **_: Any) -> AWSResponse | None:
        with lock:
            return botocore_stubber(event_name, request)

    for client in clients:
        client.meta.events.unregister("before-send", botocore_stubber)
        client.meta.events.register_first("before-send", answer)
