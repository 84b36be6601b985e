"""Whether units start with the host, and whether saved firewall rules would end the connection again."""

from __future__ import annotations

import asyncio

import pytest

from tests.checks.asking import FakeAsker
from wizard.firewall.judge import kept_against
from wizard.host.questions import FileRead, FilesRead, NotAnswered, ReadGlob, Why
from wizard.model import Place

NFT = "/etc/nftables.conf"


def kept(*lines: str, port: int = 8000, address: str = "127.0.0.1") -> Place | NotAnswered | None:
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
    assert kept("table inet filter {", line) == Place(NFT, 2)


@pytest.mark.parametrize(
    "line",
    [
        "# tcp dport 8000 drop",
        "tcp dport 8000 accept",
        "tcp dport 8001 drop",
        "-A OUTPUT -d 10.0.0.9/32 -p tcp --dport 8000 -j DROP",
        "ip daddr 10.0.0.9 tcp dport 8000 drop",
        "type filter hook output priority 0; policy drop;",
    ],
)
def test_other_lines_are_not_about_it(line: str) -> None:
    assert kept(line) is None


def test_files_that_may_not_be_read_are_no_answer() -> None:
    denied = NotAnswered(Why.DENIED, "permission denied", grant="root")
    found = asyncio.run(kept_against(FakeAsker({ReadGlob: lambda _: denied}), "127.0.0.1", 8000))
    assert found == denied
