"""What every test stands on: no real account, and moto where AWS is needed."""

import gc
import logging
import os
from collections.abc import Iterator

import pytest
from aws_lambda_powertools.logging.filters import SuppressFilter
from hypothesis import settings
from moto import mock_aws

from tests import made_once
from tests.scene import REGION, Scene

made_once.install()

settings.register_profile("project", deadline=None, max_examples=150)
settings.register_profile("mutants", deadline=None, max_examples=20, database=None)  # For `make mutants`.
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "project"))


def pytest_collection_finish() -> None:
    """Spare Python's collector what lasts to the end: it would go through all of it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True)
def _no_real_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


@pytest.fixture(autouse=True)
def _no_loggers_left() -> Iterator[None]:
    """Forget the loggers that a test made: Powertools filters every line of later tests for each of them."""
    before = set(logging.root.manager.loggerDict)
    yield
    for name in logging.root.manager.loggerDict.keys() - before:
        if name.startswith("test-"):
            del logging.root.manager.loggerDict[name]
    for handler in logging.root.handlers:
        for kept in [each for each in handler.filters if isinstance(each, SuppressFilter)]:
            handler.removeFilter(kept)


@pytest.fixture
def aws() -> Iterator[None]:
    """AWS by moto, in this process, empty."""
    with mock_aws():
        yield


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """A table, two keys and everything of the package over them; tests of a module share it and use own item keys."""
    with mock_aws():
        yield Scene()
