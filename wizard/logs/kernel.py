"""What the kernel and its audit write: memory, packets, crashes, security modules.

Owns the wording of Linux 3.10 to 6.18 (`mm/oom_kill.c`, `net/netfilter`, `net/ipv4`, `arch/x86`, `security/`).
May not know where it was read (dmesg, journal, syslog, audit.log).
"""

from __future__ import annotations

import re

from wizard.logs.hints import PLAIN, Hints
from wizard.logs.patterns import Pattern
from wizard.logs.signatures import find
from wizard.logs.tables.kernel import MESSAGES
from wizard.logs.told import event_of
from wizard.model import LogEvent, Phase

PROGRAM = "kernel"

GATEWAYS = frozenset({"nginx", "httpd", "apache2", "haproxy", "caddy", "traefik", "envoy", "openresty", "angie"})
_AUDIT_TIME = Pattern(r"audit\((\d{9,11}\.\d{3}):\d+\)")
_FIELD = Pattern(
    r'\b(comm|name|path|pid|dest|operation|profile|permissive|tclass|denied_mask)=(?:"([^"]*)"|([^"\s]+)(?=\s|$))'
)
_AVC = Pattern(r"avc: +denied +\{ ([\w ]{1,120}) \}")
_BLOCK = Pattern(r"\b(IN|OUT|SRC|DST|DPT|PROTO)=(\S*)")
_OUR_PORTS = frozenset({"80", "443", "8080", "8443"})

_OWN_WORDS = (
    "emory cgroup out of memory",
    "Out of memory: Kill",
    "oom-kill:constraint=",
    " killed as a result of limit of /",
    "total-vm:",
    " invoked oom-killer: ",
    "oom_reaper: reaped process ",
    "_conntrack: table full",
    "ossible SYN flooding on port ",
    "fork rejected by pids controller",
    "]: segfault at ",
    "traps: ",
    " blocked for more than ",
    "consider tuning tcp_mem",
    "soft lockup - CPU#",
    "VFS: file-max limit ",
    "TCP: drop open request from",
)


def read(text: str, hints: Hints = PLAIN) -> LogEvent | None:
    """A line of the kernel or of its audit as an event, or None where it is none of them."""
    if not hints.loose:
        return None  # the kernel's lines have no frame of their own
    if "avc:" in text and (avc := _AVC.search(text)) is not None:
        return _selinux(text, avc, hints)
    if 'apparmor="' in text:
        return _apparmor(text, hints)
    if " PROTO=" in text and " SRC=" in text and "IN=" in text:
        return _packet(text, hints)
    if any(words in text for words in _OWN_WORDS):
        match = find(MESSAGES, text)
        return event_of(PROGRAM, match, text, time=hints.time) if match is not None else None
    return None


def _fields(text: str) -> dict[str, str]:
    """The fields of an audit record; a number at the very end may be cut off and is left out."""
    fields: dict[str, str] = {}
    for found in _FIELD.finditer(text):
        if found.end() < len(text) or found[1] in {"permissive", "tclass"} or found[3] is None:
            fields.setdefault(found[1], found[2] if found[3] is None else found[3])
    return fields


def _time(text: str, hints: Hints) -> float | None:
    found = _AUDIT_TIME.search(text)
    return float(found[1]) if found is not None else hints.time


def _selinux(text: str, avc: re.Match[str], hints: Hints) -> LogEvent:
    fields = _fields(text)
    asked = frozenset(avc[1].split())
    ours = fields.get("comm") in GATEWAYS
    causes: tuple[str, ...] = ()
    symptom, phase = "selinux-denied", Phase.NONE
    meaning = "SELinux denied something to a process that is no gateway."
    path = fields.get("path", "")
    if ours and fields.get("permissive") == "1":
        meaning = "SELinux would deny this, but it is permissive: the operation went on."
    elif ours and "name_connect" in asked:
        causes, phase = ("selinux-denies-connect",), Phase.CONNECTING
        meaning = "SELinux does not let the gateway connect to this port."
    elif ours and asked & {"connectto", "write"} and "sock" in fields.get("tclass", "sock"):
        causes, phase = ("selinux-denies-socket-file",), Phase.CONNECTING
        meaning = "SELinux does not let the gateway use this unix socket."
    elif ours:
        meaning = "SELinux denied something to the gateway."
    return LogEvent(
        program=PROGRAM,
        symptom=symptom,
        meaning=meaning,
        phase=phase,
        time=_time(text, hints),
        upstream=f"unix:{path}" if path.startswith("/") and phase is Phase.CONNECTING else None,
        pid=int(fields["pid"]) if fields.get("pid", "").isdigit() else None,
        causes=causes,
        line=text,
        target=fields.get("dest") or path or fields.get("name"),
    )


def _apparmor(text: str, hints: Hints) -> LogEvent:
    fields = _fields(text)
    denied = 'apparmor="DENIED"' in text
    operation = fields.get("operation", "")
    name = fields.get("name", "")
    connecting = operation in {"connect", "create", "sendmsg", "file_perm"}
    about_us = fields.get("comm") in GATEWAYS or fields.get("profile", "").rpartition("/")[2] in GATEWAYS
    causes = ("apparmor-denies",) if denied and (connecting or (operation == "open" and about_us)) else ()
    return LogEvent(
        program=PROGRAM,
        symptom="apparmor-denied" if denied else "notice",
        meaning=(
            "AppArmor denied an operation to a process."
            if denied
            else "AppArmor reports what it does; nothing was denied."
        ),
        phase=Phase.CONNECTING if causes and operation == "connect" else Phase.NONE,
        time=_time(text, hints),
        upstream=f"unix:{name}" if causes and operation == "connect" and name.startswith("/") else None,
        pid=int(fields["pid"]) if fields.get("pid", "").isdigit() else None,
        causes=causes,
        line=text,
        target=fields.get("profile") or None,
    )


def _packet(text: str, hints: Hints) -> LogEvent:
    """A packet that a rule of the packet filter logged (UFW's BLOCK, a LOG rule)."""
    fields = dict(_BLOCK.findall(text))
    arrived, left, port = fields.get("IN", ""), fields.get("OUT", ""), fields.get("DPT", "")
    blocked = any(word in text.upper() for word in ("BLOCK", "DROP", "REJECT", "DENY", "DENIED"))
    causes: tuple[str, ...] = ()
    if blocked and fields.get("PROTO") == "TCP":
        if arrived.startswith(("docker", "br-")) and not left:
            causes = ("host-firewall-blocks-container",)
        elif left or arrived == "lo":
            causes = ("firewall-drops-upstream",)
        elif port in _OUR_PORTS:
            causes = ("gateway-port-blocked",)
    destination = fields.get("DST", "")
    address = f"[{destination}]" if ":" in destination else destination
    return LogEvent(
        program=PROGRAM,
        symptom="packet-blocked" if blocked else "notice",
        meaning=(
            "A rule of the packet filter blocked this packet."
            if blocked
            else "A rule of the packet filter logged a packet."
        ),
        phase=Phase.CONNECTING if causes else Phase.NONE,
        time=hints.time,
        upstream=f"{address}:{port}" if causes and address and port and "gateway-port-blocked" not in causes else None,
        causes=causes,
        line=text,
        target=f"{address}:{port}" if address and port else None,
    )
