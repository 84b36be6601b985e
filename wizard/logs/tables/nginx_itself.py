"""nginx's messages about itself: its limits, its temporary files, its start and its reload.

Owns the rows. May not know how a line is split.
"""

from __future__ import annotations

from wizard.logs.signatures import row, rows
from wizard.model import Phase

# Temporary files are numbered with ten digits, below hashed folders of one and two digits (ngx_create_temp_file).
_TEMP_FILE = r'"(?P<target>/[^"]*?/\d{10})"'
_TEMP_FOLDER = r'"(?P<target>/[^"]*?(?:/\d(?:/\d\d?)?|temp|tmp|body|proxy|fastcgi|uwsgi|scgi)/?)"'


LIMITS = rows(
    row(
        "connections-exhausted",
        "worker_connections are not enough",
        "nginx has no connection slot left; it drops connections or answers 500.",
        "gateway-worker-connections",
        "gateway-proxy-loop",
    ),
    row(
        "connections-exhausted",
        "worker_connections are more than open file resource limit",
        "More connections are configured than this process may have files open.",
        "gateway-fd-limit",
    ),
    row(
        "no-descriptors",
        "() failed (",
        "nginx has no file descriptor left.",
        "gateway-fd-limit",
        errnos=(24, 23),
        pattern=r"(?:socket|accept4?|open|pipe|dup|epoll_create|eventfd)\(\) ",
    ),
    row(
        "no-descriptors",
        '" failed (',
        "nginx has no file descriptor left.",
        "gateway-fd-limit",
        errnos=(24, 23),
    ),
    row(
        "temp-disk-full",
        "failed (",
        "There is no space for a temporary file of nginx.",
        "gateway-temp-disk-full",
        errnos=(28, 122),
        pattern=r"(?:open|pwritev?|writev?|mkdir|rename)\(\) (?:to )?" + r'"(?P<target>[^"]*)"',
    ),
    row(
        "temp-disk-full",
        "has written only",
        "A temporary file could be written only in part: the disk is full.",
        "gateway-temp-disk-full",
        pattern=_TEMP_FILE,
    ),
    row(
        "temp-denied",
        "failed (",
        "nginx cannot write a temporary file there.",
        "gateway-temp-dir-permission",
        errnos=(13, 2, 30, 1, 20),
        pattern=r"(?:open|pwritev?|writev?)\(\) " + _TEMP_FILE,
    ),
    row(
        "temp-denied",
        "mkdir() ",
        "nginx cannot make a folder for its temporary files.",
        "gateway-temp-dir-permission",
        errnos=(13, 2, 30, 1, 20),
        pattern=_TEMP_FOLDER,
    ),
    row(
        "auth-subrequest",
        "auth request unexpected status",
        "The sub-request that decides about access failed; nginx answers 500.",
        "gateway-auth-subrequest-down",
        pattern=r"status: (?P<status>\d{3})",
    ),
    row("delayed", ", dry run,", "A limit that is only tried out would have refused the request; it is served."),
    row(
        "limited",
        "limiting requests, excess",
        "A rate limit of nginx itself refused the request.",
        "gateway-generated-status",
    ),
    row(
        "limited",
        "limiting connections by zone",
        "A connection limit of nginx itself refused the request.",
        "gateway-generated-status",
    ),
    row("delayed", "delaying request", "A rate limit delayed the request; it is served."),
    row(
        "redirect-cycle",
        "internal redirection cycle",
        "The configuration redirects a request to itself; nginx answers 500.",
        "gateway-generated-status",
    ),
)
START = rows(
    row(
        "source-address-unusable",
        "bind(",
        "The address from which nginx is told to connect cannot be used.",
        "gateway-source-address-invalid",
        during=(Phase.CONNECTING,),
    ),
    row(
        "port-in-use",
        "bind() to ",
        "Another process holds the address on which nginx is to listen.",
        "port-owned-by-other-process",
        "gateway-failed-start",
        errnos=(98,),
        pattern=r"bind\(\) to (?P<target>\S+) failed",
    ),
    row(
        "listen-failed",
        "bind() to ",
        "nginx cannot listen on this address.",
        "gateway-failed-start",
        "gateway-reload-failed",
        pattern=r"bind\(\) to (?P<target>\S+) failed \(\d+: [^)]*\)",
    ),
    row(
        "listen-failed",
        "still could not bind()",
        "nginx cannot listen on its address and gives up.",
        "gateway-failed-start",
        "port-owned-by-other-process",
    ),
    row(
        "duplicate-server-name",
        "conflicting server name",
        "Two server blocks have the same name on one address; the second is ignored.",
        "gateway-wrong-vhost",
        pattern=r'server name "(?P<target>[^"]*)"',
    ),
    row(
        "module-missing",
        'unknown directive "',
        "The configuration holds a word that this nginx does not know: a typing error or a module that is not loaded.",
        "gateway-failed-start",
        "gateway-reload-failed",
        "gateway-missing-module",
        pattern=r'directive "(?P<target>[^"]*)"',
    ),
    row(
        "configuration-test-failed",
        "test failed",
        "The configuration does not pass nginx's own test.",
        "gateway-failed-start",
        "gateway-reload-failed",
        pattern=r"configuration file (?P<target>\S+) test failed",
    ),
    row(
        "temp-denied",
        "chown(",
        "nginx cannot give a folder for temporary files to its user; it refuses to start.",
        "gateway-temp-dir-permission",
        "gateway-failed-start",
        errnos=(1, 2, 13, 30),
        pattern=r'chown\("(?P<target>/[^"]*)"',
    ),
    row(
        "configuration-refused",
        " in /",
        "The configuration is wrong at this place; nginx refuses to start or to reload.",
        "gateway-failed-start",
        "gateway-reload-failed",
        pattern=r" in (?P<target>/\S+:\d+)$",
    ),
    row(
        "worker-cannot-start",
        "fork() failed",
        "nginx cannot start another process for want of memory.",
        "memory-pressure",
        "task-limit-reached",
        errnos=(12,),
    ),
    row(
        "worker-cannot-start",
        "fork() failed",
        "nginx cannot start another process: a limit of processes is reached.",
        "task-limit-reached",
        "memory-pressure",
        errnos=(11,),
    ),
    row(
        "no-memory",
        " failed (",
        "nginx got no memory from the system.",
        "memory-pressure",
        errnos=(12,),
    ),
    row(
        "worker-killed",
        " exited on signal 9",
        "A worker of nginx was killed: by the kernel for want of memory, or by hand.",
        "memory-pressure",
        pattern=r"^(?:worker|cache manager|cache loader) process \d+ exited on signal 9\b",
    ),
    row(
        "start-failed",
        "could not open error log file",
        "nginx cannot open its error log.",
        "gateway-failed-start",
    ),
)
