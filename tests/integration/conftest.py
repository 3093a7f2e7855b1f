"""What many of these tests stand on; a module with another world has a fixture of its own of that name."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from migrator.application import application
from tests.branch_keys import HIERARCHICAL, create_branch_key_table
from tests.migration import Migration
from tests.operated import Operated, Run


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Migration]:
    """A table and all that migrates it."""
    with mock_aws():
        yield Migration(monkeypatch)
    application.cache_clear()
    boto3.setup_default_session()


@pytest.fixture
def branched(world: Migration) -> Migration:
    """The same, with a branch key for each user."""
    create_branch_key_table(world.dynamodb)
    world.set(**HIERARCHICAL)
    return world


@pytest.fixture
def run(world: Migration, tmp_path: Path) -> Iterator[Run]:
    """The operator's command over ``world``."""
    operated = Operated(world, tmp_path)
    yield operated
    operated.stop()
