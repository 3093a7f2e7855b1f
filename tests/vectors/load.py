"""Reads the frozen vectors; README.md says what is in them."""

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.fake_kms import DataKey

CURRENT_KEY: Final = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
EARLIER_KEY: Final = "arn:aws:kms:eu-central-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321"


@cache
def vectors(group: str) -> dict[str, dict[str, Any]]:
    """Return the vectors of a group by name."""
    document: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / f"{group}.json").read_text())
    return document


def vector(name: str) -> dict[str, Any]:
    """Return the vector ``group/name``."""
    group, _, member = name.partition("/")
    return vectors(group)[member]


def data_keys() -> list[DataKey]:
    """Return the data keys of all vectors, as KMS issued them."""
    keys = [entry["dataKey"] for group in ("current", "lisa", "refused") for entry in vectors(group).values()]
    return [
        DataKey(
            key["keyArn"],
            base64.b64decode(key["encrypted"]),
            base64.b64decode(key["plaintext"]),
            key["context"],
        )
        for key in keys
    ]
