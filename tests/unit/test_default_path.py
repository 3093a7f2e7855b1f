"""What a stack without branch keys loads: nothing of them."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module", ["item_crypto", "encryptor_runtime.runtime", "stream_encryptor.handler", "reader.api"]
)
def test_module_when_imported_then_branch_keys_are_not(module: str) -> None:
    code = f"import sys, {module}; print(sorted(n for n in sys.modules if 'hierarchical' in n or 'branch_keys' in n))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
