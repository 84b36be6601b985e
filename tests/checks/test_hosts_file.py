"""A name that the hosts file and DNS know by different addresses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checks.asking import FakeAsker
from tests.checks.subjects import seen, subject
from wizard.checks.hosts_file import hosts_file
from wizard.checks.registry import Edit, Finding
from wizard.host.questions import (
    AskDns,
    Connect,
    Connected,
    ConnectFailed,
    DnsAnswered,
    FileRead,
    Ran,
    ReadFile,
    Resolve,
    Resolved,
    Run,
)
from wizard.model import Server

NAMED = Server("app.internal:8000", name="app.internal")
HOSTS = "127.0.0.1 localhost\n10.0.0.9\tapp.internal app # old\n"
LINKS = b'[{"ifname":"lo","addr_info":[{"local":"127.0.0.1"}]},{"ifname":"eth0","addr_info":[{"local":"10.0.0.1"}]}]'


def file(path: str, text: str) -> FileRead:
    return FileRead(path=path, real=path, content=text.encode(), mtime=0.0)


def found(
    *, held: str = "10.0.0.9", dns: tuple[str, ...] = ("10.0.0.5",), there: bool = True, text: str = HOSTS
) -> Finding:
    def read(question: ReadFile) -> FileRead:
        return file(question.path, text if question.path == "/etc/hosts" else "nameserver 10.0.0.53\n")

    def connect(question: Connect) -> Connected | ConnectFailed:
        good = (
            there
            and any(question.endpoint.startswith(f"{one}:") for one in dns)
            and question.endpoint != f"{held}:8000"
        )
        return Connected() if good else ConnectFailed(111)

    answers: dict[type[Any], object] = {
        ReadFile: read,
        Connect: connect,
        Resolve: Resolved((held,)),
        AskDns: DnsAnswered("NOERROR", dns),
        Run: Ran(0, LINKS, b""),
    }
    return seen(hosts_file, subject(NAMED), FakeAsker(answers))


def test_an_old_line_hides_an_address_that_answers() -> None:
    told = found()
    assert told.outcome == "shadows"
    assert told.values["addresses"] == ("10.0.0.5",)
    edit = told.values["edit"]
    assert isinstance(edit, Edit)
    assert (edit.line, edit.after) == (2, "10.0.0.9\tapp")


def test_a_line_of_one_name_becomes_a_comment() -> None:
    edit = found(text="10.0.0.9 app.internal\n").values["edit"]
    assert isinstance(edit, Edit)
    assert edit.after == "# 10.0.0.9 app.internal"


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ({"dns": ("10.0.0.9",)}, "agrees"),
        ({"dns": ()}, "agrees"),
        ({"text": "127.0.0.1 localhost\n"}, "agrees"),
        ({"text": "# 10.0.0.9 app.internal\n"}, "agrees"),
        ({"there": False}, "differs"),
    ],
)
def test_nothing_is_hidden_where_dns_says_the_same_or_nobody_answers_there(
    told: dict[str, object], outcome: str
) -> None:
    assert found(**told).outcome == outcome  # type: ignore[arg-type]


def test_a_line_that_keeps_a_name_on_this_host_is_meant() -> None:
    assert found(held="127.0.0.1", text="127.0.0.1 app.internal\n", dns=("203.0.113.5",)).outcome == "differs"


def test_it_is_not_asked_where_the_connection_succeeds() -> None:
    asker = FakeAsker({Connect: Connected(), Resolve: Resolved(("10.0.0.9",))})
    assert seen(hosts_file, subject(NAMED), asker).outcome == "not-asked"
