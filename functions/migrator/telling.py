"""Sends notices to a topic, each once.

::

    {"id": "notices", "part": "ended#20260102T083000-1f2e", "claimedAt": …, "sentAt": …}   in the control table

    claim ─┬─ published ── noted as sent
           ├─ refused: the claim lapses, and the next look tries again
           └─ a crash before it is noted: the next look sends it again; twice is better than never
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import ClientError

from item_crypto.service_errors import error_code, translated
from migrator.notices import Notice

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CLAIM: Final = timedelta(minutes=4)  # Longer than the watcher runs, shorter than from one look to the next.

_UNCLAIMED: Final = "attribute_not_exists(id) OR (attribute_not_exists(sentAt) AND claimedAt < :past)"


class Publisher(Protocol):
    """What is needed of a boto3 SNS client."""

    def publish(self, **arguments: Any) -> Any:
        """Publish a message to a topic."""


class Telling:
    """Sends notices.

    Args:
        dynamodb: a boto3 DynamoDB client.
        control_table: the control table's name.
        sns: a boto3 SNS client.
        topic_arn: the topic.
        stack: the stack's name, which subscribers can filter by.
        now: returns the time, aware.
    """

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        control_table: str,
        sns: Publisher,
        topic_arn: str,
        stack: str,
        now: Callable[[], datetime],
    ) -> None:
        self._dynamodb = dynamodb
        self._table = control_table
        self._sns = sns
        self._topic = topic_arn
        self._stack = stack
        self._now = now

    def tell(self, notice: Notice) -> bool:
        """Send a notice; return False where it was sent already, or somebody else is about to.

        Raises:
            TransientError, SystemicError: DynamoDB or SNS did not answer; the next look tries again.
        """
        now = self._now()
        row = {"id": {"S": "notices"}, "part": {"S": notice.mark}, "claimedAt": {"S": now.isoformat()}}
        with translated("dynamodb"):
            try:
                self._dynamodb.put_item(
                    TableName=self._table,
                    Item=row,
                    ConditionExpression=_UNCLAIMED,
                    ExpressionAttributeValues={":past": {"S": (now - _CLAIM).isoformat()}},
                )
            except ClientError as error:
                if error_code(error) == "ConditionalCheckFailedException":
                    return False
                raise
        attributes = {"event": notice.event, "sweep": notice.sweep, "stack": self._stack}
        with translated("sns"):
            self._sns.publish(
                TopicArn=self._topic,
                Subject=notice.subject,
                Message=notice.text,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
            )
        with translated("dynamodb"):
            self._dynamodb.put_item(TableName=self._table, Item={**row, "sentAt": {"S": self._now().isoformat()}})
        return True
