"""DynamoDB Local for the whole run, and a database of its own for each test; skipped, loudly, where it is missing."""

import warnings
from collections.abc import Iterator
from itertools import count
from typing import Final

import pytest
from moto import mock_aws

from local.dynamodb_local import DynamoDBLocal, installed
from local.errors import LocalStackError

_DATABASES: Final = count()


@pytest.fixture(scope="session")
def dynamodb_local() -> Iterator[str]:
    """DynamoDB Local's URL."""
    try:
        installed()
    except LocalStackError as error:
        warnings.warn(f"NOTHING WAS PROVED on DynamoDB Local: {error}", stacklevel=1)
        pytest.skip(f"NOT RUN: {error}")
    with DynamoDBLocal() as running:
        yield running.url


@pytest.fixture
def database(dynamodb_local: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty database, which boto3's clients for DynamoDB and its streams use; moto for all other services."""
    # DynamoDB Local keeps a database for each access key id and Region.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"test{next(_DATABASES)}")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamodb_local)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB_STREAMS", dynamodb_local)
    with mock_aws(config={"core": {"mock_credentials": False}}):
        yield
