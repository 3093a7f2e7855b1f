"""How much of an invocation's time is left to begin something in. Pure."""

from collections.abc import Callable


def budget(seconds_left: Callable[[], float], reserve: float) -> Callable[[], float]:
    """Return what tells how many seconds are left, with ``reserve`` kept back for what is in hand when they are over.

    Where there is less than twice the reserve to begin with, half of it is kept back: to begin nothing at all would
    never come forward.

    Args:
        seconds_left: time that remains of the invocation.
        reserve: seconds.
    """
    kept = min(reserve, seconds_left() / 2)
    return lambda: seconds_left() - kept
