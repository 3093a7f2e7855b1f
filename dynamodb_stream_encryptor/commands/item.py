"""`decrypt-item`: one item in the clear."""

from typing import Annotated

import typer

from dynamodb_stream_encryptor.command import Operator, command
from dynamodb_stream_encryptor.errors import OK, Unreachable
from dynamodb_stream_encryptor.item_key import read_key
from dynamodb_stream_encryptor.plain_json import plain_json


def add(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "decrypt-item")
    def decrypt_item(
        operator: Operator,
        key: Annotated[
            str,
            typer.Argument(
                metavar="KEY",
                help="""The item's key as JSON, plain or DynamoDB's: '{"sessionId": "dlg-1", "userId": "alice"}'.""",
            ),
        ],
    ) -> int:
        """Print one item in the clear, on standard output only. The table is not changed; the access is audited.

        As plain JSON, or with --json in DynamoDB JSON, which tells every type.
        """
        answer = operator.control.act("decrypt-item", key=read_key(key))
        if operator.output.as_json:
            operator.output.document(answer)
            return OK
        try:
            operator.output.raw(plain_json(answer["item"]))
        except (AttributeError, KeyError, TypeError, ValueError):
            # From None: the error could quote the item.
            raise Unreachable("The answer is no item in DynamoDB JSON.", "unexpected-answer") from None
        return OK
