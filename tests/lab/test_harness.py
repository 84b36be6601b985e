"""The lab itself: a guest is a host of its own, and nothing that changes in it goes unseen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.fingerprint import changes, fingerprint
from tests.lab.guest import Guest, GuestError, until

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def guest() -> Iterator[Guest]:
    with Guest(systemd=True) as made:
        yield made


@pytest.mark.parametrize("systemd", [False, True])
def test_a_guest_leaves_nothing_behind(*, systemd: bool) -> None:
    hosts = Path("/etc/hosts").read_text()
    with Guest(systemd=systemd) as made:
        made.write("/etc/hosts", "192.0.2.1\tnowhere\n")
        made.write("/opt/lab-was-here", "")
        made.spawn("sleep 600", log="/dev/null")
        inside = made.init
        groups = [path for path in Path("/sys/fs/cgroup").glob("*/lab-*") if f"lab-{made.group}" == path.name]
        assert bool(groups) == systemd
    assert not Path(f"/proc/{inside}").exists()
    assert not any(path.exists() for path in groups)
    assert Path("/etc/hosts").read_text() == hosts
    assert not Path("/opt/lab-was-here").exists()


def test_a_guest_has_a_network_of_its_own(guest: Guest) -> None:
    assert guest.run("ip -o link").out.count("\n") == 1
    assert guest.run("hostname").out == "web1\n"


def test_systemd_runs_in_it(guest: Guest) -> None:
    assert guest.run("systemctl is-system-running").out == "running\n"


def test_a_failing_command_of_a_story_is_an_error(guest: Guest) -> None:
    with pytest.raises(GuestError, match="status 3: exit 3"):
        guest.run("exit 3")


def test_a_command_that_does_not_end_is_an_error(guest: Guest) -> None:
    with pytest.raises(GuestError, match="no end within"):
        guest.run("sleep 60", timeout=0.2)


@pytest.mark.parametrize(
    ("aspect", "command"),
    [
        ("files", "touch /etc/nginx/nginx.conf"),
        ("files", "echo more >>/etc/hosts"),
        ("files", "chmod 600 /etc/passwd"),
        ("files", "rm /etc/services"),
        ("files", "touch /root/.bash_history"),
        ("files", "touch /run/lab /tmp/lab"),
        ("files", "touch /var/log/new.log"),
        ("listeners", "setsid socat TCP-LISTEN:9999 - </dev/null >/dev/null 2>&1 & sleep 0.3"),
        ("listeners", "setsid socat UNIX-LISTEN:/run/lab.sock - </dev/null >/dev/null 2>&1 & sleep 0.3"),
        ("rules", "nft add table inet lab"),
        ("routes", "ip route add blackhole 198.51.100.0/24"),
        ("programs", "setsid sleep 300 </dev/null >/dev/null 2>&1 &"),
        ("units", "systemctl start systemd-hostnamed"),
    ],
)
def test_a_change_is_seen(guest: Guest, aspect: str, command: str) -> None:
    before = fingerprint(guest)
    guest.run(command)
    assert any(line.startswith(f"{aspect} ") for line in changes(before, fingerprint(guest), restless=False))


def test_looking_changes_nothing(guest: Guest) -> None:
    first = fingerprint(guest)
    assert changes(first, fingerprint(guest), restless=False) == []


def test_a_log_may_grow(guest: Guest) -> None:
    guest.write("/var/log/nginx/access.log", "one\n")
    before = fingerprint(guest)
    guest.run("echo two >>/var/log/nginx/access.log")
    assert changes(before, fingerprint(guest), restless=False) == []


def test_waiting_ends() -> None:
    assert not until(lambda: False, seconds=0.05)
    assert until(lambda: True, seconds=0)
