"""Scans in segments, page by page, over every type of key: each item is seen once."""

from typing import Any

import boto3
import pytest

from local.moto_state import segments_of_binary_keys

ITEMS = 20


def value(kind: str, n: int) -> dict[str, Any]:
    return {kind: {"S": f"k{n}", "N": str(n - 3), "B": bytes([n, 255])}[kind]}


@pytest.mark.parametrize("kinds", ["N", "B", "NN", "SB", "BN"])
@pytest.mark.usefixtures("aws")
def test_each_item_is_seen_once(kinds: str):
    names = ["p", "r"][: len(kinds)]
    dynamodb = boto3.client("dynamodb")
    dynamodb.create_table(
        TableName="table",
        KeySchema=[{"AttributeName": n, "KeyType": k} for n, k in zip(names, ("HASH", "RANGE"), strict=False)],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": k} for n, k in zip(names, kinds, strict=True)],
        BillingMode="PAY_PER_REQUEST",
    )
    keys = [{name: value(kind, n * 7 % ITEMS) for name, kind in zip(names, kinds, strict=True)} for n in range(ITEMS)]
    for key in keys:
        dynamodb.put_item(TableName="table", Item=key)

    pages = dynamodb.get_paginator("scan")
    with segments_of_binary_keys():
        seen = [
            item
            for segment in range(3)
            for page in pages.paginate(
                TableName="table", Segment=segment, TotalSegments=3, PaginationConfig={"PageSize": 2}
            )
            for item in page["Items"]
        ]
    assert sorted(map(str, seen)) == sorted(map(str, keys))
