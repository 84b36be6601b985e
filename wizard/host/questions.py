"""The questions that may be asked of a host, and the shape of each answer.

Owns the vocabulary of the seam: plain values that can be written to a session file and read back.
May not know how a question is answered, what its answer means, or which gateway it is asked for.

Every question is read-only by its nature, carries its own deadline in seconds and its own size limit in bytes.
A path may be asked `within` a process: it is then looked up below `/proc/PID/root`, as that process sees it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

A = TypeVar("A")


class Ask(msgspec.Struct, Generic[A], frozen=True, tag_field="ask"):
    """A question whose answer has the type `A` (or is `NotAnswered`)."""


class Why(StrEnum):
    """The reason why a question has no answer."""

    DENIED = "denied"  # the host answered EACCES or EPERM
    MISSING = "missing"  # the file, program or process is not there
    TIMED_OUT = "timed-out"  # the deadline of the question passed
    TOO_BIG = "too-big"  # the answer is larger than the limit of the question
    UNSUPPORTED = "unsupported"  # this kernel or this host cannot answer such a question
    REFUSED = "refused"  # the rules of the wizard forbid the question
    NOT_RECORDED = "not-recorded"  # a recorded host was never asked this
    CANCELLED = "cancelled"  # the person or the deadline of the walk stopped it
    FAILED = "failed"  # anything else; the detail says what


class NotAnswered(msgspec.Struct, frozen=True, tag_field="answer", tag="not-answered"):
    """No answer: why, in words, with the errno where there was one and the smallest grant that would help."""

    why: Why
    detail: str
    errno: int | None = None
    grant: str | None = None


class Answer(msgspec.Struct, frozen=True, tag_field="answer"):
    """What came back."""


# --- commands -------------------------------------------------------------------------------------------------


class Ran(Answer, frozen=True, tag="ran"):
    """A command's exit status and what it printed; `cut` says that the size limit was reached."""

    status: int
    out: bytes
    err: bytes
    cut: bool = False


class Run(Ask[Ran], frozen=True, tag="run"):
    """Run one argv of the allow-list, without a shell, with a fixed environment and no standard input."""

    argv: tuple[str, ...]
    seconds: float = 5.0
    max_bytes: int = 1 << 20


# --- files ----------------------------------------------------------------------------------------------------


class FileStat(Answer, frozen=True, tag="stat"):
    """lstat or stat of one path. `mtime` is in seconds since the epoch; `real` is the path behind all links."""

    path: str
    kind: str  # file, dir, socket, fifo, link, device
    mode: int  # permission bits only
    uid: int
    gid: int
    size: int
    mtime: float
    inode: int
    owner: str = ""
    group: str = ""
    target: str | None = None  # what a link points to, as written
    real: str = ""


class Stat(Ask[FileStat], frozen=True, tag="stat"):
    """stat one path; `follow=False` looks at a link itself."""

    path: str
    follow: bool = True
    within: int | None = None


class PathSteps(Answer, frozen=True, tag="path-steps"):
    """Every component of a path from `/` on, links followed as in namei(1); ends early where one is missing.

    `missing` is the first component that is not there, `denied` the first that could not be looked at.
    """

    steps: tuple[FileStat, ...]
    missing: str | None = None
    denied: str | None = None


class WalkPath(Ask[PathSteps], frozen=True, tag="walk-path"):
    """Ask for owner, mode and kind of each component of a path."""

    path: str
    within: int | None = None


class FileRead(Answer, frozen=True, tag="file"):
    """One file's first bytes. `real` is the path behind all links."""

    path: str
    content: bytes
    real: str
    mtime: float
    cut: bool = False


class ReadFile(Ask[FileRead], frozen=True, tag="read-file"):
    """Read one regular file (or one below /proc or /sys) up to a limit. Secrets are replaced in recordings."""

    path: str
    max_bytes: int = 1 << 20
    within: int | None = None


class NamedProblem(msgspec.Struct, frozen=True):
    """A file that matched and could not be read."""

    path: str
    why: Why
    detail: str


class FilesRead(Answer, frozen=True, tag="files"):
    """The readable files behind a pattern in glob(3) order, and those that could not be read."""

    files: tuple[FileRead, ...]
    problems: tuple[NamedProblem, ...] = ()
    cut: bool = False  # more files matched than the limit allows


class ReadGlob(Ask[FilesRead], frozen=True, tag="read-glob"):
    """Read all regular files that match a glob(3) pattern (no braces, no tilde, hidden files only by a literal dot)."""

    pattern: str
    max_files: int = 5000
    max_bytes: int = 1 << 20  # each
    within: int | None = None


class DirList(Answer, frozen=True, tag="dir"):
    """The entries of a folder, each as by lstat, in name order."""

    path: str
    entries: tuple[FileStat, ...]
    cut: bool = False


class ListDir(Ask[DirList], frozen=True, tag="list-dir"):
    """List one folder."""

    path: str
    max_entries: int = 2000
    within: int | None = None


class StampKind(StrEnum):
    """How the lines of a log file begin, so that its tail since a time can be found by bisection."""

    NGINX_ERROR = "nginx-error"  # 2026/11/22 09:39:10, the writer's local time
    COMMON = "common"  # ... [22/Nov/2026:09:42:58 +0000] ...
    ISO = "iso"  # 2026-11-22T09:39:10+00:00, at the start of the line
    NONE = "none"  # no known stamp: the last bytes are read


class LogTail(Answer, frozen=True, tag="log-tail"):
    """The end of a log, whole lines only, oldest first; `from_start` where the whole window was read."""

    path: str
    content: bytes
    size: int
    mtime: float
    from_start: bool  # False: the size limit cut older lines of the window off
    utc_offset: int = 0  # seconds east of UTC in which stamps without a zone were read
    left_out: int = 0  # lines before the content that were seen, and not kept for a report


class ReadLog(Ask[LogTail], frozen=True, tag="read-log"):
    """Read what was written to a log in the last `since` seconds, from its end, at most `max_bytes`."""

    path: str
    since: float
    stamp: StampKind = StampKind.NONE
    max_bytes: int = 16 << 20
    within: int | None = None


# --- sockets and processes ------------------------------------------------------------------------------------


class Listening(msgspec.Struct, frozen=True):
    """One listening socket. `queue` is what waits to be accepted, `backlog` how many may wait.

    `family` is inet, inet6 or unix; `address` is the IP as text, `path` the unix path (@ for abstract).
    `pids` is empty where the owner could not be seen; `dual` says that an inet6 socket takes IPv4 too.
    """

    family: str
    address: str = ""
    port: int = 0
    path: str = ""
    inode: int = 0
    uid: int | None = None
    queue: int | None = None
    backlog: int | None = None
    pids: tuple[int, ...] = ()
    dual: bool = False
    type: str = "stream"  # stream or dgram (udp is listed for resolvers)


class SocketTable(Answer, frozen=True, tag="sockets"):
    """All listening sockets of one network namespace. `owners_complete` is False where some pids were hidden."""

    listening: tuple[Listening, ...]
    owners_complete: bool
    netns: int = 0
    established: int = 0
    unix_complete: bool = True


class Sockets(Ask[SocketTable], frozen=True, tag="sockets"):
    """List listening sockets in this network namespace, or in the one of process `within`."""

    within: int | None = None


class Process(msgspec.Struct, frozen=True):
    """One process. Ids are those of this PID namespace; `started` is seconds since the epoch.

    `net_ns`, `mnt_ns` are inode numbers (0 where hidden); `cgroup` is the path below the service manager.
    """

    pid: int
    ppid: int
    name: str
    argv: tuple[str, ...]
    uid: int
    gid: int
    started: float
    state: str
    exe: str = ""
    groups: tuple[int, ...] = ()
    net_ns: int = 0
    mnt_ns: int = 0
    cgroup: str = ""
    root: str = "/"
    cwd: str = ""
    user: str = ""


class ProcessTable(Answer, frozen=True, tag="processes"):
    """All processes that can be seen."""

    processes: tuple[Process, ...]


class Processes(Ask[ProcessTable], frozen=True, tag="processes"):
    """List processes."""


# --- names ----------------------------------------------------------------------------------------------------


class View(msgspec.Struct, frozen=True):
    """From where something is asked: as which user, and in the namespaces of which process.

    None means: as the wizard itself.
    """

    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] = ()
    within: int | None = None


HERE = View()


class Resolved(Answer, frozen=True, tag="resolved"):
    """What getaddrinfo(3) answered: addresses in its order, or the name of its EAI error."""

    addresses: tuple[str, ...]
    error: str | None = None  # EAI_NONAME, EAI_AGAIN, EAI_NODATA, EAI_FAIL ...


class Resolve(Ask[Resolved], frozen=True, tag="resolve"):
    """Look a name up as the system does (hosts file, NSS, resolv.conf)."""

    name: str
    seconds: float = 5.0


class DnsAnswered(Answer, frozen=True, tag="dns"):
    """One DNS server's answer: its rcode by name and the addresses in it. An empty NOERROR is an answer too."""

    rcode: str
    addresses: tuple[str, ...]
    ttl: int | None = None
    chain: tuple[str, ...] = ()  # CNAME targets, in order


class AskDns(Ask[DnsAnswered], frozen=True, tag="ask-dns"):
    """Ask one DNS server for one kind of record of one fully qualified name, over UDP, TCP where truncated.

    A packet filter may know users, so it matters as whom the question is asked.
    """

    server: str
    name: str
    kind: str = "A"
    port: int = 53
    seconds: float = 2.0
    view: View = HERE


# --- the network ----------------------------------------------------------------------------------------------


class Connected(Answer, frozen=True, tag="connected"):
    """The connection was made (and closed again without a byte sent)."""

    local: str = ""
    seconds: float = 0.0


class ConnectFailed(Answer, frozen=True, tag="connect-failed"):
    """The connection was not made: the errno that the kernel gave, or None where nothing came before the deadline."""

    errno: int | None
    seconds: float = 0.0


class Connect(Ask[Connected | ConnectFailed], frozen=True, tag="connect"):
    """Connect to `host:port` (an IP literal, IPv6 in brackets) or `unix:/path`."""

    endpoint: str
    view: View = HERE
    seconds: float = 3.0
    source: str | None = None  # local address to bind, as by nginx's proxy_bind


class TlsSettings(msgspec.Struct, frozen=True):
    """How a gateway shakes hands: the server name it sends (None: no SNI), its protocols, and what it verifies."""

    server_name: str | None = None
    protocols: tuple[str, ...] = ()  # TLSv1, TLSv1.1, TLSv1.2, TLSv1.3; empty: the library's default
    ciphers: str | None = None
    verify: bool = False
    verify_name: str | None = None  # the name that the certificate must carry
    trusted: str | None = None  # path of the CA file; None: the system's store
    alpn: tuple[str, ...] = ()
    client_certificate: str | None = None
    client_key: str | None = None
    depth: int = 1  # how many certificates may stand between the peer's and a trusted one
    revoked: str | None = None  # path of the file with revocation lists; None: they are not asked


class Certificate(msgspec.Struct, frozen=True):
    """What a certificate says; times in seconds since the epoch."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: float
    not_after: float
    self_signed: bool = False


class TlsShaken(Answer, frozen=True, tag="tls"):
    """The handshake was made. `verify_error` is what verification would say (OpenSSL's code and text), if asked."""

    version: str
    cipher: str
    alpn: str | None
    chain: tuple[Certificate, ...]
    verify_code: int = 0
    verify_error: str | None = None
    client_certificate_wanted: bool = False
    seconds: float = 0.0


class TlsFailed(Answer, frozen=True, tag="tls-failed"):
    """The handshake was not made: where it ended, OpenSSL's reason, the alert, and the first bytes of the peer."""

    phase: str  # connecting or handshaking
    errno: int | None
    reason: str
    alert: int | None = None
    received: bytes = b""
    seconds: float = 0.0
    client_certificate_wanted: bool = False  # the peer had asked for one before it gave up


class TlsHandshake(Ask[TlsShaken | TlsFailed], frozen=True, tag="tls-handshake"):
    """Connect and shake hands as the gateway would; nothing is sent after the handshake."""

    endpoint: str
    settings: TlsSettings
    view: View = HERE
    seconds: float = 3.0


class Protocol(StrEnum):
    """What is spoken to an upstream."""

    HTTP = "http"
    FASTCGI = "fastcgi"
    UWSGI = "uwsgi"


BODY_DEFECTS = ("broken chunk", "more body than", "the body ended with")  # how a defect of the body begins


class Replied(Answer, frozen=True, tag="replied"):
    """The peer answered with a header in the protocol that was spoken.

    `header_bytes` is the size of status line and headers on the wire; `ending` says how the body ended:
    complete, closed (before its announced length), reset, timed-out, or not-read.
    `stderr` is FastCGI's second stream.
    """

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    body_bytes: int
    header_bytes: int
    ending: str
    seconds_to_header: float
    seconds: float
    version: str = ""
    stderr: bytes = b""
    defects: tuple[str, ...] = ()  # what a strict reader objects to, in words


class NotReplied(Answer, frozen=True, tag="not-replied"):
    """No header in that protocol came: the phase, how it ended, and the first bytes of what did come.

    `phase` is connecting, handshaking, sending-request or reading-header.
    `ending` is closed (FIN), reset (RST), timed-out, not-protocol (bytes came that are no such header),
    tls (the handshake failed), or error.
    """

    phase: str
    ending: str
    errno: int | None
    received: bytes
    seconds: float
    detail: str = ""


class Request(Ask[Replied | NotReplied], frozen=True, tag="request"):
    """Send one safe request (GET or HEAD) and read its answer up to `max_bytes` of body.

    `target` is the request target as sent; `headers` are sent in order, the Host header among them.
    The User-Agent is always the wizard's own. `preamble` is the PROXY protocol line where the gateway sends one.
    FastCGI and uwsgi take `params` instead of headers. `turn` tells a request from the same one made again later in
    one attempt.
    """

    endpoint: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "GET"
    version: str = "1.1"
    tls: TlsSettings | None = None
    protocol: Protocol = Protocol.HTTP
    params: tuple[tuple[str, str], ...] = ()
    preamble: bytes = b""
    view: View = HERE
    connect_seconds: float = 3.0
    seconds: float = 10.0
    max_bytes: int = 65536
    turn: int = 0


# --- the machine ----------------------------------------------------------------------------------------------


class Told(Answer, frozen=True, tag="clock"):
    """Now and the time of boot in seconds since the epoch, and the local zone's offset east of UTC in seconds."""

    now: float
    boot: float
    utc_offset: int
    zone: str = ""


class Clock(Ask[Told], frozen=True, tag="clock"):
    """What time it is on the host."""


class Me(Answer, frozen=True, tag="identity"):
    """Who the wizard runs as, and on what."""

    uid: int
    user: str
    groups: tuple[str, ...]
    hostname: str
    os: str
    kernel: str
    capabilities: tuple[str, ...] = ()
    init: str = ""  # the name of process 1
    pid: int = 0
    net_ns: int = 0
    mnt_ns: int = 0


class Identity(Ask[Me], frozen=True, tag="identity"):
    """Who asks, and where."""


AnyQuestion = (
    Run
    | Stat
    | WalkPath
    | ReadFile
    | ReadGlob
    | ListDir
    | ReadLog
    | Sockets
    | Processes
    | Resolve
    | AskDns
    | Connect
    | TlsHandshake
    | Request
    | Clock
    | Identity
)
AnyAnswer = (
    Ran
    | FileStat
    | PathSteps
    | FileRead
    | FilesRead
    | DirList
    | LogTail
    | SocketTable
    | ProcessTable
    | Resolved
    | DnsAnswered
    | Connected
    | ConnectFailed
    | TlsShaken
    | TlsFailed
    | Replied
    | NotReplied
    | Told
    | Me
    | NotAnswered
)
