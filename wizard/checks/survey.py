"""What gateways a host has and what they run with: found and read once per attempt, shared by every check.

Owns the join of discovery and configuration. May not know flows, sessions, or how a gateway is configured.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import msgspec

from wizard.checks.registry import Asker
from wizard.gateways.nginx import find
from wizard.gateways.nginx.load import load
from wizard.gateways.nginx.tree import Configuration
from wizard.host.port import Reply
from wizard.host.questions import Ask, Clock, Identity, Me, Told
from wizard.model import Broken, Instance

A = TypeVar("A")


class Gateway(msgspec.Struct, frozen=True):
    """A gateway with its configuration as it stands in the files (None where nothing of it could be read)."""

    instance: Instance
    configuration: Configuration | None
    problems: tuple[Broken, ...] = ()


class Survey(msgspec.Struct, frozen=True):
    """All gateways of the host, and the host's clock and identity.

    `idle` are installed and do not run while others do. They may be meant to: whoever asks has to have a reason.
    """

    gateways: tuple[Gateway, ...] = ()
    idle: tuple[Gateway, ...] = ()
    me: Me | None = None
    clock: Told | None = None

    def gateway_of(self, instance: Instance | None) -> Gateway | None:
        """The gateway that an instance belongs to."""
        if instance is None:
            return None
        return next((one for one in (*self.gateways, *self.idle) if one.instance == instance), None)


class CanOnce(Protocol):
    """An asker that can share what is costly."""

    async def ask(self, question: Ask[A]) -> Reply[A]:
        """Ask one question."""
        ...

    async def once(self, name: str, make: Callable[[Asker], Awaitable[A]]) -> A:
        """Make something once per attempt."""
        ...


async def survey(asker: CanOnce) -> Survey:
    """The gateways of this host, with what they run with."""
    return await asker.once("survey", _survey)


async def _survey(asker: Asker) -> Survey:
    me = (await asker.ask(Identity())).answer
    clock = (await asker.ask(Clock())).answer
    found = await find.instances(asker)
    beside = await find.idle(asker, found) if any(one.pid is not None for one in found) else ()
    return Survey(
        gateways=tuple([await _loaded(one, asker) for one in found]),
        idle=tuple([await _loaded(one, asker) for one in beside]),
        me=me if isinstance(me, Me) else None,
        clock=clock if isinstance(clock, Told) else None,
    )


async def _loaded(instance: Instance, asker: Asker) -> Gateway:
    configuration = await load(asker, instance)
    return Gateway(instance, configuration, configuration.problems)
