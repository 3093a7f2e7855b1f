"""Where the project is, and where the local stack keeps its files."""

from pathlib import Path

from dynamodb_stream_encryptor import local_stack

ROOT = Path(__file__).resolve().parent.parent
STATE_DIRECTORY = ROOT / local_stack.STATE_DIRECTORY
"""The token key, logs, and while `up` runs `stack.json`. Ignored by git."""
