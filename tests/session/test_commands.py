"""Printed commands are exact to paste: real shells, real sed and real patch make of them what was meant."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.payloads import PAYLOADS
from tests.session.making import AT, cause, server, step, subjects
from wizard.checks.registry import Edit, Value
from wizard.flow.language import Command, Confidence, Stage
from wizard.session.commands import diff_of, printed, sed_of, shell_line
from wizard.session.observed import Observed
from wizard.session.report import CommandPart
from wizard.session.verdict import Conclusion

SHORT = [text for text in PAYLOADS.values() if 0 < len(text) < 4000]
WORDS = [os.fsdecode(text.replace(b"\0", b"")) for text in SHORT]
CONFIGURED = [
    "    proxy_pass http://127.0.0.1:8000;",
    "\tserver unix:/run/app/a.b*c[1]$x^.sock weight=5; # the old one",
    "    server_name shop.example www.shop.example;",
    "    proxy_pass http://user|pw@h/a#b,c/;",
    r"    rewrite ^/a\.b(.*)$ /x\1?a=$1&b=\\ break;",
    "fastcgi_pass unix:/run/php/php8.1-fpm.sock;",
    "    proxy_set_header X 'a b' ;",
    "a a a a;",
]


def shells() -> list[str]:
    return [path for name in ("bash", "zsh", "busybox") if (path := shutil.which(name))]


def argv_of(line: str, shell: str) -> list[str]:
    """What a shell makes of a line, as an argv."""
    words = [shell, "sh"] if shell.endswith("busybox") else [shell]
    done = subprocess.run([*words, "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True, timeout=10)
    return [os.fsdecode(word) for word in done.stdout.split(b"\0")[:-1]]


@pytest.mark.parametrize("shell", shells())
def test_a_printed_argv_is_what_a_shell_gives_back(shell: str) -> None:
    words = tuple(word.replace("\n", "") or "x" for word in WORDS)
    for start in range(0, len(words), 20):
        part = words[start : start + 20]
        assert argv_of(shell_line(part), shell) == list(part)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=6))
def test_any_argv_survives_a_shell(words: list[str]) -> None:
    assert argv_of(shell_line(tuple(words)), "/bin/bash") == words


@pytest.mark.parametrize("word", WORDS)
def test_a_printed_line_holds_nothing_that_a_terminal_acts_on(word: str) -> None:
    line = shell_line(("systemctl", "restart", word))
    assert "\n" not in line
    assert all(character.isprintable() for character in line)


# --- edits --------------------------------------------------------------------------------------------------------------


def edit_of(file: Path, number: int, after: str) -> Edit:
    """The edit that gives a line of a real file another content."""
    lines = file.read_text().split("\n")[:-1]
    index = number - 1
    return Edit(
        str(file),
        number,
        lines[index],
        after,
        above=tuple(lines[max(0, index - 2) : index]),
        below=tuple(lines[number : number + 2]),
    )


def check_edit(file: Path, number: int, after: str) -> None:
    """The sed, the diff and the undo of an edit do what they say."""
    before = file.read_text()
    edit = edit_of(file, number, after)
    lines = before.split("\n")
    wanted = "\n".join([*lines[: number - 1], *after.split("\n"), *lines[number:]])
    part = part_of(edit)
    subprocess.run(["bash", "-c", part.run], check=True, timeout=10, capture_output=True)
    assert file.read_text() == wanted
    assert part.undo is not None
    subprocess.run(["bash", "-c", part.undo], check=True, timeout=10, capture_output=True)
    assert file.read_text() == before
    assert part.edits is not None
    if "\\" not in part.edits.diff:  # a character that had to be spelled out is for the eye
        subprocess.run(
            ["patch", "--quiet", str(file)], input=part.edits.diff.encode(), check=True, timeout=10, cwd=file.parent
        )
        assert file.read_text() == wanted


def part_of(edit: Edit) -> CommandPart:
    """The edit as it is printed."""
    command = Command(Stage.FIX, "Changes a line.", AT, edit="app.edit")
    one = cause("one", {"app": "other-port"}, commands=(command,))
    observed = Observed.of(subjects())
    (part,) = printed(Conclusion(one, server(), Confidence.CONFIRMED, ()), observed, {"app.edit": edit})
    assert (part.changes, part.needs_root, part.stage) == (True, True, "fix")
    return part


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    file = tmp_path / "shop site.conf"
    file.write_text("\n".join(["server {", "    listen 80;", *CONFIGURED, "}", ""]))
    return file


@pytest.mark.parametrize("number", range(3, 3 + len(CONFIGURED)))
@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.replace("8000", "8001").replace("8.1", "8.2").replace("a.b", "c&d").replace("a a", "a b"),
        lambda line: f"    # {line.strip()}",
        lambda line: f"{line}\n    proxy_buffer_size 16k;",
        lambda line: line.replace(";", " extra;", 1),
        lambda line: line.replace(" ", "  ", 1) + " # \\n & / | \\1",
    ],
    ids=["value", "comment", "line-below", "longer", "odd"],
)
def test_an_edit_is_what_sed_and_patch_make(configuration: Path, number: int, change: object) -> None:
    assert callable(change)
    line = configuration.read_text().split("\n")[number - 1]
    after = change(line)
    assume_changed = after != line
    if assume_changed:
        check_edit(configuration, number, after)
    else:
        assert sed_of(edit_of(configuration, number, line + " x"))[0] == "sed"


_LINE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=24)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(_LINE, min_size=1, max_size=4), after=_LINE, data=st.data())
def test_any_edit_of_a_line(tmp_path: Path, before: list[str], after: str, data: st.DataObject) -> None:
    number = data.draw(st.integers(1, len(before)))
    assume(before[number - 1] and after and before[number - 1] != after)
    file = tmp_path / "file"
    file.write_text("\n".join([*before, ""]))
    check_edit(file, number, after)


def test_only_the_line_that_was_seen_is_changed(configuration: Path) -> None:
    edit = edit_of(configuration, 3, "    proxy_pass http://127.0.0.1:8001;")
    configuration.write_text(configuration.read_text().replace("8000", "9000"))  # somebody was quicker
    before = configuration.read_text()
    subprocess.run(["bash", "-c", shell_line(sed_of(edit))], check=True, timeout=10)
    assert configuration.read_text() == before


def test_a_diff_names_the_real_lines() -> None:
    edit = Edit("/etc/nginx/nginx.conf", 40, "old;", "new;", above=("a", "b"), below=("c",))
    assert diff_of(edit).splitlines() == [
        "--- /etc/nginx/nginx.conf",
        "+++ /etc/nginx/nginx.conf",
        "@@ -38,4 +38,4 @@",
        " a",
        " b",
        "-old;",
        "+new;",
        " c",
    ]


# --- which commands are printed --------------------------------------------------------------------------------------------


def commands(values: dict[str, Value], *given: Command) -> tuple[CommandPart, ...]:
    one = cause("one", {"service": "stopped"}, commands=given)
    observed = Observed.of((*subjects(), step("service", server(), "stopped"), step("app", server(), "unknown")))
    return printed(Conclusion(one, server(), Confidence.CONFIRMED, ()), observed, values)


def test_commands_come_in_the_order_of_their_stages() -> None:
    made = [Command(stage, f"Does {stage}.", AT, run=("true", stage)) for stage in reversed(Stage)]
    assert [one.stage for one in commands({}, *made)] == ["inspect", "fix", "verify", "prevent"]


def test_a_command_whose_value_is_not_known_is_not_printed() -> None:
    one = Command(Stage.FIX, "Starts {service.unit}.", AT, run=("systemctl", "start", "{service.unit}"))
    assert commands({}, one) == ()
    (part,) = commands({"service.unit": "a b;rm.service"}, one)
    assert (part.run, part.why) == ("systemctl start 'a b;rm.service'", "Starts a b;rm.service.")
    assert commands({"service.unit": Edit("f", 1, "a", "b")}, one) == ()
    assert commands({"service.unit": ""}, Command(Stage.FIX, "Runs.", AT, run=("{service.unit}",))) == ()


def test_a_list_becomes_words_and_a_pipe_stays_one() -> None:
    one = Command(Stage.VERIFY, "Looks.", AT, run=("{gateway.test}", "-q"), pipe=("grep", "a b"))
    (part,) = commands({"gateway.test": ("nginx", "-t", "-c", "/etc/n x.conf")}, one)
    assert part.run == "nginx -t -c '/etc/n x.conf' -q | grep 'a b'"


def test_conditions_on_observations() -> None:
    holds = Command(Stage.FIX, "A.", AT, run=("a",), when=(("service", ("stopped",)),))
    fails = Command(Stage.FIX, "B.", AT, run=("b",), when=(("service", ("running",)),))
    open_ = Command(Stage.FIX, "C.", AT, run=("c",), when=(("app", ("here",)),))
    unasked = Command(Stage.FIX, "D.", AT, run=("d",), when=(("memory", ("killed",)),))
    assert [one.run for one in commands({}, holds, fails, open_, unasked)] == ["a"]
