"""What `python -m local` says in an environment that does not hold the project: one where the wheel was installed."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WITHOUT_THE_RUNTIME = """
import sys
sys.modules["encryptor_runtime"] = None
from local.__main__ import main
sys.exit(main(["up", "--port", "0"]))
"""


def test_up_where_the_project_is_not_installed_says_what_mends_it() -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("layers/crypto", "."))}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_RUNTIME], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "no module encryptor_runtime" in done.stderr
    assert "`make -B .venv/.ready`" in done.stderr
