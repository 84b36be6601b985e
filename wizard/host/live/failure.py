"""Why there is no answer, said of an OSError.

Owns the way from errno to `NotAnswered`. May not know which question was asked.
"""

from __future__ import annotations

import errno
import os

from wizard.host.questions import NotAnswered, Why
from wizard.text import one_line

ROOT_GRANT = "run as root: sudo gateway-wizard"

_WHY = {
    errno.EACCES: Why.DENIED,
    errno.EPERM: Why.DENIED,
    errno.ENOENT: Why.MISSING,
    errno.ENOTDIR: Why.MISSING,
    errno.ESRCH: Why.MISSING,
    errno.ETIMEDOUT: Why.TIMED_OUT,
    errno.ENOSYS: Why.UNSUPPORTED,
    errno.EOPNOTSUPP: Why.UNSUPPORTED,
    errno.EPROTONOSUPPORT: Why.UNSUPPORTED,
    errno.EAFNOSUPPORT: Why.UNSUPPORTED,
}


def why(error: OSError) -> Why:
    """The class of an error."""
    return _WHY.get(error.errno or 0, Why.FAILED)


def said(error: OSError) -> str:
    """What strerror(3) says of an error, without the path that Python adds."""
    return os.strerror(error.errno) if error.errno else one_line(str(error))


def failed(error: OSError, what: str, grant: str | None = None) -> NotAnswered:
    """The answer to a question that ended in an error.

    Args:
        error: the error.
        what: what was looked at (a path, a process); foreign text is made visible.
        grant: the smallest right that would help where access was denied; None: those of root.
    """
    kind = why(error)
    if kind is Why.DENIED and grant is None and os.geteuid() != 0:
        grant = ROOT_GRANT
    return NotAnswered(kind, f"{one_line(what)}: {said(error)}", error.errno, grant if kind is Why.DENIED else None)
