"""Questions and answers in words: what was asked, how an admin asks the same by hand, and what came back.

Owns the wording of evidence. May not know checks or verdicts. Everything foreign passes the door for text.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from wizard.host.questions import (
    AskDns,
    Clock,
    Connect,
    Connected,
    ConnectFailed,
    DirList,
    DnsAnswered,
    FileRead,
    FilesRead,
    FileStat,
    Identity,
    ListDir,
    Listening,
    LogTail,
    Me,
    NotAnswered,
    NotReplied,
    PathSteps,
    Processes,
    ProcessTable,
    Ran,
    ReadFile,
    ReadGlob,
    ReadLog,
    Replied,
    Request,
    Resolve,
    Resolved,
    Run,
    Sockets,
    SocketTable,
    Stat,
    TlsFailed,
    TlsHandshake,
    TlsShaken,
    Told,
    WalkPath,
)
from wizard.session.lines import line_of
from wizard.text import one_line, visible

LINES = 12


def what_of(question: object) -> str:
    """What was asked, in one line."""
    match question:
        case Run(argv=argv):
            said = f"ran {shlex.join(argv)}"
        case ReadFile(path=path):
            said = f"read {path}"
        case ReadGlob(pattern=pattern):
            said = f"read the files {pattern}"
        case ReadLog(path=path, since=since):
            said = f"read the last {since:g} s of {path}"
        case Stat(path=path) | WalkPath(path=path) | ListDir(path=path):
            said = f"looked at {path}"
        case Sockets():
            said = "listed the listening sockets"
        case Processes():
            said = "listed the processes"
        case Resolve(name=name):
            said = f"looked up {name} as the system does"
        case AskDns(server=server, name=name, kind=kind, port=port):
            said = f"asked {server} port {port} for {name} {kind}"
        case Connect(endpoint=endpoint):
            said = f"connected to {endpoint}" + _as_whom(question)
        case TlsHandshake(endpoint=endpoint):
            said = f"shook hands in TLS with {endpoint}"
        case Request(method=method, target=target, endpoint=endpoint):
            said = f"{method} {target} to {endpoint}" + _as_whom(question)
        case Clock():
            said = "read the clock"
        case Identity():
            said = "asked who runs this, and on what"
        case _:
            said = type(question).__name__
    return one_line(said)


def _as_whom(question: Connect | Request) -> str:
    uid = question.view.uid
    return "" if uid is None else f" as user {uid}"


def by_hand_of(question: object) -> str:
    """The command that an admin would type for the same."""
    match question:
        case Run(argv=argv):
            typed = shlex.join(argv)
        case ReadFile(path=path):
            typed = f"cat {shlex.quote(path)}"
        case ReadGlob(pattern=pattern):
            typed = f"cat {pattern}"
        case ReadLog(path=path):
            typed = f"tail -n 100 {shlex.quote(path)}"
        case Stat(path=path):
            typed = f"stat {shlex.quote(path)}"
        case WalkPath(path=path):
            typed = f"namei -l {shlex.quote(path)}"
        case ListDir(path=path):
            typed = f"ls -la {shlex.quote(path)}"
        case Sockets():
            typed = "ss -Hlnptux"
        case Processes():
            typed = "ps -eo pid,ppid,user,lstart,args"
        case Resolve(name=name):
            typed = f"getent ahosts {shlex.quote(name)}"
        case AskDns(server=server, name=name, kind=kind, port=port):
            typed = f"dig -p {port} @{server} {shlex.quote(name)} {kind}"
        case Connect(endpoint=endpoint):
            typed = _nc(endpoint)
        case TlsHandshake(endpoint=endpoint, settings=settings):
            name = f"-servername {shlex.quote(settings.server_name)}" if settings.server_name else "-noservername"
            typed = f"openssl s_client -connect {endpoint} {name} </dev/null"
        case Request(endpoint=endpoint, target=target, headers=headers, tls=tls):
            host = next((value for name, value in headers if name.lower() == "host"), "")
            scheme = "https" if tls else "http"
            if endpoint.startswith("unix:"):
                typed = f"curl -sSi --unix-socket {shlex.quote(endpoint[5:])} {shlex.quote(f'{scheme}://localhost{target}')}"
            else:
                typed = f"curl -sSi -H {shlex.quote(f'Host: {host}')} {shlex.quote(f'{scheme}://{endpoint}{target}')}"
        case Clock():
            typed = "date"
        case Identity():
            typed = "id"
        case _:
            typed = ""
    return one_line(typed, limit=400)


def _nc(endpoint: str) -> str:
    if endpoint.startswith("unix:"):
        return f"nc -zU {shlex.quote(endpoint[5:])}"
    host, _, port = endpoint.rpartition(":")
    return f"nc -vz -w 3 {shlex.quote(host.strip('[]'))} {port}"


def excerpt_of(answer: object) -> str:
    """What came back, a few lines of visible text."""
    match answer:
        case NotAnswered(why=why, detail=detail):
            return one_line(f"no answer ({why}): {detail}")
        case Ran(status=status, out=out, err=err):
            shown = _lines(out or err)
            return shown if status == 0 else f"exit status {status}\n{shown}"
        case FileRead(content=content):
            return _lines(content)
        case LogTail(content=content, left_out=left_out):
            return _lines(content, last=True, before=left_out)
        case FilesRead(files=files):
            return _listed([one_line(one.path) for one in files])
        case FileStat():
            return _stat(answer)
        case PathSteps(steps=steps, missing=missing):
            gone = [f"{one_line(missing)}: no such file"] if missing else []
            return "\n".join([*map(_stat, steps), *gone])
        case DirList(entries=entries):
            return "\n".join(_stat(one) for one in entries[:LINES])
        case SocketTable(listening=listening):
            return _listed([_socket(one) for one in sorted(listening, key=_place)]) or "no listening socket"
        case ProcessTable(processes=processes):
            return f"{len(processes)} processes"
        case Resolved(addresses=addresses, error=error):
            return one_line(", ".join(addresses) or error or "no address")
        case DnsAnswered(rcode=rcode, addresses=addresses):
            return one_line(f"{rcode} {', '.join(addresses)}")
        case Connected(seconds=seconds):
            return f"connected in {seconds * 1000:.1f} ms"
        case ConnectFailed(errno=number):
            return "nothing came back before the deadline" if number is None else f"errno {number}"
        case TlsShaken(version=version, cipher=cipher, verify_error=verify_error):
            return one_line(f"{version} {cipher} {verify_error or ''}")
        case TlsFailed(reason=reason):
            return one_line(reason)
        case Replied(status=status, reason=reason, headers=headers):
            return visible("\n".join([f"{status} {reason}", *(f"{name}: {value}" for name, value in headers[:8])]))
        case NotReplied(phase=phase, ending=ending, received=received):
            return one_line(f"{ending} while {phase}") + (f": {one_line(received[:80])}" if received else "")
        case Told() | Me():
            return one_line(line_of(answer))
        case _:
            return ""


def _place(one: Listening) -> tuple[str, int, str]:
    return one.path, one.port, one.address


def _socket(one: Listening) -> str:
    where = (
        f"unix:{one.path}"
        if one.path
        else f"[{one.address}]:{one.port}"
        if ":" in one.address
        else f"{one.address}:{one.port}"
    )
    kind = "udp " if one.type == "dgram" and not one.path else ""
    owner = f"  pid {', '.join(str(pid) for pid in one.pids[:4])}" if one.pids else "  owner not seen"
    return one_line(f"{kind}{where}{owner}")


def _lines(content: bytes, *, last: bool = False, before: int = 0) -> str:
    return _listed([line for line in content.split(b"\n") if line.strip()], last=last, before=before)


def _listed(lines: Sequence[bytes | str], *, last: bool = False, before: int = 0) -> str:
    cut = lines[-LINES:] if last else lines[:LINES]
    text = "\n".join(one_line(line) for line in cut)
    more = before + len(lines) - len(cut)
    return f"{text}\n({more} more lines)" if more > 0 else text


def _stat(one: FileStat) -> str:
    owner = f"{one.owner or one.uid}:{one.group or one.gid}"
    return one_line(f"{one.kind} {one.mode:04o} {owner} {one.path}" + (f" -> {one.target}" if one.target else ""))
