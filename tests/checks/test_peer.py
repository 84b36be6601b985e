from __future__ import annotations

import json

import msgspec
import pytest

from tests.checks.box import CLOSED, SILENT, Box, answered, found_by, server
from tests.services.fakes import listens, process
from wizard.checks.peer import peer
from wizard.checks.registry import Subject
from wizard.checks.reply import reply
from wizard.checks.service import service
from wizard.host.questions import AnyAnswer, NotAnswered, NotReplied, Protocol, Ran, Replied, Request
from wizard.model import ActionKind, Proxying

FASTCGI = ActionKind.FASTCGI


def asking_for(uri: str, kind: ActionKind = ActionKind.PROXY) -> Subject:
    subject = server("127.0.0.1:8000", kind)
    assert subject.route is not None
    route = msgspec.structs.replace(subject.route, proxying=Proxying(host="shop.example", uri=uri))
    return Subject(subject.scope, subject.key, subject.url, subject.gateway, route, subject.server)


@pytest.mark.parametrize(("uri", "fast"), [("/report", "/"), ("/", "/robots.txt"), ("/?page=2", "/robots.txt")])
def test_another_page_than_the_one_that_hangs_is_asked_for(uri: str, fast: str) -> None:
    def replies(question: Request) -> Replied | NotReplied:
        return answered(200) if question.target == fast and question.protocol is Protocol.HTTP else SILENT

    assert found_by(peer, asking_for(uri), Box(replies=replies)).outcome == "answers-trivial"


def test_who_answers_nothing_at_all() -> None:
    assert found_by(peer, asking_for("/"), Box(replies=lambda _: SILENT)).outcome == "nothing-else"


def test_a_pool_with_a_free_worker_answers_for_a_script_that_is_not_there() -> None:
    def replies(question: Request) -> Replied | NotReplied:
        return answered(404) if dict(question.params).get("SCRIPT_FILENAME") == "/robots.txt" else SILENT

    found = found_by(peer, asking_for("/slow.php", FASTCGI), Box(replies=replies))
    assert (found.outcome, found.values["status"]) == ("answers-trivial", 404)


@pytest.mark.parametrize(
    ("stderr", "outcome"), [(b"Primary script unknown", "script-unknown"), (b"PHP Warning: x", "client-error")]
)
def test_a_script_that_the_pool_does_not_find(stderr: bytes, outcome: str) -> None:
    box = Box(replies=lambda _: answered(404, stderr=stderr))
    assert found_by(reply, server("127.0.0.1:9000", FASTCGI), box).outcome == outcome


def shown(unit: str, state: str) -> Ran:
    return Ran(0, f"Id={unit}\nNames={unit}\nLoadState=loaded\n{state}".encode(), b"")


def pushed_out(reason: str, first: Replied | NotReplied) -> str:
    said = json.dumps({"MESSAGE": reason, "_SYSTEMD_UNIT": "shop.service"}).encode()
    failed = "ActiveState=failed\nSubState=failed\nResult=exit-code\nExecMainCode=1\nExecMainStatus=1\n"
    show = ("systemctl", "show")
    commands: dict[tuple[str, ...], Ran | NotAnswered] = {
        ("journalctl", "-u", "shop.service"): Ran(0, said, b""),
        ("systemctl", "list-units"): Ran(0, b"[]", b""),
        show: shown("preview.service", "ActiveState=active\nSubState=running\nResult=success\n"),
    }

    class Host(Box):
        def _answer(self, question: object) -> AnyAnswer:
            argv = getattr(question, "argv", ())
            if argv[:2] == show and "shop.service" in argv:
                return shown("shop.service", failed)
            return super()._answer(question)

    box = Host(
        files={"/etc/systemd/system/shop.service": "[Service]\nExecStart=/srv/shop --listen 127.0.0.1:8000\n"},
        listening=[listens("127.0.0.1", 8000, 7)],
        processes=[process(7, "/srv/preview", "preview.service")],
        commands=commands,
        replies=lambda _: first,
    )
    return found_by(service, server(), box).outcome


def test_a_unit_whose_address_another_unit_took() -> None:
    assert pushed_out("OSError: [Errno 98] Address already in use", CLOSED) == "displaced"


def test_a_unit_that_failed_for_another_reason_was_not_pushed_out() -> None:
    assert pushed_out("KeyError: 'DATABASE_URL'", CLOSED) == "running"


def test_nobody_was_pushed_out_by_a_server_that_answers() -> None:
    assert pushed_out("OSError: [Errno 98] Address already in use", answered(200)) == "running"
