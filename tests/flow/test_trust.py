"""Whose files may hold commands that run."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from wizard.flow.trust import decide


@dataclass(frozen=True)
class Seen:
    path: str
    kind: str = "dir"
    mode: int = 0o755
    uid: int = 0


ROOT = Seen("/")
HOME = Seen("/home")
OWN = Seen("/home/me", uid=1000)


@pytest.mark.parametrize(
    ("steps", "uid", "because"),
    [
        ((ROOT, HOME, OWN, Seen("/home/me/f.yaml", "file", 0o644, 1000)), 1000, ""),
        ((ROOT, Seen("/etc"), Seen("/etc/f.yaml", "file", 0o644)), 1000, ""),
        ((ROOT, Seen("/etc"), Seen("/etc/f.yaml", "file", 0o644)), 0, ""),
        ((ROOT, Seen("/tmp", mode=0o1777), Seen("/tmp/f.yaml", "file", 0o600, 1000)), 1000, ""),
        ((ROOT, Seen("/l", "link", 0o777), Seen("/f.yaml", "file", 0o600)), 0, ""),
        ((ROOT, HOME, OWN, Seen("/home/me/f.yaml", "file", 0o644, 1000)), 0, "/home/me belongs"),
        ((ROOT, HOME, OWN, Seen("/home/me/f.yaml", "file", 0o664, 1000)), 1000, "/home/me/f.yaml can be written"),
        ((ROOT, HOME, OWN, Seen("/home/me/f.yaml", "file", 0o646, 1000)), 1000, "/home/me/f.yaml can be written"),
        (
            (ROOT, HOME, Seen("/home/me", mode=0o775, uid=1000), Seen("/home/me/f", "file", 0o600, 1000)),
            1000,
            "/home/me can",
        ),
        ((ROOT, Seen("/tmp", mode=0o777), Seen("/tmp/f.yaml", "file", 0o600, 1000)), 1000, "/tmp can be written"),
        ((ROOT, Seen("/tmp", mode=0o1777), Seen("/tmp/f.yaml", "file", 0o600, 1001)), 1000, "/tmp/f.yaml belongs"),
        ((ROOT, Seen("/l", "link", 0o777, 1001), Seen("/f.yaml", "file", 0o600)), 1000, "/l belongs"),
        ((ROOT, Seen("/f.yaml", "file", 0o1666)), 1000, "/f.yaml can be written"),
        ((ROOT, Seen("/etc")), 1000, "/etc is no regular file"),
        ((ROOT, Seen("/p", "fifo", 0o600)), 0, "/p is no regular file"),
        ((Seen("/f.yaml", "file", 0o600),), 0, "the path was not seen from /"),
        ((), 0, "the path was not seen from /"),
    ],
)
def test_decision(steps: tuple[Seen, ...], uid: int, because: str) -> None:
    trust = decide(steps, uid)
    assert trust.granted == (not because)
    assert trust.because.startswith(because)
