"""Where the project is, and where the local stack keeps its files."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE_DIRECTORY = ROOT / ".local"
"""The token key, logs, and while `up` runs `stack.json`. Ignored by git."""
