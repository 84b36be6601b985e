"""Printed times, errnos and addresses as values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.logs.connecting import connect_failure
from wizard.logs.errnos import errno_of
from wizard.logs.stamps import Clock, epoch
from wizard.logs.upstreams import endpoint, scheme_of

MOMENTS = st.integers(40_000_000, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(MOMENTS)
def test_epoch_agrees_with_the_standard_library(moment: datetime) -> None:
    assert epoch(*moment.timetuple()[:6]) == moment.timestamp()


@given(moment=MOMENTS, offset=st.integers(-12, 14))
def test_stamps_of_the_programs(moment: datetime, offset: int) -> None:
    clock = Clock(offset * 3600, moment.timestamp())
    local = moment + timedelta(hours=offset)
    for notation in (
        "%Y/%m/%d %H:%M:%S",
        "%a %b %d %H:%M:%S %Y",
        "%d/%b/%Y:%H:%M:%S",
        "%d-%b-%Y %H:%M:%S",
        "%b %d %H:%M:%S",
    ):
        assert clock.read(local.strftime(notation)) == moment.timestamp(), notation
    for notation in (
        "%Y-%m-%dT%H:%M:%SZ",
        "%d/%b/%Y:%H:%M:%S +0000",
        "%Y-%m-%d %H:%M:%S +0000",
        "%Y-%m-%dT%H:%M:%S+00:00",
    ):
        assert clock.read(moment.strftime(notation)) == moment.timestamp(), notation


def test_a_stamp_without_zone_or_year_is_no_time() -> None:
    assert Clock().read("2026/11/22 09:28:09") is None
    assert Clock(0).read("Nov 22 09:28:09") is None
    assert Clock().read("2026-11-22T09:28:09.5Z") == 1795339689.5


def test_a_date_of_last_december_is_of_last_year() -> None:
    new_year = epoch(2026, 1, 2) or 0.0
    assert Clock(0, new_year).read("Dec 31 23:00:00") == epoch(2025, 12, 31, 23)


@pytest.mark.parametrize("stamp", ["2026/13/01 00:00:00", "2026/01/01 25:00:00", "Foo 22 09:28:09", "", "99"])
def test_what_is_no_time(stamp: str) -> None:
    assert Clock(0, 1795339689.0).read(stamp) is None


@pytest.mark.parametrize(
    ("number", "text", "errno"),
    [
        (111, "Connection refused", 111),
        (None, "connection refused", 111),
        (None, "Host is unreachable", 113),
        (None, "No route to host", 113),
        (None, "Operation timed out", 110),
        (None, "Address not available", 99),
        (None, "i/o timeout", None),
        (None, "No error information", None),
        (61, "Connection refused", 111),
        (13, "Permission den", 13),
        (70007, "The timeout specified has expired", None),
        (20014, "Internal error", None),
    ],
)
def test_errno_of_number_and_text(number: int | None, text: str, errno: int | None) -> None:
    assert errno_of(number, text) == errno


@pytest.mark.parametrize(
    ("printed", "address"),
    [
        ("http://127.0.0.1:9001/cart?x", "127.0.0.1:9001"),
        ("http://[::1]:9001/", "[::1]:9001"),
        ("fastcgi://unix:/run/php.sock:", "unix:/run/php.sock"),
        ("fastcgi://unix:/run/php.sock", "unix:/run/php.sock"),
        ("http://unix:/run/app.sock:/cart:1", "unix:/run/app.sock"),
        ("grpc://127.0.0.1:9100", "127.0.0.1:9100"),
        ("::1:9001", "[::1]:9001"),
        ("127.0.0.1:3307", "127.0.0.1:3307"),
        ("/run/app.sock", "unix:/run/app.sock"),
        ("http://shop_app/", "shop_app"),
        ("", None),
        ("unix:", None),
    ],
)
def test_endpoint(printed: str, address: str | None) -> None:
    assert endpoint(printed) == address


def test_scheme() -> None:
    assert [scheme_of(text) for text in ("uwsgi://x", "HTTP://x", "127.0.0.1:1", "a/b://c")] == [
        "uwsgi",
        "http",
        "",
        "",
    ]


def test_loopback_and_remote_have_different_causes() -> None:
    here, there = connect_failure(111, "127.0.0.1:1").causes, connect_failure(111, "10.0.0.1:1").causes
    assert "gateway-in-container-localhost" in here
    assert "gateway-in-container-localhost" not in there
    assert "container-ip-changed" in there
    assert connect_failure(None, "127.0.0.1:1").causes == ()
