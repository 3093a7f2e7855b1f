"""What each handler loads when it is imported, by module names: a function's cold start is mostly imports.

Times are measured elsewhere and depend on the machine; names do not. A package that a handler loads without need is one
more line here, and one that it no longer loads is one less.
"""

import json
import subprocess
import sys

import pytest

from tests.unit.sam_template import ROOT, source

COSTLY = (
    "aws_encryption_sdk",
    "aws_lambda_powertools",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.batch",
    "boto3",
    "botocore",
    "cryptography",
    "evidence",
    "item_crypto.dropin",
    "pydantic",
)
"""Packages that take more than a few milliseconds, and those of ours that only one function needs."""

AWS = {"aws_lambda_powertools", "boto3", "botocore"}
ENCRYPTION = {"aws_encryption_sdk", "cryptography"}
API = {"aws_lambda_powertools.event_handler", "pydantic"}
QUEUE = {"aws_lambda_powertools.utilities.batch"}
EVIDENCE = {"evidence"}

LOADED = {
    "stream_encryptor.handler": AWS | ENCRYPTION,
    "stream_encryptor.retry": AWS | ENCRYPTION | QUEUE,
    "reader.handler": AWS | ENCRYPTION | API,
    "reader.item": AWS | ENCRYPTION,
    "migrator.sweep": AWS | ENCRYPTION | EVIDENCE | QUEUE,
    "migrator.deferred": AWS | ENCRYPTION | EVIDENCE | QUEUE,
    "migrator.control": AWS | ENCRYPTION | EVIDENCE,
    "migrator.watch": AWS | EVIDENCE,
    "admin.handler": AWS | API,
    "session_keys.handler": AWS | API,
    "admin_page.handler": set(),
}


def handlers() -> set[str]:
    """Return the modules of all handlers that the template names."""
    functions = [one for one in source()["Resources"].values() if one["Type"] == "AWS::Serverless::Function"]
    return {function["Properties"]["Handler"].removesuffix(".lambda_handler") for function in functions}


def test_every_handler_is_looked_at():
    assert handlers() == LOADED.keys()


@pytest.mark.parametrize("handler", LOADED)
def test_handler_loads_what_it_needs_and_nothing_that_only_another_needs(handler: str):
    program = f"import json, sys, {handler}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": f"{ROOT / 'layers/crypto'}:{ROOT / 'functions'}", "AWS_DEFAULT_REGION": "eu-west-1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(COSTLY) & set(json.loads(done.stdout)) == LOADED[handler]
