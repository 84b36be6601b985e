"""What package managers wrote down, by their own formats."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.host.questions import LogTail
from wizard.logs.packages import APT, DNF, DPKG, PACMAN, ZYPP, Change, Log, logs_of, told_once, transactions

AT = 1795703964.0  # 2026-11-26 14:39:24 UTC
APT_TEXT = """
Start-Date: 2026-11-26  14:39:24
Commandline: /usr/bin/unattended-upgrade
Upgrade: nginx:amd64 (1.22.1-9, 1.22.1-9+deb12u1), libssl3:amd64 (3.0.11-1, 3.0.15-1)
Install: socat:amd64 (1.7.4.4-2, automatic)
Remove: telnet:amd64 (0.17-44)
End-Date: 2026-11-26  14:39:38

Start-Date: 2026-11-26  14:50:00
Commandline: apt-get install
Requested-By: ops (1000)
"""
DPKG_TEXT = """2026-11-26 14:39:24 startup archives unpack
2026-11-26 14:39:25 upgrade nginx:amd64 1.22.1-9 1.22.1-9+deb12u1
2026-11-26 14:39:25 status half-configured nginx:amd64 1.22.1-9
2026-11-26 14:39:30 install socat:amd64 <none> 1.7.4.4-2
2026-11-26 15:10:00 remove telnet:amd64 0.17-44 <none>
"""
DNF_TEXT = """2026-11-26T14:39:24+0000 INFO --- logging initialized ---
2026-11-26T14:39:24+0000 SUBDEBUG Upgrade: nginx-1:1.20.1-14.el9.x86_64
2026-11-26T14:39:25+0000 SUBDEBUG Installed: libfoo-devel-2.0-1.el9.noarch
2026-11-26T14:39:26+0000 SUBDEBUG Erase: bar-1.0-1.el9.x86_64
"""
ZYPP_TEXT = """# 2026-11-26 14:39:24 nginx-1.21 installed ok
2026-11-26 14:39:24|install|nginx|1.21.5-1|x86_64||repo|abc|
2026-11-26 14:39:25|remove |telnet|1.2-1|x86_64|root@host|
"""
PACMAN_TEXT = """[2026-11-26T15:39:24+0100] [PACMAN] Running 'pacman -Syu'
[2026-11-26T15:39:24+0100] [ALPM] upgraded nginx (1.24.0-1 -> 1.26.0-1)
[2026-11-26T15:39:24+0100] [ALPM] removed telnet (1.0-1)
"""


def tail(log: Log, text: str, offset: int = 0) -> LogTail:
    """The tail of a log as the host would read it."""
    return LogTail(log.path, text.encode(), len(text), AT, from_start=True, utc_offset=offset)


def test_a_transaction_of_apt_has_its_packages_versions_and_times() -> None:
    [one] = transactions(APT.path, tail(APT, APT_TEXT))
    assert (one.start, one.end, one.command) == (AT, AT + 14, "/usr/bin/unattended-upgrade")
    assert set(one.changes) == {
        Change("nginx", "upgraded", "1.22.1-9", "1.22.1-9+deb12u1"),
        Change("libssl3", "upgraded", "3.0.11-1", "3.0.15-1"),
        Change("socat", "installed", "", "1.7.4.4-2"),
        Change("telnet", "removed", "0.17-44", ""),
    }


def test_stamps_without_a_zone_are_the_hosts_local_time() -> None:
    [one] = transactions(APT.path, tail(APT, APT_TEXT, offset=3600))
    assert one.start == AT - 3600


def test_lines_of_dpkg_without_a_pause_are_one_transaction() -> None:
    first, second = transactions(DPKG.path, tail(DPKG, DPKG_TEXT))
    assert [change.package for change in first.changes] == ["nginx", "socat"]
    assert (first.start, first.end) == (AT + 1, AT + 6)
    assert second.changes == (Change("telnet", "removed", "0.17-44", ""),)


def test_what_apt_tells_is_not_told_again_by_dpkg() -> None:
    found = (*transactions(DPKG.path, tail(DPKG, DPKG_TEXT)), *transactions(APT.path, tail(APT, APT_TEXT)))
    assert [(one.source, one.changes[0].package) for one in told_once(found)] == [
        (APT.name, "socat"),
        (DPKG.name, "telnet"),
    ]


def test_the_logs_of_other_distributions() -> None:
    [dnf] = transactions(DNF.path, tail(DNF, DNF_TEXT))
    assert dnf.changes == (
        Change("nginx", "upgraded", "", "1:1.20.1-14.el9"),
        Change("libfoo-devel", "installed", "", "2.0-1.el9"),
        Change("bar", "removed", "1.0-1.el9", ""),
    )
    [zypp] = transactions(ZYPP.path, tail(ZYPP, ZYPP_TEXT))
    assert zypp.changes == (Change("nginx", "installed", "", "1.21.5-1"), Change("telnet", "removed", "1.2-1"))
    [pacman] = transactions(PACMAN.path, tail(PACMAN, PACMAN_TEXT, offset=-7200))
    assert pacman.changes == (Change("nginx", "upgraded", "1.24.0-1", "1.26.0-1"), Change("telnet", "removed", "1.0-1"))
    assert dnf.start == zypp.start == pacman.start == AT


def test_a_distribution_is_asked_for_its_own_logs_only() -> None:
    assert logs_of("Debian GNU/Linux 12 (bookworm)") == logs_of("Ubuntu 24.04 LTS") == (APT, DPKG)
    assert logs_of("Rocky Linux 9.4") == (DNF,)
    assert logs_of("Alpine Linux v3.20") == ()
    assert logs_of("something of its own") == (APT, DPKG, DNF)


@settings(deadline=None)
@given(st.sampled_from([APT, DPKG, DNF, ZYPP, PACMAN]), st.binary(max_size=400), st.booleans())
def test_no_content_makes_a_reader_fail(log: Log, content: bytes, cut: bool) -> None:
    known = {APT: APT_TEXT, DPKG: DPKG_TEXT, DNF: DNF_TEXT, ZYPP: ZYPP_TEXT, PACMAN: PACMAN_TEXT}[log].encode()
    text = known[: len(content)] + content if cut else content
    found = transactions(log.path, LogTail(log.path, text, len(text), AT, from_start=True))
    assert all(one.start <= one.end and one.changes for one in found)
