"""The router beside a real nginx: thousands of random requests, and not one decided differently."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.gateways.nginx import lab
from tests.gateways.nginx.generate import Ask, Case, Generator
from tests.gateways.nginx.oddities import Odd
from wizard.gateways.nginx.load import load
from wizard.gateways.nginx.rewrite import CLOSES
from wizard.gateways.nginx.route import route
from wizard.gateways.nginx.tree import Configuration
from wizard.host.port import Reply
from wizard.host.questions import Ask as Question
from wizard.host.questions import FileRead, NotAnswered, ReadFile, Why
from wizard.model import ActionKind, Instance, Route

A = TypeVar("A")

CASES = 100
REDIRECTS = {301, 302, 303, 307, 308}

needs_lab = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or not Path(lab.NGINX).exists() or shutil.which("unshare") is None,
    reason="needs root, nginx and unshare",
)


def content(path: str) -> Any:  # noqa: ANN401 - the answer to whatever was asked
    if not Path(path).is_file():
        return NotAnswered(Why.MISSING, "not there")
    return FileRead(path, Path(path).read_bytes(), path, 0.0)


class Disk:
    """Answers the only question that loading these configurations asks."""

    async def ask(self, question: Question[A]) -> Reply[A]:
        assert isinstance(question, ReadFile)
        return Reply(1, question, content(question.path), 0.0, 0.0)


def on_disk(path: str) -> bool:
    return Path(path).is_dir() if path.endswith("/") else Path(path).is_file()


def accepted(folder: Path, cases: list[Case], certificate: str) -> tuple[Path, list[Case]]:
    """The main file of those cases that nginx accepts."""
    config = folder / "nginx.conf"
    for case in cases:
        (folder / f"case{case.number}.conf").write_text(case.text)
    for _ in range(20):
        includes = "\n".join(f"include case{case.number}.conf;" for case in cases)
        config.write_text(lab.main_file(str(folder), includes, certificate=certificate))
        problem = lab.refused(config)
        if problem is None:
            return config, cases
        refused = re.search(r"\[emerg\].*/case(\d+)\.conf", problem)
        assert refused is not None, problem[-2000:]
        cases = [case for case in cases if case.number != int(refused[1])]
    raise AssertionError("the generator writes too much that nginx refuses")


def as_bytes(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def passed_differently(made: Route, seen: lab.Seen, *, unsure: bool) -> str | None:
    assert made.upstream is not None
    assert made.proxying is not None
    address = made.upstream.servers[0].address
    if made.upstream.servers[0].resolves and seen.status == 502 and not seen.upstream:
        return None  # a name, and no resolver
    if seen.upstream != address:
        return None if unsure and not seen.upstream else f"upstream {address}, not {seen.upstream or 'none'}"
    if made.action.kind is not ActionKind.PROXY or "|" not in seen.body or unsure:
        return None
    said = (made.proxying.uri, made.proxying.host, dict(made.proxying.headers).get("X-A", ""))
    got = tuple(seen.body.split("|")[1:])
    return None if tuple(as_bytes(one) for one in said) == got else f"sends {said}, not {got}"


def difference(made: Route, seen: lab.Seen) -> str | None:
    """What the router says differently from what nginx did; None where they agree or the router left it open."""
    unsure = bool(made.undecided)
    if seen.status == 401 and any(step.startswith("asks for a password") for step in made.steps):
        return None  # the way of a visitor who knows it
    if seen.status in {401, 403, 500} and any(step.startswith("auth_request asks") for step in made.steps):
        return None  # and of one whom the upstream lets in
    if made.upstream is not None:
        return passed_differently(made, seen, unsure=unsure)
    if seen.upstream:
        return f"{made.action.kind}, not upstream {seen.upstream}"
    status = made.action.status
    if made.action.kind is ActionKind.STATIC and (unsure or status is None):
        return None
    if status in CLOSES and not made.action.to:
        return None if seen.status == 0 else f"closed, not {seen.status}"
    if status != seen.status:
        return f"{made.action.kind} {status}, not {seen.status}"
    return answered_differently(made, seen)


def answered_differently(made: Route, seen: lab.Seen) -> str | None:
    status, to = made.action.status, made.action.to
    if made.action.kind is ActionKind.RETURN and to is not None:
        if status in REDIRECTS and not seen.location.endswith(as_bytes(to)):
            return f"redirect to {to}, not {seen.location}"
        if status == 200 and "|" in seen.body and as_bytes(to) != seen.body:
            return f"text {to}, not {seen.body}"
    if made.action.kind is ActionKind.STATIC and status == 200 and seen.body.startswith("file ") and to is not None:
        return None if os.path.normpath(to).endswith(seen.body[5:]) else f"{to}, not {seen.body}"
    return None


def routed(
    configuration: Configuration, instance: Instance, ask: Ask, exists: Callable[[str], bool] | None
) -> Route | None:
    # Of two headers of one name nginx takes the first.
    headers = {**dict(reversed(ask.headers)), "Host": ask.host}
    return route(
        configuration,
        instance,
        f"{'https' if ask.tls else 'http'}://{ask.name}:{ask.port}{ask.target}",
        address=ask.address,
        method=ask.method,
        headers=headers,
        client="unix:" if ask.address.startswith("unix:") else ask.address,
        exists=exists,
    )


@pytest.mark.lab
@needs_lab
@pytest.mark.parametrize(("kind", "first"), [(Generator, 0), (Odd, 1000), (Odd, 2000)])
def test_nothing_is_decided_differently_than_by_nginx(kind: type[Generator], first: int, tmp_path: Path) -> None:
    root = tmp_path / "www"
    lab.make_files(root)
    made = [kind(number, str(root)).case() for number in range(first, first + CASES)]
    config, cases = accepted(tmp_path, made, lab.make_certificate(tmp_path))
    asks = [ask for case in cases for ask in case.asks]
    answers = lab.answers(config, asks)
    instance = Instance(kind="nginx", pid=None, config=str(config), prefix=str(tmp_path))
    configuration = asyncio.run(load(Disk(), instance))
    assert configuration.problems == ()
    counted: Counter[tuple[bool, str]] = Counter()
    wrong: list[str] = []
    for ask, seen in zip(asks, answers, strict=True):
        for facts in (True, False):
            found = routed(configuration, instance, ask, on_disk if facts else None)
            if found is None:
                counted[facts, "nobody listens"] += 1
                if seen.status != 0:
                    wrong.append(f"{ask}: no route, but {seen}")
            elif found.action.kind is ActionKind.UNDECIDED:
                counted[facts, "undecided"] += 1
                assert all(found.undecided)
                assert found.undecided
            else:
                counted[facts, "decided"] += 1
                if (problem := difference(found, seen)) is not None:
                    wrong.append(f"{ask}: {problem}")
    assert wrong == []
    assert counted[True, "decided"] > 1500
    assert counted[True, "undecided"] < 0.05 * counted[True, "decided"]
