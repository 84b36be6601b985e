"""Small real servers on loopback and below tmp_path, in threads of the test process."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

Handler = Callable[[socket.socket], None]


class Serve(Protocol):
    def __call__(self, handler: Handler, *, path: Path | None = None, tls: ssl.SSLContext | None = None) -> str: ...


@contextlib.contextmanager
def serving() -> Iterator[Serve]:
    """Serve every connection with a handler; returns the endpoint. The handler's connection is closed after it."""
    with contextlib.ExitStack() as stack:

        def start(handler: Handler, *, path: Path | None = None, tls: ssl.SSLContext | None = None) -> str:
            listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
            listener.bind(str(path) if path else ("127.0.0.1", 0))
            listener.listen(16)
            stop = threading.Event()
            workers: list[threading.Thread] = []

            def work(connection: socket.socket) -> None:
                connection.settimeout(5)
                with contextlib.suppress(OSError), connection:
                    if tls is None:
                        handler(connection)
                        return
                    with tls.wrap_socket(connection, server_side=True) as wrapped:
                        handler(wrapped)

            def accept() -> None:
                listener.settimeout(0.05)
                while not stop.is_set():
                    try:
                        connection, _ = listener.accept()
                    except TimeoutError:
                        continue
                    workers.append(threading.Thread(target=work, args=(connection,)))
                    workers[-1].start()

            thread = threading.Thread(target=accept)
            thread.start()

            def end() -> None:
                stop.set()
                thread.join(5)
                for worker in workers:
                    worker.join(6)
                listener.close()

            stack.callback(end)
            return f"unix:{path}" if path else "{}:{}".format(*listener.getsockname())

        yield start


def read_request(connection: socket.socket) -> bytes:
    """Everything up to the empty line that ends a request's header."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            break
        data += more
    return data


def replying(reply: bytes, seen: list[bytes] | None = None) -> Handler:
    def handle(connection: socket.socket) -> None:
        request = read_request(connection)
        if seen is not None:
            seen.append(request)
        connection.sendall(reply)

    return handle


class Certificates:
    """A CA and what it signed, as PEM files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._run(
            "req", "-x509", *_KEY, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/O=Lab/CN=Lab CA"
        )
        (folder / "index.txt").touch()
        (folder / "serial").write_text("01")
        (folder / "ca.conf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ncertificate=ca.pem\n"
            "private_key=ca.key\ndefault_md=sha256\npolicy=p\nunique_subject=no\ncopy_extensions=copy\n"
            "[p]\norganizationName=optional\ncommonName=optional\n"
        )

    def sign(
        self, name: str, subject: str, names: str, start: str = "20240101000000Z", end: str = "20490101000000Z"
    ) -> None:
        extensions = ["-addext", f"subjectAltName={names}"] if names else []
        self._run("req", *_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject, *extensions)
        dates = ["-startdate", start, "-enddate", end]
        self._run("ca", "-batch", "-notext", "-config", "ca.conf", "-in", f"{name}.csr", "-out", f"{name}.pem", *dates)

    def sign_itself(self, name: str, subject: str, names: str) -> None:
        files = ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
        self._run("req", "-x509", *_KEY, *files, "-days", "9", "-subj", subject, "-addext", f"subjectAltName={names}")

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def der(self, name: str) -> bytes:
        return ssl.PEM_cert_to_DER_cert((self.folder / f"{name}.pem").read_text())

    def server(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path(f"{name}.pem"), self.path(f"{name}.key"))
        return context

    def _run(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=30)


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
