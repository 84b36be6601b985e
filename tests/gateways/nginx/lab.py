"""A real nginx in a network and mount namespace of its own, with echo servers behind it, and a plain client.

Run as a program inside the namespace: reads a plan as JSON from standard input, starts nginx, sends the requests, and
prints what came back. `answers` runs that and reads it.
"""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.gateways.nginx.generate import DIRS, ECHO_PORTS, FILES, Ask

NGINX = "/usr/sbin/nginx"
_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_TLS.check_hostname, _TLS.verify_mode = False, ssl.CERT_NONE
_ECHO = "$server_port|$request_uri|$http_host|$http_x_a"


@dataclass(frozen=True)
class Seen:
    """What came back: the status (0: closed without an answer), where it redirects to, who answered, and the body."""

    status: int
    location: str
    upstream: str
    body: str


def main_file(root: str, cases: str, *, certificate: str = "") -> str:
    """The whole configuration around the text of some cases."""
    listens = "".join(f"listen 127.0.0.1:{port};" for port in ECHO_PORTS)
    unix = "".join(
        f"server {{ listen unix:/run/echo{n}.sock; location / {{ return 200 'unix{n}|$request_uri|$http_host|$http_x_a'; }} }}\n"
        for n in range(4)
    )
    return f"""user root; daemon off; worker_processes 1; error_log {root}/error.log notice; pid /run/n.pid;
events {{ worker_connections 8192; }}
http {{
access_log off; server_names_hash_bucket_size 128; variables_hash_max_size 4096; map_hash_bucket_size 128;
server_names_hash_max_size 8192; keepalive_timeout 0; ssl_session_cache off; {certificate}
proxy_temp_path {root}/t1; fastcgi_temp_path {root}/t2; uwsgi_temp_path {root}/t3; scgi_temp_path {root}/t4; client_body_temp_path {root}/t5;
add_header X-Up $upstream_addr always;
server {{ {listens} location / {{ return 200 '{_ECHO}'; }} }}
{unix}
{cases}
}}
"""


def make_certificate(folder: Path) -> str:
    """A certificate for every TLS listener; returns the directives that name it."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subject = ("-subj", "/CN=lab", "-days", "2", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    argv = ["openssl", "req", "-x509", *subject, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(argv, check=True, capture_output=True)
    return f"ssl_certificate {certificate}; ssl_certificate_key {key};"


def make_files(root: Path) -> None:
    """The files that some requests find."""
    for name in DIRS:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"file {name}")


def refused(config: Path) -> str | None:
    """What `nginx -t` says against a configuration; None where it is accepted."""
    done = subprocess.run(
        _inside(NGINX, "-t", "-p", str(config.parent), "-c", str(config), "-e", "stderr"),
        capture_output=True,
        text=True,
        check=False,
    )
    return None if done.returncode == 0 else done.stderr


def _inside(*argv: str) -> list[str]:
    set_up = (
        "mount -t tmpfs tmpfs /run; ip link set lo up; ip addr add 10.77.1.1/32 dev lo; ip addr add 10.77.1.2/32 dev lo; "
        'exec "$@"'
    )
    return ["unshare", "-n", "-m", "-p", "-f", "--kill-child", "--mount-proc", "sh", "-c", set_up, "sh", *argv]


def answers(config: Path, asks: list[Ask]) -> list[Seen]:
    """Start nginx with a configuration and send it requests, each on a connection of its own."""
    plan = json.dumps({"config": str(config), "asks": [asdict(ask) for ask in asks]})
    top = str(Path(__file__).parents[3])
    done = subprocess.run(
        _inside(sys.executable, "-m", "tests.gateways.nginx.lab"),
        input=plan,
        capture_output=True,
        text=True,
        check=False,
        cwd=top,
        timeout=300,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-4000:])
    return [Seen(**one) for one in json.loads(done.stdout)]


def asked(ask: dict[str, object]) -> Seen:
    """Send one request on a connection of its own."""
    address, port = str(ask["address"]), int(str(ask["port"]))
    unix = address.startswith("unix:")
    family = socket.AF_UNIX if unix else socket.AF_INET6 if ":" in address else socket.AF_INET
    headers: list[list[str]] = ask["headers"]  # type: ignore[assignment]
    lines = [f"{ask['method']} {ask['target']} HTTP/1.1", f"Host: {ask['host']}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    sent = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    received = b""
    try:
        with socket.socket(family) as plain:
            plain.settimeout(10)
            if unix:
                plain.connect(address.removeprefix("unix:"))
            else:
                plain.bind((address, 0))
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                plain.connect((address, port))
            connection: socket.socket = plain
            if ask["tls"]:
                connection = _TLS.wrap_socket(plain, server_hostname=str(ask["name"]))
            connection.sendall(sent)
            while chunk := connection.recv(65536):
                received += chunk
    except (ConnectionError, ssl.SSLError, TimeoutError):
        pass
    head, _, body = received.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/"):
        return Seen(0, "", "", "")
    first, *rest = head.decode("latin-1").split("\r\n")
    found = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    return Seen(int(first.split()[1]), found.get("location", ""), found.get("x-up", ""), body.decode("latin-1")[:2000])


def _main() -> None:
    plan = json.load(sys.stdin)
    config = Path(plan["config"])
    nginx = subprocess.Popen(
        [NGINX, "-p", str(config.parent), "-c", str(config), "-e", "stderr"], stdout=subprocess.DEVNULL
    )
    try:
        for _ in range(1500):
            time.sleep(0.02)
            if Path("/run/n.pid").exists():  # it is written when all sockets are open
                break
            if nginx.poll() is not None:
                sys.exit("nginx did not start")
        sys.stdout.write(json.dumps([asdict(asked(ask)) for ask in plan["asks"]]))
    finally:
        nginx.terminate()
        nginx.wait()


if __name__ == "__main__":
    _main()
