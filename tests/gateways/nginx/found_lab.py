"""A real nginx with a configuration as people write it, in front of servers that only say which of them was reached.

Run as a program inside a guest: reads a plan as JSON from standard input, opens a server on each address that the
configuration passes requests to, starts nginx, sends the requests, and prints what came back and who was reached.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

from tests.gateways.nginx import lab

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
PID = "/run/found.pid"
_LOG = re.compile(r"(?:access|error)_log\s+(/[^\s;]+)")


def _serve(listening: socket.socket, address: str, reached: list[str]) -> None:
    while True:
        accepted, _ = listening.accept()
        reached.append(address)
        with accepted:
            accepted.recv(65536)
            accepted.sendall(ANSWER)


def _open(address: str) -> socket.socket:
    """A listening socket on `ip:port` or `unix:/path`; what has to be there for it is made."""
    if address.startswith("unix:"):
        path = Path(address.removeprefix("unix:"))
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = socket.socket(socket.AF_UNIX)
        opened.bind(str(path))
    else:
        ip, _, port = address.rpartition(":")
        subprocess.run(["ip", "addr", "add", f"{ip}/32", "dev", "lo"], check=False, capture_output=True)
        opened = socket.socket()
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((ip, int(port)))
    opened.listen(64)
    return opened


def _main() -> None:
    plan = json.load(sys.stdin)
    reached: list[str] = []
    for address in plan["servers"]:
        threading.Thread(target=_serve, args=(_open(address), address, reached), daemon=True).start()
    for path in _LOG.findall(Path(plan["site"]).read_text()):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    nginx = subprocess.Popen([lab.NGINX, "-c", plan["config"], "-g", f"daemon off; pid {PID};"])
    try:
        for _ in range(500):
            time.sleep(0.02)
            if Path(PID).exists() or nginx.poll() is not None:
                break
        if nginx.poll() is not None:
            sys.exit("nginx did not start")
        seen = []
        for ask in plan["asks"]:
            reached.clear()
            answer = lab.asked(ask)
            seen.append({**asdict(answer), "upstream": reached[0] if reached else ""})
        sys.stdout.write(json.dumps(seen))
    finally:
        nginx.terminate()
        nginx.wait()


if __name__ == "__main__":
    _main()
