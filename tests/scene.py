"""A table, KMS keys and the package's parts over moto, as the tests of the core need them."""

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import boto3
from botocore.awsrequest import AWSResponse
from moto.core import botocore_stubber

from item_crypto import Keyrings, Policy, Reconciler, Role, Table, ValueCipher, decide
from item_crypto.codec import Item, Value
from item_crypto.context import encryption_context
from item_crypto.decide import in_the_clear, settle
from item_crypto.envelope import conflict_name, encrypted_name, open_envelope
from tests import lisa

REGION: Final = "eu-central-1"
NOW: Final = datetime(2026, 1, 2, 8, 30, tzinfo=UTC)
TABLE: Final = "sessions"
CREDENTIALS: Final = {
    "region_name": REGION,
    "aws_access_key_id": "testing",
    "aws_secret_access_key": "testing",
}

POLICY: Final = Policy(
    attributes=("history", "configuration"),
    appended=frozenset(),
    context_attributes=("userId", "sessionId"),
    purpose="session-encryption",
    key_arn="arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    enabled=True,
)

HISTORY: Final[Value] = {"L": [{"M": {"type": {"S": "human"}, "content": {"S": "what is the tide in Porto?"}}}]}
CONFIGURATION: Final[Value] = {"M": {"model": {"S": "small"}, "temperature": {"N": "0.7"}}}


class Scene:
    """Everything over one moto: to be made while ``mock_aws`` is on."""

    def __init__(self) -> None:
        self.kms = boto3.client("kms", **CREDENTIALS)
        self.dynamodb = boto3.client("dynamodb", **CREDENTIALS)  # the client of the package's own table
        self.plain = boto3.client("dynamodb", **CREDENTIALS)  # the client of all other writers
        self._now = NOW
        self._keys = itertools.count()
        one_request_at_a_time(self.dynamodb, self.plain)
        self.key_arn, self.earlier_key_arn, self.unlisted_key_arn = (
            self.kms.create_key()["KeyMetadata"]["Arn"] for _ in range(3)
        )
        self.plain.create_table(
            TableName=TABLE,
            KeySchema=[
                {"AttributeName": "sessionId", "KeyType": "HASH"},
                {"AttributeName": "userId", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "sessionId", "AttributeType": "S"},
                {"AttributeName": "userId", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        self.policy = replace(POLICY, key_arn=self.key_arn)
        self.cipher = ValueCipher(self.kms, Keyrings(self.kms, self.key_arn, [self.earlier_key_arn]))
        self.earlier_cipher = ValueCipher(self.kms, Keyrings(self.kms, self.earlier_key_arn))
        self.unlisted_cipher = ValueCipher(self.kms, Keyrings(self.kms, self.unlisted_key_arn))
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

    def in_the_clear(self, key: Item) -> dict[str, Value] | None:
        """Return the item as its owner should see it, with conflicts under ``X_conflict``; nothing is written."""
        item = self.stored(key)
        if item is None:
            return None
        decision = decide(item, self.policy, Role.READER)
        assert decision.error is None
        decrypted = self.cipher.decrypt(decision.to_view, self.context(key))
        newest = {name: target.value for name, target in settle(decision, decrypted).items()}
        conflicts = {
            name: open_envelope(item[encrypted_name(name)])
            for name in map(conflict_name, self.policy.attributes)
            if encrypted_name(name) in item
        }
        return in_the_clear(item, self.policy, decrypted | newest | self.cipher.decrypt(conflicts, self.context(key)))

    def before_next_update(self, action: Callable[[], None]) -> None:
        """Do ``action`` exactly between the package's next read and its update: the worst moment."""
        client = self.dynamodb

        def competing(**_: Any) -> None:
            client.meta.events.unregister("before-parameter-build.dynamodb.UpdateItem", competing)
            action()

        client.meta.events.register("before-parameter-build.dynamodb.UpdateItem", competing)


def _as_attributes(ciphertexts: Mapping[str, str]) -> dict[str, Value]:
    return {encrypted_name(name): {"S": text} for name, text in ciphertexts.items()}


def one_request_at_a_time(*clients: Any) -> None:
    """Make each request of ``clients`` atomic, as DynamoDB's are; moto checks a condition and writes in two steps."""
    lock = threading.Lock()

    def answer(event_name: str, request: Any, **_: Any) -> AWSResponse | None:
        with lock:
            return botocore_stubber(event_name, request)

    for client in clients:
        client.meta.events.register_first("before-send.dynamodb", answer)
