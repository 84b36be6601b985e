"""What only the application's own words, its processes or its own connections tell."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.guest import Guest
from tests.lab.scenario import Repair, scenario
from tests.lab.scenarios.capacity import crowd
from tests.lab.stack import app, edit, php, php_site, program, proxy, service, site, start_nginx

SITE = "/etc/nginx/sites-available/shop"
UNIT = "/etc/systemd/system/shop.service"
UWSGI = "/usr/bin/uwsgi --plugin python3 --master --chdir /srv/shop --module shop:app --socket 127.0.0.1:3031"
SLOW = (
    'import time\n\n\ndef app(environ, start_response):\n    if environ["PATH_INFO"] in {"/slow", "/late"}:\n'
    '        time.sleep(30 if environ["PATH_INFO"] == "/slow" else 3.4)\n    start_response("200 OK", [])\n    return [b"open\\n"]\n'
)


THREADS = """import http.server, socket, time


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/wait":
            time.sleep(600)
        BEFORE
        self.send_response(200)
        self.end_headers()


http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Handler).serve_forever()
"""


def threads(guest: Guest, before: str = "pass") -> None:
    """nginx in front of a server of Python's own library, with a thread for each connection."""
    guest.write("/srv/shop/shop.py", THREADS.replace("BEFORE", before))
    service(guest, "/usr/bin/python3 /srv/shop/shop.py")
    guest.run("systemctl start shop")
    guest.await_listener("8000")
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)


def limited(guest: Guest, line: str) -> None:
    """A line for the unit, and clients that occupy what it leaves."""
    edit(guest, UNIT, "User=www-data", f"User=www-data\n{line}")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener("8000")
    for _ in range(40):
        guest.spawn("curl -s -m 60 http://127.0.0.1:8000/wait", log="/dev/null")
    guest.run("sleep 1.5")


def shop(guest: Guest, options: str = "", *lines: str) -> int:
    """nginx in front of one application."""
    pid = app(guest, options, *lines)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    return pid


def uwsgi(guest: Guest, options: str) -> None:
    """nginx in front of uWSGI, which runs the slow application."""
    guest.write("/srv/shop/shop.py", SLOW)
    guest.run("mkdir -p /var/log/shop; chown www-data /var/log/shop")
    service(guest, f"{UWSGI} {options}", "KillSignal=SIGQUIT")
    guest.run("systemctl start shop")
    guest.await_listener("3031")
    site(guest, "include uwsgi_params;\n        uwsgi_pass 127.0.0.1:3031;\n        uwsgi_read_timeout 4s;")
    start_nginx(guest)


@scenario("port-owned-by-other-process", systemd=True, repair=Repair.OPEN)
def squatter_with_a_unit(guest: Guest) -> Iterator[None]:
    """The program that took the port is a service too."""
    shop(guest)
    yield
    guest.run("systemctl stop shop")
    start = f"{program(guest, '/opt/preview/server.py')} --listen 127.0.0.1:8000 --mode close"
    service(guest, start, name="preview", description="Preview")
    guest.run("systemctl start preview")
    guest.await_listener("8000")
    guest.run("systemctl start shop; sleep 0.3", check=False)


@scenario("upstream-fd-limit", systemd=True, status=504, repair=Repair.OPEN, restless=True)
def application_without_descriptors(guest: Guest) -> Iterator[None]:
    """Idle connections have used up what the application may open."""
    threads(guest)
    yield
    limited(guest, "LimitNOFILE=24")


@scenario("upstream-worker-killed-by-timeout", systemd=True, url="http://shop.example/late", repair=Repair.OPEN)
def uwsgi_harakiri(guest: Guest) -> Iterator[None]:
    """uWSGI ends a worker after harakiri, and writes so to a file of its own."""
    uwsgi(guest, "--processes 2 --logto /var/log/shop/uwsgi.log")
    yield
    edit(guest, UNIT, "--processes 2", "--processes 2 --harakiri 1")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener("3031")


@scenario(
    "upstream-workers-exhausted", systemd=True, status=504, restless=True, repair=Repair.OPEN,
    synonyms=("upstream-slow-response",),
)  # fmt: skip
def uwsgi_processes_busy(guest: Guest) -> Iterator[None]:
    """Both processes of uWSGI work on slow pages."""
    uwsgi(guest, "--processes 2")
    yield
    crowd(guest, "http://shop.example/slow", 6)
    guest.run("sleep 1")


@scenario("upstream-dependency-down", systemd=True, status=504, repair=Repair.OPEN, synonyms=("upstream-hung",))
def cache_does_not_answer(guest: Guest) -> Iterator[None]:
    """The application asks a cache that takes the question and says nothing."""
    ping = "c = socket.create_connection(('127.0.0.1', 6379)); c.sendall(b'PING\\n'); c.recv(9)"
    guest.write("/opt/cache.sh", "#!/bin/sh\nread line\necho pong\n", mode=0o755)
    guest.spawn("socat TCP-LISTEN:6379,fork,reuseaddr EXEC:/opt/cache.sh", log="/var/log/cache.log")
    guest.await_listener("6379")
    threads(guest, ping)
    yield
    guest.write("/opt/cache.sh", "#!/bin/sh\nexec sleep 600\n", mode=0o755)


@scenario("upstream-slow-response", systemd=True, status=504, url="http://shop.example/slow.php", repair=Repair.OPEN)
def one_slow_script(guest: Guest) -> Iterator[None]:
    """One PHP page sleeps; the pool has workers left."""
    php(guest)
    php_site(guest)
    guest.write("/var/www/html/slow.php", "<?php echo 1;\n")
    start_nginx(guest)
    yield
    guest.write("/var/www/html/slow.php", "<?php sleep(30); echo 1;\n")


@scenario("upstream-hung", systemd=True, status=504, url="http://shop.example/index.php", repair=Repair.OPEN)
def php_stopped_by_a_signal(guest: Guest) -> Iterator[None]:
    """Every process of PHP-FPM is stopped."""
    php(guest)
    php_site(guest)
    start_nginx(guest)
    yield
    guest.run("systemctl kill --signal=STOP php8.2-fpm")


@scenario("upstream-service-stopped", systemd=True)
def named_instance_stopped(guest: Guest) -> Iterator[None]:
    """The service is shop@blue, its port in a file of that name; it was stopped, and never enabled."""
    guest.write("/etc/shop/blue.env", "PORT=8000\n")
    guest.write("/etc/shop/green.env", "PORT=8100\n")
    start = f"/bin/sh -c 'exec {program(guest)} --listen 127.0.0.1:$PORT'"
    service(guest, start, "EnvironmentFile=/etc/shop/%i.env", name="shop@", enabled=False)
    guest.run("systemctl start shop@blue shop@green")
    guest.await_listener("8000")
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    guest.run("systemctl stop shop@blue")


@scenario("upstream-app-exception-empty-reply", systemd=True, url="http://shop.example/cart", repair=Repair.NONE)
def server_of_the_library(guest: Guest) -> Iterator[None]:
    """An exception in a handler ends the connection without an answer; the process goes on."""
    threads(guest)
    yield
    edit(guest, "/srv/shop/shop.py", "pass", "{}['basket'] if self.path == '/cart' else None")
    guest.run("systemctl restart shop")
    guest.await_listener("8000")


@scenario("task-limit-reached", systemd=True, repair=Repair.OPEN, status=(502, 504), restless=True)
def no_more_threads(guest: Guest) -> Iterator[None]:
    """The unit may not start another thread, and each request needs one."""
    threads(guest)
    yield
    limited(guest, "TasksMax=16")


@scenario("upstream-disk-full", systemd=True, repair=Repair.NONE)
def no_room_for_sessions(guest: Guest) -> Iterator[None]:
    """Each request writes a session, and the file system is full."""
    guest.run("mkdir -p /srv/sessions; mount -t tmpfs -o size=64k,mode=777 tmpfs /srv/sessions")
    threads(guest, "open('/srv/sessions/one', 'wb', buffering=0).write(b'x' * 4096)")
    yield
    guest.run("rm -f /srv/sessions/one; head -c 200000 /dev/zero >/srv/sessions/left-over", check=False)
