"""The errno behind a printed number or text.

Owns the wordings of glibc, musl and Go. May not know which program printed them. The number decides, unless the text
names another errno: then the line comes from a system that counts differently (FreeBSD prints `61: Connection refused`).
"""

from __future__ import annotations

_TEXTS = {
    1: ("operation not permitted",),
    2: ("no such file or directory",),
    4: ("interrupted system call",),
    5: ("input/output error", "i/o error"),
    11: ("resource temporarily unavailable",),
    12: ("cannot allocate memory", "out of memory"),
    13: ("permission denied",),
    20: ("not a directory",),
    22: ("invalid argument",),
    23: ("too many open files in system",),
    24: ("too many open files", "no file descriptors available"),
    27: ("file too large",),
    28: ("no space left on device",),
    30: ("read-only file system",),
    32: ("broken pipe",),
    88: ("socket operation on non-socket", "not a socket"),
    91: ("protocol wrong type for socket",),
    92: ("protocol not available",),
    97: ("address family not supported by protocol",),
    98: ("address already in use", "address in use"),
    99: ("cannot assign requested address", "address not available", "can't assign requested address"),
    100: ("network is down",),
    101: ("network is unreachable", "network unreachable"),
    103: ("software caused connection abort", "connection aborted"),
    104: ("connection reset by peer",),
    105: ("no buffer space available",),
    107: ("transport endpoint is not connected", "socket not connected", "socket is not connected"),
    110: ("connection timed out", "operation timed out"),
    111: ("connection refused",),
    112: ("host is down",),
    113: ("no route to host", "host is unreachable"),
    115: ("operation now in progress", "operation in progress"),
    122: ("disk quota exceeded", "quota exceeded"),
}
_BY_TEXT = {text: number for number, texts in _TEXTS.items() for text in texts}
LARGEST = 133  # EHWPOISON; APR's own numbers start at 20000 and are no errno


def errno_of(number: int | None, text: str = "") -> int | None:
    """The Linux errno of a printed number and text.

    Args:
        number: what stands before the text, or None where only text was printed.
        text: the wording of glibc, musl or Go, in any case; an unknown one is ignored.

    Returns:
        The errno, or None where neither says one (`i/o timeout`, APR's own numbers).
    """
    named = _BY_TEXT.get(text.strip().lower().rstrip("."))
    if named is not None:
        return named
    return number if number is not None and 0 < number <= LARGEST else None
