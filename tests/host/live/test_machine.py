from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.host.live.places import NOBODY, as_nobody, needs_root
from wizard.host.live import accounts, machine
from wizard.host.questions import Clock, Identity


def test_the_clock_is_that_of_this_machine() -> None:
    told = machine.answer_clock(Clock())
    assert abs(told.now - time.time()) < 5
    assert abs(told.boot - psutil.boot_time()) < 2
    offset = dt.datetime.fromtimestamp(told.now).astimezone().utcoffset()
    if "TZ" not in os.environ:
        assert offset is not None
        assert told.utc_offset == int(offset.total_seconds())
    assert told.zone


def test_the_identity_is_ours() -> None:
    me = machine.answer_identity(Identity())
    assert (me.uid, me.pid, me.hostname) == (os.geteuid(), os.getpid(), os.uname().nodename)
    assert me.init == Path("/proc/1/comm").read_text().strip()
    assert me.kernel == os.uname().release
    assert me.os
    assert me.net_ns == Path("/proc/self/ns/net").stat().st_ino


@needs_root
def test_nobody_has_no_capabilities() -> None:
    me = as_nobody(lambda: machine.answer_identity(Identity()))
    assert (me.uid, me.user, me.groups, me.capabilities) == (NOBODY, "nobody", ("nogroup",), ())
    assert "cap_dac_override" in machine.answer_identity(Identity()).capabilities


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n', "Debian GNU/Linux 12 (bookworm)"),
        (b"NAME=Alpine\n", "Alpine"),
        (b"PRETTY_NAME='It is '\"quoted\"\n", "It is quoted"),
        (b'PRETTY_NAME="unclosed\n', "unclosed"),
        (b"", ""),
    ],
)
def test_the_name_of_the_system_is_read(content: bytes, expected: str) -> None:
    assert machine.parse_os_release(content) == expected


def test_capabilities_are_named_by_their_bits() -> None:
    assert machine.parse_capabilities(b"CapPrm:\tffff\nCapEff:\t0000000000001400\n") == (
        "cap_net_bind_service",
        "cap_net_admin",
    )
    assert machine.parse_capabilities(b"CapEff:\tnothing\n") == ()
    assert len(machine.CAPABILITIES) == 41


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_an_error(content: bytes) -> None:
    assert isinstance(machine.parse_os_release(content), str)
    assert isinstance(machine.parse_capabilities(content), tuple)
    assert all(isinstance(uid, int) for uid in accounts.parse(content))


def test_the_first_name_of_an_id_counts() -> None:
    names = accounts.parse(b"root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/root:/bin/sh\nbroken\n+::::::\nwww:x:33:33::\n")
    assert names == {0: "root", 33: "www"}
