"""What IAM is asked for the calls that functions make: actions, resources and condition keys. Pure.

Sources: "Actions, resources, and condition keys" of DynamoDB, KMS, SQS, SNS, Lambda and CloudWatch (Service
Authorization Reference).
A transaction needs the action of each of its writes; a batch of SQS needs that of its single message, and a batch of
statements those of its statements (Developer Guide, "IAM security policies with PartiQL").
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.endpoint import Call

_SINGLE: Final = {"SendMessageBatch": "SendMessage", "DeleteMessageBatch": "DeleteMessage"}
_TRANSACTED: Final = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
_UPDATE: Final = re.compile(r'UPDATE "([A-Za-z0-9_.-]+)" ')
_EQUALS: Final = re.compile(r"=\s*(:\w+)")


@dataclass(frozen=True)
class Request:
    """One question to IAM. ``context`` maps condition keys to a value, or to a tuple of values."""

    action: str
    resource: str
    context: tuple[tuple[str, str | tuple[str, ...]], ...] = ()

    def __str__(self) -> str:
        shown = ", ".join(f"{key.rpartition(':')[2]}={value}" for key, value in self.context)
        return f"{self.action} {self.resource.split(':', 5)[-1]}" + (f" [{shown}]" if shown else "")


def requests_of(call: Call, region: str, account: str, hash_keys: Mapping[str, str]) -> Iterator[Request]:
    """Return what a call asks of IAM; ``hash_keys`` names each table's hash key."""
    asked = call.document or {}
    match call.service:
        case "dynamodb":
            yield from _dynamodb(call.operation, asked, f"arn:aws:dynamodb:{region}:{account}:table/", hash_keys)
        case "kms":
            context = sorted(asked.get("EncryptionContext", {}).items())
            names = tuple((f"kms:EncryptionContext:{name}", value) for name, value in context)
            yield Request(f"kms:{call.operation}", asked["KeyId"], names)
        case "sqs":
            queue = asked["QueueUrl"].rpartition("/")[2]
            action = _SINGLE.get(call.operation, call.operation)
            yield Request(f"sqs:{action}", f"arn:aws:sqs:{region}:{account}:{queue}")
        case "lambda":
            method, _, path = call.operation.partition(" ")
            if method == "POST":
                function = re.search(r"/functions/([^/]+)/invocations", path)
                assert function is not None, call.operation
                yield Request("lambda:InvokeFunction", f"arn:aws:lambda:{region}:{account}:function:{function[1]}")
                return
            assert method == "GET", call.operation
            assert "/event-source-mappings/" in path, call.operation
            mapping = path.rstrip("/").rpartition("/")[2]
            yield Request(
                "lambda:GetEventSourceMapping", f"arn:aws:lambda:{region}:{account}:event-source-mapping:{mapping}"
            )
        case "sns":
            yield Request(f"sns:{call.operation}", asked["TopicArn"])
        case "monitoring":
            # By smithy's protocol, whose requests name the operation in the path.
            yield Request(f"cloudwatch:{call.operation.rpartition('/')[2]}", "*")
        case _:
            raise AssertionError(f"a call that nobody thought of: {call}")


def _dynamodb(operation: str, asked: Mapping[str, Any], prefix: str, hash_keys: Mapping[str, str]) -> Iterator[Request]:
    if "TransactItems" in asked:
        for action in asked["TransactItems"]:
            ((kind, part),) = action.items()
            yield from _dynamodb(_TRANSACTED[kind], part, prefix, hash_keys)
    elif "RequestItems" in asked:
        for table, part in asked["RequestItems"].items():
            values = [_text(key[hash_keys[table]]) for key in part["Keys"]]
            yield Request(f"dynamodb:{operation}", prefix + table, _leading(values))
    elif "Statements" in asked:
        for statement in asked["Statements"]:
            found = _UPDATE.match(statement["Statement"])
            assert found is not None, "a statement that is no update"
            yield Request("dynamodb:PartiQLUpdate", prefix + found[1])
    elif "StreamArn" in asked:
        yield Request(f"dynamodb:{operation}", asked["StreamArn"])
    elif "ShardIterator" in asked:
        return  # An iterator is a secret of the service's, that names its stream; GetShardIterator was asked before.
    else:
        table = asked["TableName"]
        resource = prefix + table + (f"/index/{asked['IndexName']}" if "IndexName" in asked else "")
        values = []
        if "Key" in asked or "Item" in asked:
            values = [_text((asked.get("Key") or asked["Item"])[hash_keys[table]])]
        elif operation == "Query":
            found = _EQUALS.search(asked["KeyConditionExpression"])
            assert found is not None
            values = [_text(asked["ExpressionAttributeValues"][found[1]])]
        yield Request(f"dynamodb:{operation}", resource, _leading(values))


def _leading(values: list[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (("dynamodb:LeadingKeys", tuple(sorted(set(values)))),) if values else ()


def _text(value: Mapping[str, Any]) -> str:
    return str(next(iter(value.values())))
