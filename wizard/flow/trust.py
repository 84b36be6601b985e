"""Whether nobody else could have written a file: the rule under which a person's own commands may run.

Owns the decision, as a pure function over what was seen of the path. May not look at the file system.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

_OTHERS_WRITE = 0o022
_STICKY = 0o1000


class PathStep(Protocol):
    """One component of a path, as by lstat: `kind` is file, dir, link or another; `mode` the permission bits."""

    @property
    def path(self) -> str:
        """The absolute path of the component."""
        ...

    @property
    def kind(self) -> str:
        """What it is."""
        ...

    @property
    def mode(self) -> int:
        """Its permission bits."""
        ...

    @property
    def uid(self) -> int:
        """Who owns it."""
        ...


class Trust(msgspec.Struct, frozen=True):
    """The decision, and in words what stands against it."""

    granted: bool
    because: str = ""


def decide(steps: Sequence[PathStep], uid: int) -> Trust:
    """Decide whether the commands in a file may run as this user.

    Every component from `/` to the file must belong to root or to the user (for root: to root), and nobody else may
    write to it. Group write counts as somebody else: who is in the group is not known here, and an access list shows
    in the same bits. A sticky folder may be writable, since others cannot replace what they do not own there; the mode
    of a link means nothing.

    Args:
        steps: every component that is passed on the way, links followed, the file last.
        uid: who would run the commands.
    """
    if not steps or steps[0].path != "/":
        return Trust(False, "the path was not seen from / on")
    if steps[-1].kind != "file":
        return Trust(False, f"{steps[-1].path} is no regular file")
    for step in steps:
        if step.uid not in (0, uid):
            return Trust(False, f"{step.path} belongs to another user (uid {step.uid})")
        if step.kind == "link" or not step.mode & _OTHERS_WRITE:
            continue
        if not (step.kind == "dir" and step.mode & _STICKY):
            return Trust(False, f"{step.path} can be written by others (mode {step.mode:04o})")
    return Trust(True)
