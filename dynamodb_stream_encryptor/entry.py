"""Entry point of `stream-encryptor` where it is installed: it says what is missing where its extra is."""

import sys


def main() -> None:
    """Run the command; exit with 2 where the wheel was installed without what it needs."""
    try:
        from dynamodb_stream_encryptor.__main__ import main as run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("typer", "rich"):
            raise
        sys.stderr.write("stream-encryptor: install it with its extra: pip install '.[cli]'\n")
        sys.exit(2)
    run()
