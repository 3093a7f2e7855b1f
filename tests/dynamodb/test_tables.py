"""Tables of other shapes on DynamoDB Local, which checks keys, indexes and items as DynamoDB does."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from local import LocalStack
from local.__main__ import announced, main
from local.table_shape import TableShape

pytestmark = pytest.mark.usefixtures("dynamodb_local")  # Where it is missing, all this is skipped.

SHAPE: Final[dict[str, Any]] = {
    "TableName": "parts",
    "KeySchema": [{"AttributeName": "digest", "KeyType": "HASH"}, {"AttributeName": "number", "KeyType": "RANGE"}],
    "AttributeDefinitions": [
        {"AttributeName": "digest", "AttributeType": "B"},
        {"AttributeName": "number", "AttributeType": "N"},
        {"AttributeName": "at", "AttributeType": "S"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "byTime",
            "KeySchema": [{"AttributeName": "at", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["state"]},
        }
    ],
    "LocalSecondaryIndexes": [
        {
            "IndexName": "ofDigestByTime",
            "KeySchema": [
                {"AttributeName": "digest", "KeyType": "HASH"},
                {"AttributeName": "at", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
}


def item(n: int) -> dict[str, Any]:
    return {
        "digest": {"B": "AP8="},
        "number": {"N": f"{n}.5"},
        "at": {"S": "2026"},
        "state": {"S": "new"},
        "card": {"M": {"n": {"N": str(n)}}},
    }


def test_a_table_with_indexes_and_a_binary_key_is_made_loaded_encrypted_and_updated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    description, items = tmp_path / "parts.json", tmp_path / "parts.jsonl"
    description.write_text(json.dumps({"Table": SHAPE}))
    items.write_text("".join(json.dumps(item(n)) + "\n" for n in range(60)))
    parameters = {"EncryptedAttributes": "card,address", "SettingCacheSeconds": "0"}
    shape = TableShape.in_file(description)
    stack = LocalStack(dynamodb="local", table=shape, parameters=parameters, state_directory=tmp_path)
    state = ["--state-directory", str(tmp_path)]
    with stack, announced(stack):
        dynamodb = stack.client("dynamodb")
        table = dynamodb.describe_table(TableName="parts")["Table"]
        for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
            (made,) = table[kind]
            assert {name: made[name] for name in ("IndexName", "KeySchema", "Projection")} == SHAPE[kind][0]

        assert main(["load", str(items), *state]) == 0
        stack.wait_until_idle(120)
        stored = dynamodb.scan(TableName="parts", ConsistentRead=True)["Items"]
        assert len(stored) == 60
        assert all("encrypted_card" in one and "card" not in one for one in stored)

        assert main(["update", "--parameter", "EncryptionEnabled=false", *state]) == 0
        answer = stack.invoke("ItemReaderFunction", {"Key": {name: item(7)[name] for name in ("digest", "number")}})
        assert answer["Item"]["card"] == item(7)["card"]

        items.write_text(json.dumps(item(1)) + "\n" + json.dumps(item(2) | {"at": {"S": ""}, "card": {"S": "secret"}}))
        capsys.readouterr()
        assert main(["load", str(items), *state]) == 1
        assert capsys.readouterr().err == "local: parts.jsonl, line 2: DynamoDB refuses the item\n"
