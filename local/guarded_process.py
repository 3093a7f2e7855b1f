"""Runs a command for as long as standard input stays open: `python -P guarded_process.py COMMAND …`.

Whoever starts it holds the other end. When that process is gone, however it went, the pipe closes, and the command
ends. This file imports nothing of the project.
"""

import subprocess
import sys
import threading


def main(command: list[str]) -> int:
    """Run the command and return its exit code."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - whoever starts this file names it

    def end_with_input() -> None:
        sys.stdin.buffer.read()
        process.kill()

    threading.Thread(target=end_with_input, daemon=True).start()
    return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
