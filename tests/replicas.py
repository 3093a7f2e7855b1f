"""Multi-Region keys on moto."""

from uuid import uuid4

import boto3
import pytest
from moto.kms.models import kms_backends


def replicated_key(monkeypatch: pytest.MonkeyPatch, region: str, other: str) -> tuple[str, str]:
    """Return the ARN of a new multi-Region key in ``region``, and that of its replica in ``other``."""
    # moto gives them ids of another length than KMS does, and its ReplicateKey takes no others.
    monkeypatch.setattr("moto.kms.models.generate_key_id", lambda *_, **__: f"mrk-{uuid4().hex}")
    arn = boto3.client("kms", region).create_key(MultiRegion=True)["KeyMetadata"]["Arn"]
    *_, account, key = arn.split(":")
    kms_backends[account][region].replicate_key(key.removeprefix("key/"), other)
    return arn, arn.replace(region, other)
