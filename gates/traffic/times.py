"""When something was logged, in seconds since 1970; None where the text names no time, or none with its time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_COMMON = re.compile(r"\[(\d{1,2})/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\]", re.ASCII)
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,]\d{1,9})?\s?(?:(Z|UTC)|([+-])(\d\d):?(\d\d))", re.ASCII
)
_SPAN = (946_684_800.0, 7_258_118_400.0)  # the years 2000 to 2199: other numbers are no times
_THOUSANDS = (1.0, 1e3, 1e6, 1e9)


def time_in(line: str) -> float | None:
    """Return the first time that a line of a log names, in the form of the Common Log Format or of ISO 8601."""
    if (match := _COMMON.search(line)) is not None and match[2] in _MONTHS:
        day, month, year, hour, minute, second, sign, hours, minutes = match.groups()
        parts = (year, str(_MONTHS.index(month) + 1), day, hour, minute, second)
        return _seconds(parts, sign, hours, minutes)
    if (match := _ISO.search(line)) is not None:
        return _seconds(match.groups()[:6], match[8] or "+", match[9] or "0", match[10] or "0")
    return None


def time_of(value: object) -> float | None:
    """Return the time that a field of a record holds: a text, or seconds, milli-, micro- or nanoseconds since 1970."""
    if isinstance(value, str):
        return time_in(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        for thousand in _THOUSANDS:
            if _SPAN[0] <= value / thousand < _SPAN[1]:
                return value / thousand
    return None


def _seconds(parts: tuple[str, ...], sign: str, hours: str, minutes: str) -> float | None:
    year, month, day, hour, minute, second = map(int, parts)
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    try:
        zone = timezone(-offset if sign == "-" else offset) if offset else UTC
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone).timestamp()
    except (ValueError, OverflowError):
        return None  # the 31st of February
