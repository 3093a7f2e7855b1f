"""Numbers of things in words: never "1 items". Pure.

The command imports no function, and has the same of its own.
"""


def counted(number: int, noun: str) -> str:
    """Return a number of things, as in `1 item` and `1,102 items`.

    Args:
        number: how many.
        noun: one of them; more of them end in s.
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
