"""How many dead letters a sweep may still send.

A thousand letters tell an operator what a million would, and nobody reads a million. The rest is counted.

::

    {"id": "sweep#20260102T083000-1f2e", "part": "letters", "asked": 1234}   in the control table
"""

from typing import TYPE_CHECKING, Final

from item_crypto.service_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_LETTERS: Final = 1000
"""Dead letters that one sweep sends at most."""


class Allowance:
    """Grants dead letters to sweeps. Workers of one sweep share its number, so it is kept where all of them see it.

    Args:
        dynamodb: a boto3 DynamoDB client.
        control_table: the control table's name.
    """

    def __init__(self, dynamodb: "DynamoDBClient", control_table: str) -> None:
        self._dynamodb = dynamodb
        self._table = control_table

    def take(self, sweep_id: str, wanted: int) -> int:
        """Return how many of ``wanted`` letters may be sent; they count as sent, whatever comes of them.

        So a page that is redone may get fewer, and no sweep ever sends more than ``MOST_LETTERS``.

        Raises:
            TransientError, SystemicError: DynamoDB does not answer.
        """
        if not wanted:
            return 0
        with translated("dynamodb"):
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key={"id": {"S": f"sweep#{sweep_id}"}, "part": {"S": "letters"}},
                UpdateExpression="ADD asked :wanted",
                ExpressionAttributeValues={":wanted": {"N": str(wanted)}},
                ReturnValues="UPDATED_NEW",
            )
        asked_before = int(answer["Attributes"]["asked"]["N"]) - wanted
        return min(wanted, max(0, MOST_LETTERS - asked_before))
