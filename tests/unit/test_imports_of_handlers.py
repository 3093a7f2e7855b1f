"""Which packages a handler imports: each costs every cold start. Counted by name, since times differ by machine."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from samtranslator.yaml_helper import yaml_parse

ROOT: Final = Path(__file__).parents[2]

NOT_SHIPPED: Final = "aws_cryptographic_material_providers"
"""The SDK imports it wherever it is installed; for development it is, for the functions not."""

HTTP: Final = ("pydantic", "aws_lambda_powertools.event_handler")
HEAVY: Final = (
    *HTTP,
    "http_api",
    "evidence",
    "item_crypto.dropin",
    "item_crypto.admission",
    "aws_lambda_powertools.utilities.batch",
)
FUNCTIONS: Final = ("stream_encryptor", "reader", "migrator", "admin", "admin_page", "session_keys")

ALLOWED: Final = {
    "stream_encryptor.handler": ("aws_lambda_powertools.utilities.batch",),
    "stream_encryptor.retry": ("aws_lambda_powertools.utilities.batch",),
    "reader.handler": (*HTTP, "http_api", "item_crypto.admission"),
    "reader.item": ("aws_lambda_powertools.event_handler", "http_api", "item_crypto.admission"),
    "migrator.sweep": ("aws_lambda_powertools.utilities.batch", "evidence"),
    "migrator.deferred": ("aws_lambda_powertools.utilities.batch", "evidence"),
    "migrator.control": ("evidence",),
    "migrator.watch": ("evidence",),
    "admin.handler": (*HTTP, "http_api"),
    "session_keys.handler": (*HTTP, "http_api"),
    "admin_page.handler": (),
}
"""Which of the heavy packages each handler may import. An entry may go, and none may come without a reason."""

PROGRAM: Final = f"""
import json, sys
sys.modules[{NOT_SHIPPED!r}] = None
__import__(sys.argv[1])
print(json.dumps([name for name, module in sys.modules.items() if module is not None]))
"""


def handlers() -> list[str]:
    """Return the module of each function's handler, by the template."""
    resources: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))["Resources"]
    return [
        resource["Properties"]["Handler"].removesuffix(".lambda_handler")
        for resource in resources.values()
        if resource["Type"] == "AWS::Serverless::Function"
    ]


def imported(module: str) -> set[str]:
    """Return the modules that a new interpreter has once it has imported one."""
    path = os.pathsep.join((str(ROOT / "layers/crypto"), str(ROOT / "functions")))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, module],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


def of(names: Sequence[str], modules: set[str]) -> set[str]:
    """Return those of ``names`` that were imported."""
    return {name for name in names if name in modules}


def test_every_handler_is_looked_at() -> None:
    assert sorted(handlers()) == sorted(ALLOWED)


@pytest.mark.parametrize("handler", sorted(ALLOWED))
def test_a_handler_imports_nothing_that_only_another_needs(handler: str) -> None:
    modules = imported(handler)

    assert of(HEAVY, modules) <= set(ALLOWED[handler])
    assert of(FUNCTIONS, modules) == {handler.partition(".")[0]}


def test_the_page_of_administrators_needs_no_package_at_all() -> None:
    assert (
        of(("boto3", "botocore", "cryptography", "aws_encryption_sdk", "item_crypto"), imported("admin_page.handler"))
        == set()
    )
