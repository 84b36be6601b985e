from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.fakes import FakeHost
from wizard.host.questions import NotAnswered, Ran, Why
from wizard.services.journal import (
    JournalLine,
    decisive,
    is_below,
    last_words,
    oom_kills,
    quoted,
    rank_of,
    read_journal,
)

RECORDED = Path(__file__).parent / "recorded"


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("badmod", "ModuleNotFoundError: No module named 'nosuch'"),
        ("b1", "Failed to locate executable /opt/none/bin/app: No such file or directory"),
        ("b2", "Failed to determine user credentials: No such process"),
        ("b4", "Changing to the requested working directory failed: No such file or directory"),
        ("b5", "Failed to load environment files: No such file or directory"),
        ("b6", "start operation timed out. Terminating."),
        ("dep", "Dependency failed for dep.service"),
        ("cond", "unmet condition check (ConditionPathExists=/nope)"),
    ],
)
def test_the_decisive_line_of_a_recorded_journal(unit: str, words: str) -> None:
    line = decisive(read_journal((RECORDED / f"journal-{unit}.jsonl").read_bytes()))
    assert line is not None
    assert words in line.message


def test_nothing_is_decisive_in_the_journal_of_a_healthy_unit() -> None:
    lines = [JournalLine(1.0, text, invocation="a") for text in ("Starting gunicorn 20.1.0", "Listening at: x")]
    assert decisive(lines) is None


@pytest.mark.parametrize(
    ("said", "chosen"),
    [
        (
            [
                "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)",
                "nginx: [emerg] still could not bind()",
            ],
            0,
        ),
        (
            [
                "Error: listen EADDRINUSE: address already in use 127.0.0.1:8000",
                "    at Server.setupListenHandle (node:net:1463:16) {",
                "  code: 'EADDRINUSE',",
                "Node.js v20.20.2",
            ],
            2,
        ),
        (
            [
                "Traceback (most recent call last):",
                '  File "app.py", line 1, in <module>',
                "django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.",
                "Worker failed to boot.",
            ],
            2,
        ),
        (
            [
                "Exception in thread main java.lang.IllegalStateException: no",
                "Caused by: java.net.BindException: Permission denied",
                "\tat java.base/sun.nio.ch.Net.bind0(Native Method)",
            ],
            1,
        ),
        (
            [
                "ERROR: unable to bind listening socket for address '127.0.0.1:9000': Address already in use (98)",
                "ERROR: FPM initialization failed",
            ],
            0,
        ),
        (["Error: Cannot find module '/srv/app/server.js'", "    at Module._resolveFilename", "Node.js v20"], 0),
        (["starting", "missing required environment variable DATABASE_URL", "bye"], 1),
    ],
)
def test_the_decisive_line_of_a_programs_last_words(said: list[str], chosen: int) -> None:
    line = decisive([JournalLine(float(index), text, invocation="a") for index, text in enumerate(said)])
    assert line is not None
    assert line.message == said[chosen]


def test_the_latest_run_decides() -> None:
    lines = [
        JournalLine(1.0, "OSError: [Errno 98] Address already in use", invocation="old"),
        JournalLine(2.0, "PermissionError: [Errno 13] Permission denied: '/srv/x'", invocation="new"),
        JournalLine(3.0, "shop.service: Failed with result 'exit-code'.", invocation="new", from_manager=True),
        JournalLine(4.0, "shop.service: Start request repeated too quickly.", invocation="last", from_manager=True),
    ]
    chosen = decisive(lines)
    assert chosen is not None
    assert chosen.message.startswith("PermissionError")


def test_a_message_of_bytes_and_one_that_is_missing_are_read() -> None:
    raw = b'{"MESSAGE":[104,105,255,27],"PRIORITY":"3"}\n{"MESSAGE":null}\nnot json\n{"MESSAGE":["a","b"]}\n{"MES'
    assert [line.message for line in read_journal(raw)] == ["hi\\xff\x1b", "", "a"]
    assert quoted(read_journal(raw)[0]) == "hi\\xff\\x1b"


def test_a_closed_journal_names_the_grant() -> None:
    said = b"No journal files were opened due to insufficient permissions.\n"
    answer = asyncio.run(last_words(FakeHost(commands={("journalctl",): Ran(1, b"", said)}), "shop.service"))
    assert isinstance(answer, NotAnswered)
    assert answer.why is Why.DENIED
    assert answer.grant is not None
    hint = b"Hint: You are currently not seeing messages from other users and the system.\n"
    hinted = asyncio.run(last_words(FakeHost(commands={("journalctl",): Ran(0, b"", hint)}), "shop.service"))
    assert isinstance(hinted, NotAnswered)


def test_a_silent_unit_has_no_last_words() -> None:
    quiet = FakeHost(commands={("journalctl",): Ran(0, b"-- No entries --\n", b"")})
    assert asyncio.run(last_words(quiet, "shop.service")) == ()
    refused = asyncio.run(last_words(quiet, "--flush"))
    assert isinstance(refused, NotAnswered)
    assert len(quiet.asked) == 1


def test_kernel_kills_are_told_apart_by_control_group() -> None:
    lines = [
        (
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=lab,mems_allowed=0,oom_memcg=/lab/system.slice/"
            "app.service,task_memcg=/lab/system.slice/app.service,task=python,pid=24391,uid=33"
        ),
        (
            "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
            "task_memcg=/system.slice/app2.service,task=java,pid=12,uid=0"
        ),
        "Out of memory: Killed process 12 (java)",
    ]
    printed = "\n".join(json.dumps({"MESSAGE": line, "__REALTIME_TIMESTAMP": "1000000"}) for line in lines)
    host = FakeHost(commands={("journalctl", "-k"): Ran(0, printed.encode(), b"")})
    kills = asyncio.run(oom_kills(host, "/system.slice/app.service"))
    assert not isinstance(kills, NotAnswered)
    assert [(kill.task, kill.pid, kill.limited, kill.time) for kill in kills] == [("python", 24391, True, 1.0)]
    everyone = asyncio.run(oom_kills(host))
    assert not isinstance(everyone, NotAnswered)
    assert len(everyone) == 2
    assert not is_below("/system.slice/app.service2", "/system.slice/app.service")


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail(raw: bytes) -> None:
    lines = read_journal(raw + b'\n{"MESSAGE":' + raw + b"}")
    assert all(isinstance(line.message, str) for line in lines)
    decisive(lines)


@given(st.text(max_size=2000))
def test_every_message_has_a_rank(message: str) -> None:
    assert 0 <= rank_of(message) <= 5
