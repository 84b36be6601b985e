"""How an nginx was started: the words of its command line, read from a process or from the title that nginx gave it.

Owns the options of nginx.c (ngx_get_options) and the titles of ngx_process_cycle.c: a master's is
`nginx: master process ARGV`, a worker's `nginx: worker process`, and one that leaves after a reload
`nginx: worker process is shutting down`. May not know what the options lead to.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from wizard.host.questions import Process

PROGRAMS = frozenset({"nginx", "openresty", "nginx-debug", "angie", "freenginx", "tengine"})
WORKER = "nginx: worker process"
_MASTER = "nginx: master process "
_TITLE = "nginx: "
_SWITCHES = frozenset("?hvVtTq")
_WITH_VALUE = frozenset("cpegs")


class Options(msgspec.Struct, frozen=True):
    """What a command line sets: `-c`, `-p`, `-e` and `-g`, each None where it is not given."""

    config: str | None = None
    prefix: str | None = None
    error_log: str | None = None
    settings: str | None = None

    @property
    def repeated(self) -> tuple[str, ...]:
        """The options that a printed command must repeat; `-g daemon off;` has no place beside `-t`."""
        pairs = (("-p", self.prefix), ("-c", self.config))
        return tuple(word for name, value in pairs if value is not None for word in (name, value))


def titled(process: Process) -> str:
    """The title of a process: its argv joined, as nginx writes it over its own argv."""
    return " ".join(word for word in process.argv if word).strip()


def is_master(process: Process) -> bool:
    """Whether a process calls itself a master of nginx."""
    return titled(process).startswith(_MASTER)


def master_argv(process: Process) -> tuple[str, ...] | None:
    """The command line that a master was started with, None for any other process."""
    title = titled(process)
    if title.startswith(_MASTER):
        return regrouped(title.removeprefix(_MASTER))
    program = process.argv[0].rsplit("/", 1)[-1] if process.argv else ""
    return process.argv if program in PROGRAMS and not title.startswith(_TITLE) else None


def regrouped(line: str) -> tuple[str, ...]:
    """The words of a command line that was joined by blanks: a value goes on until the next option.

    So a path with blanks in it, and the directives of `-g`, stay whole.
    """
    words: list[str] = []
    after_value = False
    for word in line.split(" "):
        option = word.startswith("-") and len(word) > 1 and word[1] in _SWITCHES | _WITH_VALUE
        if option or not words or words[-1] in {f"-{letter}" for letter in _WITH_VALUE}:
            words.append(word)
        elif after_value:
            words[-1] += f" {word}"
        else:
            words.append(word)
        after_value = not option or word[1] in _WITH_VALUE
    return tuple(words)


def options(words: Iterable[str]) -> Options:
    """Read the words behind the program: `-c FILE`, `-cFILE`, and several letters behind one dash (`-qc FILE`)."""
    found: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            continue
        for at, letter in enumerate(word[1:], start=2):
            if letter in _WITH_VALUE:
                value = word[at:] or next(rest, "")
                if value:
                    found[letter] = value
                break
            if letter not in _SWITCHES:
                break
    return Options(found.get("c"), found.get("p"), found.get("e"), found.get("g"))
