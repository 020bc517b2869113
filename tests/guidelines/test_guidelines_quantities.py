"""Numbers with units as people write them."""

from __future__ import annotations

import pytest

from gates.guidelines.quantities import find_quantities, parse_number, same


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("<100ms", "time", 0.1),
        ("≤ 100 ms", "time", 0.1),
        ("100-ms", "time", 0.1),
        ("100\u00a0ms", "time", 0.1),
        ("0.1 s", "time", 0.1),
        ("0,1 s", "time", 0.1),
        ("0,100 s", "time", 0.1),
        ("1,5 s", "time", 1.5),
        ("1,500 s", "time", 1.5),
        ("1,500 ms", "time", 1.5),
        ("1.500 ms", "time", 1.5),
        ("1 500 ms", "time", 1.5),
        ("1'500 ms", "time", 1.5),
        ("1_500 ms", "time", 1.5),
        ("1.5000 ms", "time", 0.0015),
        ("1234.567 ms", "time", 1.234567),
        ("2 seconds", "time", 2.0),
        ("2 Sekunden", "time", 2.0),
        ("200 milliseconds", "time", 0.2),
        ("50 msec", "time", 0.05),
        ("750 µs", "time", 0.00075),
        ("1 min", "time", 60.0),
        ("512MB", "size", 512e6),
        ("512 mb", "size", 512e6),
        ("0.5 GB", "size", 0.5e9),
        ("1,5 GB", "size", 1.5e9),
        ("512 MiB", "size", 512 * 2**20),
        ("512M", "size", 512e6),
        ("512 megabytes", "size", 512e6),
        ("90%", "share", 0.9),
        ("90 %", "share", 0.9),
        ("99,5 %", "share", 0.995),
        ("85 percent", "share", 0.85),
        ("85 per cent", "share", 0.85),
        ("100 requests", "count", 100.0),
        ("1,000 requests", "count", 1000.0),
        ("1.000 requests", "count", 1000.0),
        ("10k requests", "count", 10_000.0),
        ("1.000.000 requests", "count", 1_000_000.0),
        ("1,234,567.5", "count", 1_234_567.5),
        ("1.234,5", "count", 1234.5),
    ],
)
def test_a_number_is_read_as_it_is_meant(text: str, kind: str, value: float) -> None:
    (found,) = find_quantities(text)
    assert found.kind == kind
    assert found.low[0] == pytest.approx(value)


@pytest.mark.parametrize(
    "text", ["200/s", "200 /s", "10 MB/h", "20 per second", "p95", "v2", "HTTP/1.1", "-5 ms", "#12"]
)
def test_what_is_no_number_of_ours_is_left_alone(text: str) -> None:
    assert [found.text for found in find_quantities(text) if found.kind != "count"] == []
    assert all(found.text not in ("200", "10", "20", "95", "2", "5", "12") for found in find_quantities(text))


def test_a_range_has_two_ends() -> None:
    (found,) = find_quantities("100–200 ms")
    assert (found.low[0], found.high[0]) == (pytest.approx(0.1), pytest.approx(0.2))
    (found,) = find_quantities("5-20")
    assert (found.low, found.high) == ((5.0,), (20.0,))


def test_a_size_is_meant_in_tens_or_in_twos() -> None:
    half, (mega,), (mebi,), (more,) = (
        tuple(find_quantities(text)) for text in ("0.5 GB", "512 MB", "512 MiB", "513 MB")
    )
    assert same(half[0].low, mega.low)
    assert same(mega.low, mebi.low)
    assert not same(mega.low, more.low)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("100", 100.0),
        ("100 ms", 100.0),
        ("<= 100 ms", 100.0),
        ("0.1 s", 100.0),
        ("1.500", 1500.0),
        ("2 min", 120_000.0),
    ],
)
def test_a_number_alone_is_in_the_unit_that_is_asked_for(text: str, value: float) -> None:
    assert parse_number(text, "time", 1e-3) == value


@pytest.mark.parametrize("text", ["", "fast", "-5", "100 MB", "100 ms or so", "1e3", "nan", "inf", "½", "ms", "10 20"])
def test_what_is_no_number_alone_is_none(text: str) -> None:
    assert parse_number(text, "time", 1e-3) is None
