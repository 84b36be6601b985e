"""Which commands may be run at all: programs by name, and for each the exact shapes of its arguments.

Owns the allow-list, as a pure function of the argv. May not know whether a program is installed, or the machine's
state: what must hold there before a command is harmless is named as a `Need`, for the live host to check.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

import msgspec

from wizard.host.arguments import NotAllowed, all_match, positional

SEARCH_PATH = ("/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin")

# Programs that the field installs outside of the search path, and that may be called by their absolute path there.
ANYWHERE = frozenset({"nginx", "nginx-debug", "openresty", "angie", "freenginx", "tengine"})


class Need(StrEnum):
    """What must hold on the host before a command leaves it unchanged."""

    NF_TABLES = "nf_tables is loaded or built in"
    IP_TABLES = "legacy IPv4 tables are in use"
    IP6_TABLES = "legacy IPv6 tables are in use"
    IPTABLES_KIND = "the tables of the variant behind iptables-save are in use"
    IP6TABLES_KIND = "the tables of the variant behind ip6tables-save are in use"
    TCP_DIAG = "tcp_diag is loaded or built in"
    UDP_DIAG = "udp_diag is loaded or built in"
    UNIX_DIAG = "unix_diag is loaded or built in"
    LOGIND = "systemd-logind has been started"


class Permit(msgspec.Struct, frozen=True):
    """A command that may be run: the program's name (or absolute path), and what must hold before."""

    program: str
    needs: tuple[Need, ...] = ()


class Refusal(msgspec.Struct, frozen=True):
    """A command that may not be run, and why."""

    because: str


_UNIT = re.compile(r"[A-Za-z0-9:_.@\\*?][A-Za-z0-9:_.@\\*?-]{0,254}")
_LIST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_,-]*")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_PATH = re.compile(r"/[^\x00-\x1f]{0,4095}")
_WHEN = re.compile(r"[0-9A-Za-z:@.+ -]{1,64}")
_FIELD = re.compile(r"[A-Z_][A-Z0-9_]{0,63}=[^\x00\n]{0,4096}")
_KEY = re.compile(r"[A-Za-z0-9_.:\[%][A-Za-z0-9_.:%\[\]@\\$-]{0,254}")
_IP = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\d{1,3}(?:\.\d{1,3}){3})?)"
_ADDRESS = re.compile(rf"{_IP}(?:/\d{{1,3}})?")


def permit(argv: Sequence[str]) -> Permit | Refusal:
    """Decide whether an argv may be run.

    Args:
        argv: the program (a bare name, or an absolute path in the search path; an nginx may lie anywhere) and its
            arguments.

    Returns:
        A permit with what the host must fulfil before, or the reason for the refusal. Never raises.
    """
    if not argv:
        return Refusal("the command is empty")
    if any("\0" in word for word in argv):
        return Refusal("a word holds a NUL")
    program, words = argv[0], argv[1:]
    folder, slash, name = program.rpartition("/")
    if slash and folder not in SEARCH_PATH and not (name in ANYWHERE and _PATH.fullmatch(program)):
        return Refusal(f"programs are not run from {folder or '/'}")
    shape = _PROGRAMS.get(name)
    if shape is None:
        return Refusal(f"{name} is not on the list of read-only commands")
    try:
        return Permit(program, shape(words))
    except NotAllowed as no:
        return Refusal(f"{name} is not run with {no}")


# --- programs -------------------------------------------------------------------------------------------------

Shape = Callable[[Sequence[str]], tuple[Need, ...]]  # raises NotAllowed


def _exactly(*shapes: tuple[str, ...]) -> Shape:
    def shape(words: Sequence[str]) -> tuple[Need, ...]:
        if tuple(words) not in shapes:
            raise NotAllowed(" ".join(words) or "no arguments")
        return ()

    return shape


_SYSTEMCTL_VERBS = frozenset({
    "show", "list-units", "list-unit-files", "list-sockets", "list-timers", "list-dependencies", "cat", "is-active",
    "is-enabled", "is-failed", "is-system-running",
})  # fmt: skip
_SYSTEMCTL_FLAGS = frozenset({
    "--no-pager", "--no-legend", "--no-ask-password", "--plain", "--full", "-l", "--all", "-a", "--value", "--failed",
    "--recursive", "-r", "--reverse", "--quiet", "-q",
})  # fmt: skip
_SYSTEMCTL_VALUES = {
    "-p": _LIST,
    "--property": _LIST,
    "-t": _LIST,
    "--type": _LIST,
    "--state": _LIST,
    "-o": re.compile(r"json|json-pretty|short"),
    "--output": re.compile(r"json|json-pretty|short"),
    "--legend": re.compile(r"no|false|0"),
    "--timestamp": re.compile(r"unix|utc|us|us\+utc|pretty"),
}


def _systemctl(words: Sequence[str]) -> tuple[Need, ...]:
    verb, *units = positional(words, _SYSTEMCTL_FLAGS, _SYSTEMCTL_VALUES) or [""]
    if verb not in _SYSTEMCTL_VERBS:
        raise NotAllowed(f"the verb {verb or '(none)'}")
    all_match(units, _UNIT)
    return ()


_JOURNALCTL_FLAGS = frozenset({
    "--no-pager", "--quiet", "-q", "--reverse", "-r", "--utc", "--dmesg", "-k", "--all", "-a", "--no-hostname",
    "--no-tail", "--boot", "-b", "--merge", "-m",
})  # fmt: skip
_JOURNALCTL_VALUES = {
    **dict.fromkeys(("-u", "--unit"), _UNIT),
    **dict.fromkeys(("-n", "--lines"), re.compile(r"\+?\d{1,7}|all")),
    **dict.fromkeys(("-o", "--output"), re.compile(r"[a-z-]{1,32}")),
    **dict.fromkeys(("-S", "--since", "-U", "--until"), _WHEN),
    **dict.fromkeys(("-p", "--priority"), re.compile(r"[a-z0-7]+(?:\.\.[a-z0-7]+)?")),
    **dict.fromkeys(("-g", "--grep"), re.compile(r"[^\x00\n-][^\x00\n]{0,1000}")),
    **dict.fromkeys(("-t", "--identifier"), _NAME),
    "--boot": re.compile(r"[-+]?\d{1,4}|[0-9a-f]{32}"),
    "--output-fields": re.compile(r"[A-Z0-9_,]{1,1000}"),
    "--case-sensitive": re.compile(r"yes|no|true|false"),
}


def _journalctl(words: Sequence[str]) -> tuple[Need, ...]:
    matches = positional(words, _JOURNALCTL_FLAGS, _JOURNALCTL_VALUES)
    all_match([word for word in matches if word != "+"], _FIELD)
    return ()


_SS_LONG = {
    "--no-header": "H", "--listening": "l", "--numeric": "n", "--tcp": "t", "--udp": "u", "--unix": "x",
    "--processes": "p", "--all": "a", "--extended": "e", "--memory": "m", "--options": "o", "--info": "i",
    "--ipv4": "4", "--ipv6": "6", "--oneline": "O", "--summary": "s", "--tos": "", "--bpf": "",
}  # fmt: skip
_SS_LETTERS = frozenset("Hlntuxpaemoi46Os")
_SS_KEYWORDS = frozenset({
    "state", "exclude", "src", "dst", "sport", "dport", "and", "or", "not", "(", ")", "=", "==", "!=", ">=", "<=", ">",
    "<", "eq", "neq", "ge", "le", "gt", "lt", "all", "connected", "synchronized", "bucket", "big", "established",
    "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait", "closed", "close-wait", "last-ack", "listening",
    "closing",
})  # fmt: skip
# Anything else that ss takes for an address it would look up in the DNS.
_SS_ADDRESS = re.compile(rf"(?:(?:\[{_IP}\]|{_IP}|\*)(?:/\d{{1,3}})?)?(?::(?:\d{{1,5}}|\*))?")


def _ss(words: Sequence[str]) -> tuple[Need, ...]:
    letters: set[str] = set()
    for word in words:
        if word in _SS_LONG:
            letters |= set(_SS_LONG[word])
        elif word.startswith("-"):
            if word.startswith("--") or len(word) < 2 or not _SS_LETTERS.issuperset(word[1:]):
                raise NotAllowed(word)
            letters |= set(word[1:])
        elif word not in _SS_KEYWORDS and not (word and _SS_ADDRESS.fullmatch(word)):
            raise NotAllowed(repr(word))
    needs = {"t": Need.TCP_DIAG, "u": Need.UDP_DIAG, "x": Need.UNIX_DIAG}
    if not letters & {*needs, "s"}:
        raise NotAllowed("neither -t, -u, -x nor -s: it would ask the kernel about every protocol that it knows")
    return tuple(need for letter, need in needs.items() if letter in letters)


_IP_FLAGS = frozenset({
    "-j", "-json", "-p", "-pretty", "-d", "-details", "-s", "-stats", "-statistics", "-4", "-6", "-0", "-o", "-oneline",
    "-br", "-brief", "-N", "-Numeric",
})  # fmt: skip
_IP_OBJECTS = frozenset({"a", "addr", "address", "l", "link", "r", "route", "ru", "rule", "n", "neigh", "neighbour"})
_IP_ROUTES = frozenset({"r", "route"})
_IP_WORDS = frozenset({
    "up", "scope", "table", "main", "local", "default", "all", "proto", "type", "unicast", "blackhole", "unreachable",
    "prohibit", "global", "host", "link", "to", "match", "exact", "root", "from", "via", "kernel", "static",
})  # fmt: skip
_IP_GET_WORDS = frozenset({"from", "uid", "mark", "sport", "dport", "ipproto", "tcp", "udp", "to", "fibmatch"})
_NUMBER = re.compile(r"\d{1,10}|0x[0-9A-Fa-f]{1,8}")


def _ip(words: Sequence[str]) -> tuple[Need, ...]:
    """`ip` shows and never sets.

    No interface is named (`dev`): old versions ask for it by ioctl, and the kernel answers a name that it does not
    have by loading the module with the alias netdev-NAME (net/core/dev_ioctl.c:dev_load).
    """
    spoken = list(words)
    while spoken and spoken[0] in _IP_FLAGS:
        spoken.pop(0)
    thing, verb, *rest = (*spoken, "", "")[: max(2, len(spoken))]
    if thing not in _IP_OBJECTS:
        raise NotAllowed(f"the object {thing or '(none)'}")
    if verb == "get" and thing in _IP_ROUTES and rest:
        keywords = _IP_GET_WORDS
    elif verb in {"", "show", "list", "ls"}:
        keywords = _IP_WORDS
    else:
        raise NotAllowed(f"{thing} {verb}")
    for word in rest:
        if word not in keywords and not _ADDRESS.fullmatch(word) and not _NUMBER.fullmatch(word):
            raise NotAllowed(repr(word))
    return ()


_NFT_FLAGS = frozenset({
    "-j", "--json", "-a", "--handle", "-n", "--numeric", "-nn", "-s", "--stateless", "-t", "--terse", "-y",
    "--numeric-priority", "-p", "--numeric-protocol", "-T", "--numeric-time",
})  # fmt: skip
_NFT_OBJECTS = frozenset({
    "ruleset", "tables", "table", "chains", "chain", "sets", "set", "maps", "map", "counters", "counter", "flowtables",
})  # fmt: skip


def _nft(words: Sequence[str]) -> tuple[Need, ...]:
    """`nft list`: its words are joined and read as a script, so that a `;` would start a second command."""
    spoken = list(words)
    while spoken and spoken[0] in _NFT_FLAGS:
        spoken.pop(0)
    if len(spoken) < 2 or spoken[0] != "list" or spoken[1] not in _NFT_OBJECTS:
        raise NotAllowed(" ".join(spoken[:2]) or "no command")
    all_match(spoken[2:], _NAME)
    return (Need.NF_TABLES,)


_TABLES = re.compile(r"filter|nat|mangle|raw|security")


def _tables(*needs: Need) -> Shape:
    """The `-save` commands; `-M` would name a program to load modules with, and `-f` a file to write."""

    def shape(words: Sequence[str]) -> tuple[Need, ...]:
        all_match(positional(words, frozenset({"-c", "--counters"}), {"-t": _TABLES, "--table": _TABLES}), _TABLES)
        return needs

    return shape


def _getent(words: Sequence[str]) -> tuple[Need, ...]:
    if len(words) < 2 or words[0] not in {"ahosts", "ahostsv4", "ahostsv6", "hosts", "passwd", "group"}:
        raise NotAllowed(" ".join(words[:1]) or "no database")
    all_match(words[1:], _KEY)
    return ()


def _of_path(*options: str) -> Shape:
    def shape(words: Sequence[str]) -> tuple[Need, ...]:
        if len(words) != 2 or words[0] not in options or not _PATH.fullmatch(words[1]):
            raise NotAllowed(" ".join(words) or "no arguments")
        return ()

    return shape


def _getsebool(words: Sequence[str]) -> tuple[Need, ...]:
    if not words:
        raise NotAllowed("no arguments")
    if tuple(words) != ("-a",):
        all_match(words, _NAME)
    return ()


def _loginctl(words: Sequence[str]) -> tuple[Need, ...]:
    spoken = positional(words, frozenset({"--no-pager", "--value"}), {"-p": _LIST, "--property": _LIST})
    if len(spoken) != 2 or spoken[0] != "show-user" or not _NAME.fullmatch(spoken[1]):
        raise NotAllowed(" ".join(spoken) or "no verb")
    return (Need.LOGIND,)


def _uname(words: Sequence[str]) -> tuple[Need, ...]:
    all_match(words, re.compile(r"-[asnrvmpio]{1,9}"))
    return ()


_PROGRAMS: Mapping[str, Shape] = MappingProxyType(
    {
        "systemctl": _systemctl,
        "journalctl": _journalctl,
        "ss": _ss,
        "ip": _ip,
        "nft": _nft,
        "iptables-save": _tables(Need.IPTABLES_KIND),
        "ip6tables-save": _tables(Need.IP6TABLES_KIND),
        "iptables-legacy-save": _tables(Need.IP_TABLES),
        "ip6tables-legacy-save": _tables(Need.IP6_TABLES),
        "iptables-nft-save": _tables(Need.NF_TABLES),
        "ip6tables-nft-save": _tables(Need.NF_TABLES),
        "getent": _getent,
        "namei": _of_path("-l", "-om", "-lx"),
        "df": _of_path("-Pk", "-Pi"),
        "dpkg-query": _of_path("-S", "--search"),
        "rpm": _of_path("-qf"),
        "uname": _uname,
        "getenforce": _exactly(()),
        "getsebool": _getsebool,
        "loginctl": _loginctl,
        **{name: _exactly(("-v",), ("-V",)) for name in ANYWHERE},
    }
)
