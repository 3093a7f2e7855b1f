"""Commands run as by somebody who has not got this checkout."""

import os
import subprocess
from pathlib import Path


def run_alone(*command: object, code: int = 0, **environment: str) -> str:
    """Run a command without this checkout on Python's path; return what it prints."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, env=clean | environment, cwd=Path.home()
    )
    assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
