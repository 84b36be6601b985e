"""Where interactive sessions are kept, so that a lost connection loses nothing: one private file each.

Owns that folder (XDG Base Directory Specification, state) and how many files it holds. May not know what is in them.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path

from wizard.session.file import Glimpse, glimpse, write
from wizard.session.save import SaveError
from wizard.session.session import Session

MOST = 20
_LATELY = 12 * 3600.0  # seconds for which going on with a session is the likely wish
_NAME = re.compile(r"[A-Za-z0-9._-]{1,120}")


def folder() -> Path:
    """The folder of kept sessions; it may not exist yet."""
    state = os.environ.get("XDG_STATE_HOME", "")
    base = Path(state) if state.startswith("/") else Path(os.environ.get("HOME", "/root")) / ".local" / "state"
    return base / "gateway-wizard" / "sessions"


def export_folder() -> str:
    """Where a report goes without a question: the current folder, or one that can be written to."""
    candidates = (Path.cwd, lambda: Path(os.environ.get("HOME", "/root")), lambda: Path("/var/tmp"))  # noqa: S108 - names are of the session, files are 0600
    for candidate in candidates:
        with contextlib.suppress(OSError):
            place = candidate()
            if place.is_dir() and os.access(place, os.W_OK) and not str(place).startswith(("/proc", "/sys", "/dev")):
                return str(place)
    return "."


def keep(session: Session) -> None:
    """Write a session to the folder and let the oldest go; a folder that cannot be written is no reason to fail."""
    place = folder()
    with contextlib.suppress(OSError, SaveError):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = session.id if _NAME.fullmatch(session.id) else "session"
        write(place / f"{name}.jsonl", session)
        for old in sorted(place.glob("*.jsonl"))[:-MOST]:
            old.unlink()


def latest() -> Path | None:
    """The session that was kept last; None where there is none."""
    with contextlib.suppress(OSError):
        return max(folder().glob("*.jsonl"), key=lambda path: path.stat().st_mtime, default=None)
    return None


def interrupted() -> tuple[Path, Glimpse] | None:
    """The latest session of this host that was not walked to its end, where it is not older than half a day."""
    with contextlib.suppress(OSError):
        for path in sorted(folder().glob("*.jsonl"), reverse=True):
            seen = glimpse(path)
            if seen is None or seen.hostname != os.uname().nodename:
                continue
            if time.time() - seen.started > _LATELY:
                return None
            if not seen.complete:
                return path, seen
    return None
