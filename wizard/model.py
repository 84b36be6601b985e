"""The words of the field as values: gateway, listener, virtual host, location, upstream, server, route, log event.

Owns the shapes that gateways produce and that checks, reports and screens read. May not know any gateway, host or
check. Addresses are text: `127.0.0.1:8000`, `[::1]:8000`, `unix:/run/app.sock`.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Place(msgspec.Struct, frozen=True, order=True):
    """A line of a configuration file, as the admin would open it (the path that was included, links kept)."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Instance(msgspec.Struct, frozen=True):
    """A running (or only configured) gateway.

    `workers` are the pids that connect to upstreams; `uid`, `gid`, `groups` are theirs. `loaded` is when the
    configuration in use was loaded (the start of the youngest worker generation), `started` when the master began.
    `argv` is what starts a tool of this instance with its own `-c` and `-p` (for printed commands).
    `elsewhere` says that it runs in another mount or network namespace than the wizard.
    """

    kind: str
    pid: int | None
    config: str
    prefix: str = ""
    binary: str = ""
    version: str = ""
    unit: str | None = None
    workers: tuple[int, ...] = ()
    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] = ()
    user: str = ""
    started: float | None = None
    loaded: float | None = None
    argv: tuple[str, ...] = ()
    within: int | None = None  # the pid to look `within` when its files or sockets are asked for; None: ours
    elsewhere: bool = False
    settings: str = ""  # directives from its command line (`-g`), which stand before those of the configuration
    error_log: str = ""  # where it writes if no directive says so: `-e`, or what was compiled in
    access_log: str = ""
    unseen: bool = False  # no process of it was found, and those of other users are hidden here: it may run

    @property
    def name(self) -> str:
        """How people speak of it."""
        return self.kind if self.pid is None else f"{self.kind} (pid {self.pid})"


class Listener(msgspec.Struct, frozen=True):
    """An address that a gateway listens on, as configured."""

    address: str
    tls: bool
    at: Place | None = None
    proxy_protocol: bool = False
    http2: bool = False


class VirtualHost(msgspec.Struct, frozen=True):
    """The server block that takes a request, and how it was matched: exact, wildcard, regex or default."""

    name: str
    matched: str
    at: Place


class Location(msgspec.Struct, frozen=True):
    """The location that takes a request, and how: exact, prefix, regex, named or none."""

    pattern: str
    matched: str
    at: Place


class ActionKind(StrEnum):
    """What a location does with a request."""

    PROXY = "proxy"
    FASTCGI = "fastcgi"
    UWSGI = "uwsgi"
    SCGI = "scgi"
    GRPC = "grpc"
    AJP = "ajp"
    STATIC = "static"
    RETURN = "return"
    UNDECIDED = "undecided"


class Action(msgspec.Struct, frozen=True):
    """What is done: the kind, the target as configured with variables filled in, and where it says so."""

    kind: ActionKind
    to: str | None
    at: Place | None
    status: int | None = None


class Role(StrEnum):
    """A server's part in its pool."""

    PRIMARY = "primary"
    BACKUP = "backup"
    DOWN = "down"


class Server(msgspec.Struct, frozen=True):
    """One server of an upstream as configured: an address, or a name (with port) that has to be resolved."""

    address: str  # as configured, port filled in: 127.0.0.1:8000, app.internal:8000, unix:/run/app.sock
    name: str | None = None  # the host name, where it is one
    role: Role = Role.PRIMARY
    at: Place | None = None
    weight: int = 1
    max_fails: int = 1
    fail_timeout: float = 10.0
    max_conns: int = 0
    resolves: bool = False  # `resolve`: looked up again while running


class Upstream(msgspec.Struct, frozen=True):
    """A group of servers, or the single address of a target (name None)."""

    name: str | None
    at: Place | None
    servers: tuple[Server, ...]
    keepalive: int = 0
    zone: bool = False
    balance: str = "round-robin"


class Proxying(msgspec.Struct, frozen=True):
    """The settings with which the gateway speaks to the upstream, inheritance and defaults applied. Seconds, bytes.

    `host` is the Host header that it sends; `uri` the request target that it sends; `headers` the other set headers
    (variables filled in where they are known). `resolvers` are the run-time DNS servers (`address:port`);
    `named_at_run_time` says that the target's name is looked up per request through them, not at start.
    `params` are FastCGI or uwsgi parameters.
    """

    tls: bool = False
    host: str = ""
    uri: str = "/"
    version: str = "1.0"
    connect_timeout: float = 60.0
    read_timeout: float = 60.0
    send_timeout: float = 60.0
    buffer_size: int = 4096
    headers: tuple[tuple[str, str], ...] = ()
    params: tuple[tuple[str, str], ...] = ()
    server_name: str | None = None  # the SNI that is sent; None: none
    verify: bool = False
    verify_name: str | None = None
    trusted: str | None = None
    protocols: tuple[str, ...] = ()
    ciphers: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    verify_depth: int = 1
    revoked: str | None = None
    resolvers: tuple[str, ...] = ()
    resolver_timeout: float = 30.0
    resolver_ipv6: bool = True
    resolver_at: Place | None = None
    named_at_run_time: bool = False
    bind: str | None = None
    send_proxy_protocol: bool = False
    next_upstream: tuple[str, ...] = ("error", "timeout")
    upgrade: bool = False  # WebSocket headers are passed on
    intercept_errors: bool = False
    at: Place | None = None


class Logs(msgspec.Struct, frozen=True):
    """Where a virtual host's messages go: a path, `syslog:...`, `stderr`, or None for off."""

    error: str | None
    error_level: str = "error"
    access: str | None = None
    access_format: str | None = None  # the log_format string, where it is a custom one


class Route(msgspec.Struct, frozen=True):
    """Which listener, virtual host, location and upstream of one gateway take a URL, and why."""

    gateway: Instance
    url: str
    listener: Listener
    virtual_host: VirtualHost
    location: Location
    action: Action
    upstream: Upstream | None = None
    proxying: Proxying | None = None
    logs: Logs | None = None
    undecided: tuple[str, ...] = ()
    auth_request: str | None = None
    steps: tuple[str, ...] = ()  # internal redirects on the way (rewrite, try_files, error_page), in words
    reached_at: str | None = None  # the address by which a client on this host comes, where the URL names it


class Broken(msgspec.Struct, frozen=True):
    """A configuration (or a part of it) that could not be understood: the place, what is wrong, and what to do."""

    what: str
    at: Place | None = None
    hint: str = ""


class Phase(StrEnum):
    """What a gateway was doing when it logged a message."""

    RESOLVING = "resolving"
    CONNECTING = "connecting"
    HANDSHAKING = "handshaking"
    SENDING_REQUEST = "sending-request"
    READING_HEADER = "reading-header"
    READING_BODY = "reading-body"
    NONE = "none"


class LogEvent(msgspec.Struct, frozen=True, gc=False):
    """One line of a log, understood.

    `time` is seconds since the epoch (None: the line has none, or its zone is unknown). `symptom` is a stable word
    for the class of message (the row of the table that recognised it, such as connect-refused or header-too-big).
    `causes` are the ids that are consistent with the line alone. `upstream` is host:port, unix:/path, or
    HAProxy's backend/server.
    """

    program: str
    symptom: str
    meaning: str
    phase: Phase = Phase.NONE
    time: float | None = None
    level: str = ""
    errno: int | None = None
    upstream: str | None = None
    client: str | None = None
    server: str | None = None
    host: str | None = None
    request: str | None = None
    pid: int | None = None
    connection: int | None = None
    causes: tuple[str, ...] = ()
    line: str = ""  # as it stands in the log, decoded but not made visible
    status: int | None = None
    target: str | None = None  # what else the message names: a path, a host name, a certificate name
