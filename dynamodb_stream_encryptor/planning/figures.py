"""Numbers for people. Pure."""

_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")


def bytes_text(size: float) -> str:
    """Return a size, as in ``1.4 MB``; 1 KB is 1,024 bytes, as DynamoDB counts."""
    shown, unit = float(size), 0
    while abs(shown) >= 1023.95 and unit < len(_UNITS) - 1:
        shown, unit = shown / 1024, unit + 1
    return f"{shown:,.0f} {_UNITS[unit]}" if unit == 0 or abs(shown) >= 100 else f"{shown:,.1f} {_UNITS[unit]}"


def number(count: int, word: str) -> str:
    """Return a count of things, as in ``1 item`` and ``2,000 items``."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def share(part: float, whole: float) -> str:
    """Return a part in per cent; a dash of nothing."""
    return f"{100 * part / whole:,.0f} %" if whole else "–"


def money(amount: float | None, currency: str | None) -> str:
    """Return an amount, as in ``USD 12.30``; a dash where there is no price."""
    if amount is None:
        return "–"
    if 0 < abs(amount) < 0.01:
        return f"{currency} <0.01" if amount > 0 else f"{currency} >-0.01"
    return f"{currency} {amount:,.2f}"


def yes_no(known: bool | None, yes: str) -> str:
    """Return ``yes``, off, or that it is not known."""
    return "not known" if known is None else yes if known else "off"


def range_text(first: str, last: str) -> str:
    """Return from when to when."""
    return first if first == last else f"{first} to {last}"
