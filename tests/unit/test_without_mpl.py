"""The layer ships without AWS's Material Providers Library, and tests run with it: here they run without."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys

sys.modules["aws_cryptographic_material_providers"] = None  # To import it is an ImportError.
import aws_encryption_sdk.streaming_client as sdk

assert not sdk._HAS_MPL, "the SDK found the library"
import pytest

sys.exit(pytest.main(sys.argv[1:]))
"""


def test_keys_and_their_comparisons_when_the_library_is_not_there_then_all_hold() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "tests/unit/test_kms_keys.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "failed" not in done.stdout
    assert "skipped" not in done.stdout
