"""Every check of the program: importing this module declares them all.

Owns the list of modules. A new file of checks is named here, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping

from wizard.checks import (
    circle,
    connect,
    door,
    earlier,
    elsewhere,
    gateway,
    generated,
    handling,
    lasting,
    limits,
    listen,
    logged,
    memory,
    name,
    outside,
    packet,
    patience,
    peer,
    pool,
    reloaded,
    repair,
    reply,
    request,
    room,
    service,
    socket_file,
    speech,
    taken,
    tls,
    vhost,
    waiting,
    words,
)
from wizard.checks.registry import Check, checks

MODULES = (
    circle,
    connect,
    door,
    earlier,
    elsewhere,
    gateway,
    generated,
    handling,
    lasting,
    limits,
    listen,
    logged,
    memory,
    name,
    outside,
    packet,
    patience,
    peer,
    pool,
    reloaded,
    repair,
    reply,
    request,
    room,
    service,
    socket_file,
    speech,
    taken,
    tls,
    vhost,
    waiting,
    words,
)
CHECKS: Mapping[str, Check] = checks()
