"""`python -m local up` ends at the first signal, whichever of its threads the system hands it to."""

import subprocess
import sys

from local.state import ROOT

WAITING = """
import signal, threading
from local.__main__ import wait_for_signal

signal.signal(signal.SIGTERM, signal.default_int_handler)
late = threading.Timer(0.2, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM))
try:
    late.start()
    wait_for_signal()
except KeyboardInterrupt:
    print("stopped")
"""


def test_signal_that_another_thread_is_given_when_the_main_one_waits_then_it_stops() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WAITING], cwd=ROOT, capture_output=True, text=True, timeout=20, check=False
    )
    assert done.stdout == "stopped\n", done.stderr
