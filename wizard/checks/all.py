"""Every check of the program: importing this module declares them all.

Owns the list of modules. A new file of checks is named here, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping

from wizard.checks import (
    connect,
    gateway,
    listen,
    logged,
    memory,
    name,
    packet,
    peer,
    repair,
    reply,
    request,
    service,
    tls,
)
from wizard.checks.registry import Check, checks

MODULES = (connect, gateway, listen, logged, memory, name, packet, peer, repair, reply, request, service, tls)
CHECKS: Mapping[str, Check] = checks()
