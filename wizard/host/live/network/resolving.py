"""A name, looked up as the system does it: hosts file, NSS modules, resolv.conf.

Owns the call of getaddrinfo(3) and the names of its errors. May not know which server was asked (see `dns`).
"""

from __future__ import annotations

import asyncio
import socket

from wizard.host.live.network.threads import in_thread
from wizard.host.questions import NotAnswered, Resolve, Resolved, Why

_ERRORS = {value: name for name, value in sorted(vars(socket).items()) if name.startswith("EAI_")}


async def answer_resolve(question: Resolve) -> Resolved | NotAnswered:
    """Addresses in the order of getaddrinfo(3), without repetition, or the name of its error.

    AI_ADDRCONFIG is set, as nginx and Apache set it when they resolve an upstream: a family that no interface but
    loopback has is left out. The name is passed as written; no IDNA encoding stands between it and the C library.
    """
    try:
        async with asyncio.timeout(question.seconds):
            found = await in_thread(lambda: _look_up(question.name))
    except TimeoutError:
        return NotAnswered(Why.TIMED_OUT, f"the system's resolver did not answer in {question.seconds:g} s")
    except socket.gaierror as error:
        return Resolved((), _ERRORS.get(error.errno or 0, f"EAI_{error.errno}"))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        return NotAnswered(Why.FAILED, str(error), getattr(error, "errno", None))
    return Resolved(found)


def _look_up(name: str) -> tuple[str, ...]:
    found = socket.getaddrinfo(
        name.encode("utf-8", "surrogateescape"), None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
    )
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))
