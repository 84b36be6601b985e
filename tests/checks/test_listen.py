"""Which listening socket takes a connection to an address, and which path leads to it."""

from __future__ import annotations

import pytest

from tests.checks.asking import FakeAsker
from tests.checks.subjects import seen, subject
from wizard.checks.address import parse_address
from wizard.checks.listen import listener, takes
from wizard.checks.registry import UNKNOWN, Finding
from wizard.checks.socket_file import socket_file
from wizard.host.questions import (
    FileStat,
    Listening,
    NotAnswered,
    PathSteps,
    Process,
    Processes,
    ProcessTable,
    Sockets,
    SocketTable,
    WalkPath,
    Why,
)
from wizard.model import Server

V4_ANY = Listening("inet", "0.0.0.0", 8000)
V6_ANY = Listening("inet6", "::", 8000)
DUAL = Listening("inet6", "::", 8000, dual=True)
V4_LOOPBACK = Listening("inet", "127.0.0.1", 8000)
V6_LOOPBACK = Listening("inet6", "::1", 8000)
MAPPED = Listening("inet6", "::ffff:127.0.0.1", 8000)
SCOPED = Listening("inet6", "fe80::1%eth0", 8000)
LAN = Listening("inet", "10.0.0.7", 8000)
UDP = Listening("inet", "0.0.0.0", 8000, type="dgram")
UNIX = Listening("unix", path="/run/app.sock")


@pytest.mark.parametrize(
    ("address", "taking"),
    [
        ("127.0.0.1:8000", (V4_ANY, DUAL, V4_LOOPBACK, MAPPED)),
        ("[::1]:8000", (V6_ANY, DUAL, V6_LOOPBACK)),
        ("10.0.0.7:8000", (V4_ANY, DUAL, LAN)),
        ("[fe80::1]:8000", (V6_ANY, DUAL, SCOPED)),
        ("127.0.0.2:8000", (V4_ANY, DUAL)),
        ("127.0.0.1:8001", ()),
        ("unix:/run/app.sock", (UNIX,)),
        ("unix:/run/other.sock", ()),
    ],
)
def test_which_socket_takes_a_connection(address: str, taking: tuple[Listening, ...]) -> None:
    parsed = parse_address(address)
    assert parsed is not None
    everyone = (V4_ANY, V6_ANY, DUAL, V4_LOOPBACK, V6_LOOPBACK, MAPPED, SCOPED, LAN, UDP, UNIX)
    assert tuple(one for one in everyone if takes(one, parsed)) == taking


def listened(*listening: Listening, address: str = "127.0.0.1:8000", complete: bool = True) -> Finding:
    table = SocketTable(listening, complete)
    people = ProcessTable((Process(7, 1, "python3", ("python3",), 33, 33, 1.0, "S"),))
    return seen(listener, subject(Server(address)), FakeAsker({Sockets: table, Processes: people}))


@pytest.mark.parametrize(
    ("listening", "outcome"),
    [
        ((V4_LOOPBACK,), "listening"),
        ((DUAL,), "listening"),
        ((LAN,), "other-address"),
        ((V6_LOOPBACK,), "other-family"),
        ((V6_ANY,), "other-family"),
        ((LAN, V6_LOOPBACK), "other-address"),
        ((UDP,), "absent"),
        ((UNIX,), "absent"),
        ((), "absent"),
        ((Listening("inet", "127.0.0.1", 8000, queue=129, backlog=128),), "queue-full"),
        ((Listening("inet", "127.0.0.1", 8000, queue=128, backlog=128),), "listening"),
        ((Listening("inet", "127.0.0.1", 8000, queue=9, backlog=None),), "listening"),
    ],
)
def test_who_listens(listening: tuple[Listening, ...], outcome: str) -> None:
    found = listened(*listening)
    assert found.outcome == outcome
    assert (found.values["address"], found.values["port"]) == ("127.0.0.1:8000", 8000)


def test_the_owner_is_named_where_it_can_be_seen() -> None:
    found = listened(Listening("inet", "127.0.0.1", 8000, pids=(7,)))
    assert (found.values["program"], found.values["pid"], found.values["evict"]) == ("python3", 7, ("kill", "7"))
    hidden = listened(V4_LOOPBACK, complete=False)
    assert "A process listens" in hidden.summary
    assert hidden.gaps[0].grant
    assert listened(address="10.1.2.3:8000").outcome in {"not-local", "absent"}


def test_what_could_not_be_listed_is_unknown() -> None:
    asker = FakeAsker({Sockets: NotAnswered(Why.DENIED, "no /proc")})
    assert seen(listener, subject(Server("127.0.0.1:8000")), asker).outcome == UNKNOWN


# --- the path of a socket -----------------------------------------------------------------------------------------------

PATH = "/run/app/app.sock"


def stat(path: str, kind: str, mode: int, uid: int = 0, gid: int = 0) -> FileStat:
    return FileStat(path, kind, mode, uid, gid, 0, 1.0, 1)


ROOT, RUN = stat("/", "dir", 0o755), stat("/run", "dir", 0o755)
APP, SOCKET = stat("/run/app", "dir", 0o755), stat(PATH, "socket", 0o777)


@pytest.mark.parametrize(
    ("walked", "outcome"),
    [
        (PathSteps((ROOT, RUN, APP, SOCKET)), "present"),
        (PathSteps((ROOT, RUN, APP, stat(PATH, "socket", 0o660))), "not-writable"),
        (PathSteps((ROOT, RUN, APP, stat(PATH, "socket", 0o660, gid=33))), "present"),
        (PathSteps((ROOT, RUN, APP, stat(PATH, "socket", 0o600, uid=33))), "present"),
        (PathSteps((ROOT, RUN, APP, stat(PATH, "socket", 0o077, uid=33))), "not-writable"),  # the owner's bits count
        (PathSteps((ROOT, RUN, APP, stat(PATH, "socket", 0o607, gid=33))), "not-writable"),  # and the group's
        (PathSteps((ROOT, RUN, stat("/run/app", "dir", 0o700), SOCKET)), "folder-closed"),
        (PathSteps((ROOT, RUN, stat("/run/app", "dir", 0o711), SOCKET)), "present"),  # x is enough
        (PathSteps((ROOT, RUN, stat("/run/app", "dir", 0o744), SOCKET)), "folder-closed"),  # r is not
        (PathSteps((ROOT, RUN, APP), missing=PATH), "missing"),
        (PathSteps((ROOT, RUN), missing="/run/app"), "folder-missing"),
        (PathSteps((ROOT, RUN, APP, stat(PATH, "file", 0o777))), "not-a-socket"),
        (PathSteps((ROOT, RUN), denied="/run/app"), UNKNOWN),
        (NotAnswered(Why.TIMED_OUT, "the deadline passed"), UNKNOWN),
    ],
)
def test_the_path_of_a_socket(walked: object, outcome: str) -> None:
    asker = FakeAsker({WalkPath: walked, Sockets: SocketTable((), owners_complete=True)})
    found = seen(socket_file, subject(Server(f"unix:{PATH}")), asker)
    assert found.outcome == outcome


def test_a_socket_that_only_its_listener_sees() -> None:
    def walked(question: WalkPath) -> PathSteps:
        seen = question.within == 7
        return PathSteps((ROOT, RUN, APP, SOCKET)) if seen else PathSteps((ROOT, RUN, APP), missing=PATH)

    table = SocketTable((Listening("unix", path=PATH, pids=(7,)),), owners_complete=True)
    found = seen(socket_file, subject(Server(f"unix:{PATH}")), FakeAsker({WalkPath: walked, Sockets: table}))
    assert found.outcome == "other-namespace"
    assert "pid 7" in found.summary


def test_what_is_no_path_is_not_walked() -> None:
    for address in ("127.0.0.1:8000", "unix:@abstract"):
        found = seen(socket_file, subject(Server(address)), FakeAsker())
        assert found.outcome == "no-unix-socket"
