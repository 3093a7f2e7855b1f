"""What a stack loads of branch keys: nothing where it has none, and AWS's library only where one is made."""

import subprocess
import sys

import pytest


def loaded(module: str, *parts: str) -> str:
    code = f"import sys, {module}; print(sorted(n for n in sys.modules if any(part in n for part in {parts!r})))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "module", ["item_crypto", "encryptor_runtime.runtime", "stream_encryptor.handler", "reader.api"]
)
def test_module_when_imported_then_branch_keys_are_not(module: str) -> None:
    assert loaded(module, "hierarchical", "branch_keys", "key_store") == "[]\n"


def test_branch_keys_when_imported_then_what_makes_them_is_not() -> None:
    # The SDK itself imports the library wherever it is installed; its key store it does not.
    assert loaded("encryptor_runtime.branch_keys", "key_store", "providers.keystore") == "[]\n"
