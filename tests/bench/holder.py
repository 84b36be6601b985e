"""Holds listening sockets and connections open until its input ends: `holder.py LISTENERS SOCKETS`.

Stands alone; runs inside a guest. SOCKETS counts both ends of each connection and the listeners. Prints `ready`.
"""

from __future__ import annotations

import resource
import signal
import socket
import sys


def main(listeners: int, sockets: int) -> None:
    """Opens them and waits."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (sockets + 100, sockets + 100))
    listening = [socket.create_server(("127.2.0.1", 10000 + number), backlog=64) for number in range(listeners)]
    held: list[socket.socket] = []
    for number in range((sockets - listeners) // 2):
        server = listening[number % len(listening)]
        held += [socket.create_connection(server.getsockname()), server.accept()[0]]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    signal.pause()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
