"""The application behind the gateway, as well or badly behaved as asked for.

    server.py --listen 127.0.0.1:8000 [--listen unix:/run/shop/app.sock] [--mode ok] [--route /cart=close] ...

It is copied into a guest and runs with Debian's own Python, so it needs nothing but the standard library. `--mode` is
what it does with every request, `--route PATH=MODE` what it does with one path. The manners are those of the servers
that people run: an HTTP server answers 400 to a TLS hello and waits for the end of a request that never comes.
"""

# ruff: noqa: T201 - standard output is its log

from __future__ import annotations

import argparse
import os
import signal
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

Connection = socket.socket
H2_SETTINGS = b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00d\x00\x04\x00\x00\xff\xff\x00\x05\x00\x00@\x00"


def answer(status: int, body: str, *headers: str) -> bytes:
    """One HTTP/1.1 response, the connection closed after it."""
    lines = [
        f"HTTP/1.1 {status} -",
        "Server: shop",
        "Content-Type: text/plain",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join([*lines, "", body]).encode()


def read_request(connection: Connection) -> bytes:
    """The head of a request, and its body by Content-Length. Empty where the peer went away."""
    head = b""
    while b"\r\n\r\n" not in head:
        received = connection.recv(65536)
        head += received
        if head[:1] == b"\x16":
            connection.sendall(answer(400, "this is no HTTP\n"))
            return b""
        if not received:
            return b""
    text, _, body = head.partition(b"\r\n\r\n")
    wanted = [line.split(b":")[1] for line in text.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while wanted and len(body) < int(wanted[0]) and (received := connection.recv(65536)):
        body += received
    return text


def path_of(head: bytes) -> str:
    """The path that the request line names."""
    words = head.split(b"\r\n")[0].split(b" ")
    return words[1].split(b"?")[0].decode("latin1") if len(words) > 1 else ""


def agent_of(head: bytes) -> str:
    """The User-Agent of a request."""
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return next((value.strip().decode("latin1") for name, _, value in lines if name.lower() == b"user-agent"), "-")


def reset(connection: Connection) -> None:
    """Closes with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def crash(number: int) -> None:
    """Ends the whole program by a signal, as a fault in native code does."""
    os.kill(os.getpid(), number)
    time.sleep(10)


def eat_memory() -> None:
    """Takes memory until somebody stops it."""
    eaten = []
    while True:
        eaten.append(bytearray(1 << 20))


def answer_late(connection: Connection, delay: float) -> None:
    """Thinks first."""
    time.sleep(delay)
    connection.sendall(answer(200, "at last\n"))


def ask_database(connection: Connection, address: str) -> None:
    """Connects to another service first, without a deadline of its own."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host, int(port)), timeout=300).close()
    connection.sendall(answer(200, "the shop is open\n"))


def stream(connection: Connection) -> None:
    """Events, one after the other, for longer than a walk listens."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Accel-Buffering: no\r\n\r\n")
    for _ in range(25):
        connection.sendall(b"data: open\n\n")
        time.sleep(0.3)


def silence() -> None:
    """Waits for longer than anybody else."""
    time.sleep(3600)


def modes(wish: argparse.Namespace) -> dict[str, Callable[[Connection], None]]:
    """What can be done with a request that was read."""
    return {
        "ok": lambda c: c.sendall(answer(200, "the shop is open\n")),
        "status": lambda c: c.sendall(answer(wish.status, f"the application says {wish.status}\n")),
        "redirect": lambda c: c.sendall(answer(302, "", "Location: http://shop.example/login")),
        "slow": lambda c: answer_late(c, wish.delay),
        "silent": lambda _: silence(),
        "close": lambda _: None,
        "reset": reset,
        "big-header": lambda c: c.sendall(answer(200, "ok\n", "Set-Cookie: basket=" + "x" * wish.size)),
        "bad-header": lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nWarning in line 3\r\nContent-Length: 3\r\n\r\nok\n"),
        "bad-status": lambda c: c.sendall(b"HTTP/1.1 OK\r\nContent-Length: 3\r\n\r\nok\n"),
        "bad-chunk": lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\nok\n"),
        "short-body": lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nok\n"),
        "stream": stream,
        "many-headers": lambda c: c.sendall(answer(200, "ok\n", *(f"X-Debug-{n}: {'x' * 300}" for n in range(60)))),
        "partial-header": lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Ty"),
        "not-http": lambda c: c.sendall(b"-ERR unknown command 'GET'\r\n"),
        "exit": lambda _: os._exit(3),
        "segfault": lambda _: crash(signal.SIGSEGV),
        "kill": lambda _: crash(signal.SIGKILL),
        "memory": lambda _: eat_memory(),
        "database": lambda c: ask_database(c, wish.database),
    }


def greet(connection: Connection, mode: str) -> bool:
    """What some servers do before they are asked. True where that was all."""
    if mode == "ssh":
        connection.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")
        time.sleep(3)
    elif mode == "http2":
        connection.sendall(H2_SETTINGS)
        connection.recv(65536)
    elif mode == "proxy-protocol":
        return not connection.recv(6, socket.MSG_PEEK).startswith(b"PROXY ")
    return mode in {"ssh", "http2", "close-at-once"}


def refused(request: str, wish: argparse.Namespace) -> bool:
    """Whether the connection is closed without an answer: for one method, or for every so many requests."""
    if wish.no_post and request.startswith("POST "):
        return True
    wish.count += 1
    return bool(wish.every) and wish.count % wish.every == 0


def serve(connection: Connection, wish: argparse.Namespace, tls: ssl.SSLContext | None) -> None:
    """One connection from beginning to end."""
    routes = dict(pair.split("=", 1) for pair in wish.route)
    try:
        if tls is not None:
            connection = tls.wrap_socket(connection, server_side=True)
        if greet(connection, wish.mode):
            return
        head = read_request(connection)
        if not head:
            return
        request = head.split(b"\r\n")[0].decode("latin1")
        print(time.strftime("%H:%M:%S"), request, f"agent={agent_of(head)}", flush=True)
        if refused(request, wish):
            return
        modes(wish).get(routes.get(path_of(head), wish.mode), modes(wish)["ok"])(connection)
    except OSError as error:
        print(time.strftime("%H:%M:%S"), type(error).__name__, error, flush=True)
    finally:
        connection.close()


def listener(address: str, wish: argparse.Namespace) -> socket.socket:
    """A listening socket for `HOST:PORT`, `[HOST]:PORT` or `unix:PATH`."""
    if address.startswith("unix:"):
        path = Path(address.removeprefix("unix:"))
        path.unlink(missing_ok=True)
        made = socket.socket(socket.AF_UNIX)
        made.bind(str(path))
        path.chmod(int(wish.socket_mode, 8))
    else:
        host, _, port = address.rpartition(":")
        family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
        made = socket.socket(family)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((host.strip("[]"), int(port)))
    made.listen(wish.backlog)
    return made


def tls_context(wish: argparse.Namespace) -> ssl.SSLContext | None:
    """The server's side of TLS, where a certificate is given."""
    if not wish.cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(wish.cert, wish.key)
    if wish.client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(wish.client_ca)
    if wish.newest_tls:
        context.maximum_version = ssl.TLSVersion[wish.newest_tls]
    if wish.only_name:

        def named(_: ssl.SSLSocket | ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> int | None:
            return None if name == wish.only_name else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

        context.sni_callback = named
    return context


def accept_all(made: socket.socket, wish: argparse.Namespace, tls: ssl.SSLContext | None) -> None:
    """Hands every connection to a thread."""
    slots = threading.BoundedSemaphore(wish.workers)

    def one(connection: Connection) -> None:
        try:
            serve(connection, wish, tls)
        finally:
            slots.release()

    while True:
        slots.acquire()
        threading.Thread(target=one, args=(made.accept()[0],), daemon=True).start()


def leave(addresses: list[str]) -> None:
    """Ends in good order: a server takes its socket files with it."""
    for address in addresses:
        if address.startswith("unix:"):
            Path(address.removeprefix("unix:")).unlink(missing_ok=True)
    os._exit(0)


def main() -> None:
    """Listens and serves until it is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", action="append", required=True)
    parser.add_argument("--mode", default="ok")
    parser.add_argument("--route", action="append", default=[])
    parser.add_argument("--status", type=int, default=502)
    parser.add_argument("--delay", type=float, default=4)
    parser.add_argument("--size", type=int, default=40_000)
    parser.add_argument("--backlog", type=int, default=128)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--socket-mode", default="666")
    parser.add_argument("--no-post", action="store_true")
    parser.add_argument("--every", type=int, default=0)
    parser.set_defaults(count=0)
    for name in ("--cert", "--key", "--client-ca", "--only-name", "--newest-tls", "--database"):
        parser.add_argument(name)
    wish = parser.parse_args()
    tls = tls_context(wish)
    made = [listener(address, wish) for address in wish.listen]
    print("listening on", *wish.listen, flush=True)
    signal.signal(signal.SIGTERM, lambda *_: leave(wish.listen))
    threads = [threading.Thread(target=accept_all, args=(one, wish, tls), daemon=True) for one in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
