"""What PHP-FPM's master writes to its log.

Owns the wording of PHP 5.3 to 8.5 (`sapi/fpm/fpm/fpm_*.c`). May not know what a script writes: `said into stderr` is
the script's word and no failure of the pool.
"""

from __future__ import annotations

from wizard.logs.hints import PLAIN, Hints
from wizard.logs.patterns import Pattern
from wizard.logs.signatures import find, row, rows
from wizard.logs.told import event_of, told
from wizard.model import LogEvent

PROGRAM = "php-fpm"

_HEAD = Pattern(
    r"\[(\d\d-\w{3}-\d{4} \d\d:\d\d:\d\d(?:\.\d{1,6})?)(?: [\w/+:-]{1,40})?\] (DEBUG|NOTICE|WARNING|ERROR|ALERT): "
    r"(?:pid (\d+), [\w()]+, line \d+: )?"
)
_SYSLOG = Pattern(r"\[(DEBUG|NOTICE|WARNING|ERROR|ALERT)\] ")
_SERIOUS = frozenset({"error", "alert"})

MESSAGES = rows(
    row(
        "source-not-allowed",
        "Connection disallowed: IP address",
        "The pool accepts connections only from listen.allowed_clients, and this one is not among them.",
        "upstream-allowlist-drops",
        pattern=r"IP address '(?P<target>[^']*)'",
    ),
    row("application-stderr", " said into std", "A script wrote to its output or error stream; this fails no request."),
    row(
        "workers-exhausted",
        "max_children setting (",
        "All processes of the pool are busy, and no more may be started.",
        "upstream-workers-exhausted",
        pattern=r"(?:\[pool (?P<target>[^\]]+)\] )?.*reached (?:pm\.)?max_children setting",
    ),
    row(
        "workers-short",
        " seems busy (",
        "The pool has too few idle processes and is starting more.",
        "upstream-workers-exhausted",
        pattern=r"\[pool (?P<target>[^\]]+)\] seems busy",
    ),
    row(
        "workers-exhausted",
        "The maximum number of processes has been reached",
        "All processes that PHP-FPM may start are busy.",
        "upstream-workers-exhausted",
    ),
    row(
        "worker-timeout",
        "execution timed out (",
        "A request ran longer than request_terminate_timeout; PHP-FPM ends its process.",
        "upstream-worker-killed-by-timeout",
        pattern=r"child (?P<pid>\d+), script '(?P<target>[^']*)'(?: \(request: \"(?P<request>[^\"]*)\")?",
    ),
    row(
        "worker-timeout",
        " exited on signal 15 ",
        "A process of the pool was ended, as after request_terminate_timeout.",
        "upstream-worker-killed-by-timeout",
        pattern=r"child (?P<pid>\d+) exited on signal",
    ),
    row(
        "worker-killed",
        " exited on signal 9 ",
        "A process of the pool was killed: by the kernel for want of memory, or by hand.",
        "upstream-oom-killed",
        "upstream-crashed-mid-request",
        pattern=r"child (?P<pid>\d+) exited on signal",
    ),
    row(
        "worker-crashed",
        " exited on signal ",
        "A process of the pool crashed.",
        "upstream-crashed-mid-request",
        pattern=r"child (?P<pid>\d+) exited on signal (?:11|7|4|6|8|5|31)\b",
    ),
    row(
        "worker-exited",
        " exited with code ",
        "A process of the pool ended with an error.",
        "upstream-crashed-mid-request",
        pattern=r"child (?P<pid>\d+) exited with code (?!0\b)\d+",
    ),
    row(
        "slow-request",
        "executing too slow (",
        "A request runs longer than request_slowlog_timeout.",
        "upstream-slow-response",
        pattern=r"child (?P<pid>\d+), script '(?P<target>[^']*)'(?: \(request: \"(?P<request>[^\"]*)\")?",
    ),
    row(
        "port-in-use",
        "unable to bind listening socket",
        "PHP-FPM cannot listen on its address and does not start.",
        "port-owned-by-other-process",
        "upstream-service-failed-start",
        pattern=r"address '(?P<target>[^']*)'(?:: (?P<wording>[\w ]+) \(\d+\))?",
    ),
    row(
        "port-in-use",
        "nother FPM instance seems to already listen on",
        "Another PHP-FPM listens on the address of the pool.",
        "port-owned-by-other-process",
        "upstream-service-failed-start",
        pattern=r"listen on (?P<target>\S+)",
    ),
    row(
        "worker-cannot-start",
        "fork() failed",
        "PHP-FPM cannot start another process.",
        "task-limit-reached",
        "memory-pressure",
        pattern=r"fork\(\) failed: (?P<wording>[\w ]+) \(\d+\)|fork",
    ),
    row(
        "no-descriptors",
        "Too many open files",
        "PHP-FPM has no file descriptor left.",
        "upstream-fd-limit",
        errno=24,
    ),
    row(
        "start-failed",
        "FPM initialization failed",
        "PHP-FPM does not start; the reason stands in the lines before.",
        "upstream-service-failed-start",
    ),
    row(
        "configuration-refused",
        "[/",
        "PHP-FPM refuses its configuration.",
        "upstream-service-failed-start",
        pattern=r"^\[(?P<target>/[^\]]+:\d+)\] (?:unknown|unable|value|invalid|empty|please)",
    ),
    row(
        "configuration-refused",
        "nable to ",
        "PHP-FPM refuses its configuration.",
        "upstream-service-failed-start",
        pattern=r"^Unable to (?:include|create or open|open) |unable to set listen address",
    ),
    row(
        "configuration-refused",
        "failed to ",
        "PHP-FPM refuses its configuration.",
        "upstream-service-failed-start",
        pattern=r"failed to (?:post process the configuration|load configuration file|open (?:configuration|error_log))",
    ),
    row(
        "configuration-refused",
        "[pool ",
        "PHP-FPM refuses the configuration of a pool.",
        "upstream-service-failed-start",
        pattern=r"\[pool (?P<target>[^\]]+)\] (?:user has not been defined|cannot get [ug]id|pm\.\w+|no listen address|"
        r"the chroot path|unable to set|failed to ch)",
    ),
    row(
        "configuration-refused",
        "No pool defined",
        "PHP-FPM has no pool and does not start.",
        "upstream-service-failed-start",
    ),
)
_OWN_WORDS = (
    "] server reached max_children setting (",
    "] server reached pm.max_children setting (",
    " seems busy (you may need to increase pm.",
    " execution timed out (",
    " executing too slow (",
    "Connection disallowed: IP address '",
    "The maximum number of processes has been reached. Please review",
    "nother FPM instance seems to already listen on",
)


def read(text: str, hints: Hints = PLAIN) -> LogEvent | None:
    """A line of PHP-FPM's log as an event, or None where it is none of PHP-FPM's."""
    head = _HEAD.match(text) if text.startswith("[") else None
    if head is not None:
        time = hints.clock.read(head[1])
        return _told(text, text[head.end() :], head[2], hints.time if time is None else time, hints)
    syslog = _SYSLOG.match(text) if text.startswith("[") else None
    ours = hints.program.startswith("php") and "fpm" in hints.program
    if syslog is not None and (ours or "[pool " in text):
        return _told(text, text[syslog.end() :], syslog[1], hints.time, hints)
    if hints.loose and (
        ours or any(words in text for words in _OWN_WORDS) or ("[pool " in text and "] child " in text)
    ):
        match = find(MESSAGES, text)
        return event_of(PROGRAM, match, text, time=hints.time, pid=hints.pid) if match is not None else None
    return None


def _told(text: str, message: str, level: str, time: float | None, hints: Hints) -> LogEvent:
    level = level.lower()
    return told(
        PROGRAM,
        "PHP-FPM",
        MESSAGES,
        message,
        text,
        time=time,
        level=level,
        pid=hints.pid,
        serious=level in _SERIOUS,
    )
