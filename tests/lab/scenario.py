"""A scenario: a story with a known cause, told to a guest.

A story is a generator with one `yield`. What stands before it builds a site that works; what stands after it breaks
the site. So every story holds its own healthy twin, and the lab can show that the fault is what made the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.lab.guest import Guest

Story = Callable[[Guest], Iterator[None]]


class Repair(StrEnum):
    """What is true about the repair commands."""

    WORKS = "works"  # commands can repair it: they must be printed and make the request succeed
    NONE = "none"  # no command can: there must be no fix stage
    OPEN = "open"  # it depends on what the admin wants: not judged


class Kind(StrEnum):
    """What a walk has to come to."""

    FAULT = "fault"  # a cause, status 2
    WARNING = "warning"  # visitors are served, and something is wrong all the same: status 1
    UNKNOWN = "unknown"  # nothing that the catalogue knows: status 3, with where to look next
    HEALTHY = "healthy"  # odd, and it works: status 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """The truth about one fault.

    `status` are the statuses that the client sees while the fault is there (0: no HTTP answer). `cause` is the id
    that the first cause must have, `also` those that must be named beside it, `synonyms` what names the same truth at
    another level. `twin` says that the healthy half is a test of its own. `restless` hosts change by themselves, so
    only their files are compared. `body` is the size of an upload (0: a GET). A fault that is `over` is a warning,
    and the client is served again. `kind` is what a walk has to come to. `user` runs the wizard instead of root. `settle` is how many seconds a repaired site may need.
    """

    name: str
    cause: str
    story: Story
    systemd: bool
    url: str
    status: tuple[int, ...]
    repair: Repair
    also: tuple[str, ...]
    synonyms: tuple[str, ...]
    twin: bool
    restless: bool
    body: int
    over: bool
    user: str
    settle: float
    kind: Kind = Kind.FAULT

    @property
    def causes(self) -> tuple[str, ...]:
        """Every id that is right for the first cause."""
        return (self.cause, *self.synonyms)


SCENARIOS: dict[str, Scenario] = {}


def scenario(
    cause: str,
    *,
    systemd: bool = False,
    url: str = "http://shop.example/",
    status: int | tuple[int, ...] = 502,
    repair: Repair = Repair.WORKS,
    also: tuple[str, ...] = (),
    synonyms: tuple[str, ...] = (),
    twin: bool = False,
    restless: bool = False,
    body: int = 0,
    over: bool = False,
    user: str = "",
    settle: float = 5,
    kind: Kind = Kind.FAULT,
) -> Callable[[Story], Story]:
    """Puts a story into the lab, under the name of its file and function."""

    def enter(story: Story) -> Story:
        name = f"{Path(story.__code__.co_filename).stem}.{story.__name__}"
        if name in SCENARIOS:
            raise ValueError(f"two stories are called {name}")
        SCENARIOS[name] = Scenario(
            name=name,
            cause=cause,
            story=story,
            systemd=systemd,
            url=url,
            status=(status,) if isinstance(status, int) else status,
            repair=repair,
            also=also,
            synonyms=synonyms,
            twin=twin,
            restless=restless,
            body=body,
            over=over,
            user=user,
            settle=settle,
            kind=kind,
        )
        return story

    return enter


def odd(*, systemd: bool = False, url: str = "http://shop.example/", status: int = 200) -> Callable[[Story], Story]:
    """Puts a host into the lab that looks like a fault and is none: what stands after the `yield` only makes it look so."""
    return scenario("healthy", systemd=systemd, url=url, status=status, repair=Repair.NONE, kind=Kind.HEALTHY)


def strange(
    *, systemd: bool = False, url: str = "http://shop.example/", status: int | tuple[int, ...] = 502
) -> Callable[[Story], Story]:
    """Puts a fault into the lab that no cause of the catalogue is: it must not be called by the name of one."""
    return scenario("unknown", systemd=systemd, url=url, status=status, repair=Repair.NONE, kind=Kind.UNKNOWN)
