"""Whether units start with the host, and whether saved firewall rules would end the connection again."""

from __future__ import annotations

import asyncio

import pytest

from tests.checks.asking import INSTANCE, FakeAsker
from wizard.checks.lasting import gateway_at_boot
from wizard.checks.registry import Finding, Scope, Subject
from wizard.firewall.judge import Kept, kept_against
from wizard.host.questions import FileRead, FilesRead, NotAnswered, ReadGlob, Why
from wizard.model import Place
from wizard.services import systemd
from wizard.services.unitstate import UnitState

NFT = "/etc/nftables.conf"


def kept(*lines: str, port: int = 8000, address: str = "127.0.0.1") -> Kept | NotAnswered | None:
    def answer(question: ReadGlob) -> FilesRead | NotAnswered:
        if question.pattern != NFT:
            return NotAnswered(Why.MISSING, "no such file")
        return FilesRead((FileRead(NFT, "\n".join(lines).encode(), NFT, 1.0),))

    return asyncio.run(kept_against(FakeAsker({ReadGlob: answer}), address, port))


@pytest.mark.parametrize(
    "line",
    [
        "tcp dport 8000 drop",
        "    tcp dport { 80, 8000 } counter reject with tcp reset",
        "-A OUTPUT -p tcp -m tcp --dport 8000 -j DROP",
        "-A OUTPUT -d 127.0.0.1/32 -p tcp -m tcp --dport 8000 -j REJECT",
        "ip daddr 127.0.0.1 tcp dport 8000 drop",
    ],
)
def test_a_saved_rule_that_ends_the_connection_is_found_with_its_line(line: str) -> None:
    assert kept("table inet filter {", line) == Kept(Place(NFT, 2), certain=True)


@pytest.mark.parametrize(
    "line",
    [
        "# tcp dport 8000 drop",
        "tcp dport 8000 accept",
        "tcp dport 8001 drop",
        "-A OUTPUT -d 10.0.0.9/32 -p tcp --dport 8000 -j DROP",
        "ip daddr 10.0.0.9 tcp dport 8000 drop",
        "ct state invalid drop",
    ],
)
def test_other_lines_are_not_about_it(line: str) -> None:
    assert kept(line) is None


@pytest.mark.parametrize(
    "line",
    [
        "type filter hook input priority 0; policy drop;",
        ":INPUT DROP [0:0]",
        "-A INPUT -j REJECT --reject-with icmp-host-prohibited",
        "reject",
    ],
)
def test_what_ends_everything_else_is_left_open(line: str) -> None:
    assert kept("tcp dport 22 accept", line) == Kept(Place(NFT, 2), certain=False)
    assert kept(line, "tcp dport 8000 drop") == Kept(Place(NFT, 2), certain=True)


def test_files_that_may_not_be_read_are_no_answer() -> None:
    denied = NotAnswered(Why.DENIED, "permission denied", grant="root")
    found = asyncio.run(kept_against(FakeAsker({ReadGlob: lambda _: denied}), "127.0.0.1", 8000))
    assert found == denied


# --- units ------------------------------------------------------------------------------------------------------------


def at_boot(monkeypatch: pytest.MonkeyPatch, state: UnitState | NotAnswered, **others: UnitState) -> Finding:
    async def present(_: object) -> bool:
        return True

    async def one(_: object, unit: str) -> UnitState | NotAnswered:
        del unit
        return state

    async def several(_: object, units: object) -> dict[str, UnitState]:
        assert list(units) == list(others)  # type: ignore[call-overload]
        return others

    for name, function in (("present", present), ("state", one), ("states", several)):
        monkeypatch.setattr(systemd, name, function)

    async def ask() -> Finding:
        return await gateway_at_boot(Subject(Scope.HOST, "host", gateway=INSTANCE), FakeAsker())

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (UnitState(load="loaded", enabled="enabled", fragment="/lib/systemd/system/nginx.service"), "enabled"),
        (UnitState(load="loaded", enabled="disabled", fragment="/lib/systemd/system/nginx.service"), "disabled"),
        (UnitState(load="loaded", enabled="enabled-runtime", fragment="/lib/systemd/system/nginx.service"), "disabled"),
        (UnitState(load="loaded", enabled="enabled", fragment="/run/systemd/system/nginx.service"), "not-kept"),
        (UnitState(load="loaded", enabled="static", fragment="/lib/systemd/system/nginx.service"), "not-said"),
        (UnitState(load="not-found"), "no-unit"),
        (NotAnswered(Why.TIMED_OUT, "no answer within 5 s"), "unknown"),
    ],
)
def test_whether_a_unit_starts_with_the_host(
    monkeypatch: pytest.MonkeyPatch, state: UnitState | NotAnswered, outcome: str
) -> None:
    found = at_boot(monkeypatch, state)
    assert found.outcome == outcome
    assert found.values.get("run") == ("systemctl enable nginx.service" if outcome == "disabled" else None)


def test_a_unit_that_an_enabled_socket_starts_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    state = UnitState(load="loaded", enabled="disabled", fragment="/lib/x", triggered_by=("nginx.socket",))
    found = at_boot(monkeypatch, state, **{"nginx.socket": UnitState(load="loaded", enabled="enabled")})
    assert (found.outcome, found.summary) == ("enabled", "nginx.service is started by nginx.socket, which is enabled.")
    disabled = at_boot(monkeypatch, state, **{"nginx.socket": UnitState(load="loaded", enabled="disabled")})
    assert disabled.outcome == "disabled"


def test_a_hostile_unit_name_stays_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    state = UnitState(load="loaded", enabled="enabled", fragment="/run/a\x1b]0;x\x07\nb")
    assert "\x1b" not in at_boot(monkeypatch, state).summary
