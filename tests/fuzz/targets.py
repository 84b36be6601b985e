"""Fuzzing targets of the readers: each takes any bytes and must come back, without an exception, in bounded work.

A coverage-guided fuzzer can drive one directly:

    python -c "import atheris, sys; from tests.fuzz.targets import TARGETS as T; \
        atheris.Setup(sys.argv, T['nginx-configuration']); atheris.Fuzz()"
"""

from __future__ import annotations

from collections.abc import Callable

from wizard.firewall import iptables, nft
from wizard.firewall.rules import Source
from wizard.gateways.nginx.build import read_build
from wizard.gateways.nginx.refusal import read_refusal
from wizard.gateways.nginx.syntax import parse
from wizard.host.questions import LogTail
from wizard.logs.access_log import read_access_log
from wizard.logs.error_log import cluster, read_error_log
from wizard.logs.packages import APT, DNF, DPKG, PACMAN, ZYPP, told_once, transactions
from wizard.logs.recognise import explain_text
from wizard.logs.shapes import told_lines
from wizard.services.journal import read_journal
from wizard.services.lifecycle import moments
from wizard.text import one_line, shell_word, visible

MAX_INPUT = 1 << 16


def _tail(data: bytes) -> LogTail:
    return LogTail("/var/log/nginx/error.log", data, len(data), 0.0, from_start=True)


def nginx_configuration(data: bytes) -> None:
    """The tokens and the tree of a configuration file."""
    parse(data[:MAX_INPUT], "/etc/nginx/nginx.conf")


def nginx_error_log(data: bytes) -> None:
    """An error log, and the bursts in it."""
    cluster(read_error_log(_tail(data[:MAX_INPUT])))


def nginx_access_log(data: bytes) -> None:
    """An access log in the format that the first line of the input gives."""
    written, _, lines = data[:MAX_INPUT].partition(b"\n")
    read_access_log(_tail(lines), written.decode("utf-8", "replace")[:500] or None)


def explained(data: bytes) -> None:
    """Lines of any program in any wrapping."""
    alone = [number for number, _ in explain_text(data[:MAX_INPUT], zone_offset=0)]
    together = [number for number, _, _ in told_lines(data[:MAX_INPUT], zone_offset=0)]
    if alone != together:
        raise AssertionError("a line got lost")


def explained_again(data: bytes) -> None:
    """Lines that come again: what is remembered of them is what they say."""
    lines = data[: MAX_INPUT // 4].replace(b"\n", b" ")
    said = {(meaning, time) for _, meaning, time in told_lines(b"\n".join([lines] * 4), zone_offset=0)}
    if len(said) > 1:
        raise AssertionError("the same line said something else")


def nginx_words(data: bytes) -> None:
    """What an nginx binary and a refused start print."""
    read_build(data[:MAX_INPUT])
    read_refusal(data[:MAX_INPUT].decode("utf-8", "replace"))


def firewall_rules(data: bytes) -> None:
    """What nft and iptables-save print."""
    nft.read_ruleset(data[:MAX_INPUT])
    iptables.read_save(data[:MAX_INPUT], "ip", Source.IPTABLES)


def journal(data: bytes) -> None:
    """What journalctl prints, and what became of the units in it."""
    moments(read_journal(data[:MAX_INPUT]))


def package_logs(data: bytes) -> None:
    """The logs of package managers."""
    tail = _tail(data[:MAX_INPUT])
    told_once(one for log in (APT, DPKG, DNF, ZYPP, PACMAN) for one in transactions(log.path, tail))


def text_door(data: bytes) -> None:
    """Foreign bytes on their way to a terminal or a shell."""
    shown = visible(data[:MAX_INPUT])
    one_line(data[:MAX_INPUT])
    shell_word(data[:MAX_INPUT].decode("utf-8", "surrogateescape"))
    if any(ord(character) < 32 and character != "\n" for character in shown):
        raise AssertionError("a control character went through the door")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "nginx-configuration": nginx_configuration,
    "nginx-error-log": nginx_error_log,
    "nginx-access-log": nginx_access_log,
    "explain": explained,
    "explain-again": explained_again,
    "nginx-words": nginx_words,
    "firewall-rules": firewall_rules,
    "journal": journal,
    "package-logs": package_logs,
    "text-door": text_door,
}
