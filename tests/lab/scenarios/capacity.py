"""Limits: queues, workers, memory, descriptors, ports, files."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.guest import Guest, until
from tests.lab.scenario import Repair, scenario
from tests.lab.stack import app, edit, php, php_site, program, proxy, reload_nginx, service, site, start_nginx

SITE = "/etc/nginx/sites-available/shop"
UNIT = "/etc/systemd/system/shop.service"
POOL = "/etc/php/8.2/fpm/pool.d/www.conf"


def shop(guest: Guest, options: str = "", *lines: str) -> int:
    """nginx in front of one application."""
    pid = app(guest, options, *lines)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    return pid


def crowd(guest: Guest, url: str, count: int) -> None:
    """Clients that ask again and again until the guest ends."""
    loop = f"while :; do curl -s -m 30 -o /dev/null {url} || sleep 0.05; done"
    for _ in range(count):
        guest.spawn(["sh", "-c", loop], log="/dev/null")


@scenario(
    "listen-backlog-overflow", status=504, restless=True, repair=Repair.OPEN, synonyms=("upstream-hung",), twin=True
)
def accept_queue_full(guest: Guest) -> Iterator[None]:
    """The application has stopped accepting; its queue is full, so the kernel drops the SYN."""
    pid = shop(guest, "--backlog 1 --workers 2")
    yield
    guest.run(f"kill -STOP {pid}")
    for _ in range(4):
        guest.spawn("socat -u TCP:127.0.0.1:8000 OPEN:/dev/null", log="/dev/null")
    guest.run("sleep 0.5")


@scenario(
    "upstream-workers-exhausted", status=504, restless=True, repair=Repair.OPEN, synonyms=("upstream-slow-response",)
)
def php_pool_busy(guest: Guest) -> Iterator[None]:
    """Every PHP worker is busy with a slow page; the others wait in the queue."""
    php(guest, "pm = static", "pm.max_children = 2")
    php_site(guest)
    guest.write("/var/www/html/slow.php", "<?php sleep(30);\n")
    start_nginx(guest)
    yield
    crowd(guest, "http://shop.example/slow.php", 8)
    guest.run("sleep 1")


@scenario("upstream-worker-killed-by-timeout", systemd=True, url="http://shop.example/slow.php", repair=Repair.OPEN)
def php_terminated(guest: Guest) -> Iterator[None]:
    """PHP-FPM kills a worker that takes longer than request_terminate_timeout."""
    php(guest)
    php_site(guest)
    edit(guest, SITE, "fastcgi_read_timeout 2s;", "fastcgi_read_timeout 10s;")
    guest.write("/var/www/html/slow.php", "<?php sleep(2); echo 1;\n")
    start_nginx(guest)
    yield
    guest.write(POOL, guest.read(POOL) + "request_terminate_timeout = 1s\n")
    guest.run("systemctl restart php8.2-fpm")
    guest.await_listener("/run/php/php8.2-fpm.sock")


@scenario("upstream-worker-killed-by-timeout", systemd=True, url="http://shop.example/slow", repair=Repair.OPEN)
def gunicorn_terminated(guest: Guest) -> Iterator[None]:
    """gunicorn kills a worker that takes longer than its timeout."""
    text = (
        'import time\n\n\ndef app(environ, start_response):\n    if environ["PATH_INFO"] == "/slow":\n'
        '        time.sleep(3)\n    start_response("200 OK", [])\n    return [b"open\\n"]\n'
    )
    guest.write("/srv/shop/shop.py", text)
    start = "/usr/bin/gunicorn --workers 1 --timeout 30 --bind 127.0.0.1:8000 shop:app"
    service(guest, start, "WorkingDirectory=/srv/shop")
    guest.run("systemctl start shop")
    guest.await_listener("8000")
    site(guest, proxy("http://127.0.0.1:8000", "proxy_read_timeout 20s;", quick=False))
    start_nginx(guest)
    yield
    edit(guest, UNIT, "--timeout 30", "--timeout 1")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener("8000")


@scenario("upstream-crash-loop", systemd=True, restless=True, repair=Repair.NONE)
def restarts_for_ever(guest: Guest) -> Iterator[None]:
    """The application crashes some moments after each start, and systemd starts it again and again."""
    shop(guest, "", "Restart=always", "RestartSec=1s", "StartLimitIntervalSec=0")
    yield
    guest.write("/opt/shop/server.py", "import time\n\ntime.sleep(0.3)\nraise RuntimeError('no database')\n")
    guest.run("systemctl restart shop; sleep 3")


@scenario(
    "upstream-crash-loop",
    systemd=True,
    repair=Repair.NONE,
    synonyms=("upstream-service-failed-start",),
)
def gave_up_restarting(guest: Guest) -> Iterator[None]:
    """systemd gave up after five starts."""
    shop(guest, "", "Restart=always", "RestartSec=100ms")
    yield
    guest.write("/opt/shop/server.py", "raise RuntimeError('no database')\n")
    guest.run("systemctl restart shop", check=False)
    gone = "systemctl show -p ActiveState --value shop"
    until(lambda: guest.run(gone).out.strip() == "failed", seconds=10, every=0.1)


@scenario("upstream-oom-killed", systemd=True, url="http://shop.example/export", repair=Repair.OPEN, twin=True)
def memory_limit(guest: Guest) -> Iterator[None]:
    """One page takes more memory than the unit may have; the kernel kills the application.

    Guests share the kernel's log, so the unit has a name that no other story uses.
    """
    app(guest, "", "MemoryMax=60M", "MemorySwapMax=0", name="reports")
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    unit = "/etc/systemd/system/reports.service"
    edit(guest, unit, "--listen 127.0.0.1:8000", "--listen 127.0.0.1:8000 --route /export=memory")
    guest.run("systemctl daemon-reload; systemctl restart reports")
    guest.await_listener("8000")
    guest.run("curl -s -o /dev/null http://shop.example/export; sleep 0.5", check=False)


@scenario("gateway-worker-connections", systemd=True, status=(0, 500), restless=True, repair=Repair.OPEN)
def worker_connections_too_few(guest: Guest) -> Iterator[None]:
    """worker_connections is so small that a few clients use them up."""
    shop(guest, "--route /slow=slow --delay 20")
    edit(guest, SITE, "proxy_read_timeout 2s;", "proxy_read_timeout 60s;")
    reload_nginx(guest)
    yield
    edit(guest, "/etc/nginx/nginx.conf", "worker_connections 768;", "worker_connections 10;")
    edit(guest, "/etc/nginx/nginx.conf", "worker_processes auto;", "worker_processes 1;")
    guest.run("systemctl restart nginx")
    crowd(guest, "http://shop.example/slow", 12)
    guest.run("sleep 1")


@scenario("gateway-fd-limit", systemd=True, status=(0, 500), restless=True, repair=Repair.OPEN)
def descriptors_too_few(guest: Guest) -> Iterator[None]:
    """worker_rlimit_nofile is so small that a few clients use the descriptors up."""
    shop(guest, "--route /slow=slow --delay 20")
    edit(guest, SITE, "proxy_read_timeout 2s;", "proxy_read_timeout 60s;")
    reload_nginx(guest)
    yield
    edit(guest, "/etc/nginx/nginx.conf", "worker_processes auto;", "worker_processes 1;\nworker_rlimit_nofile 20;")
    guest.run("systemctl restart nginx")
    crowd(guest, "http://shop.example/slow", 12)
    guest.run("sleep 1")


@scenario("ephemeral-ports-exhausted", repair=Repair.OPEN, restless=True, url="http://127.0.0.2/")
def local_ports_used_up(guest: Guest) -> Iterator[None]:
    """Every local port towards the application is taken."""
    shop(guest)
    edit(guest, SITE, "server_name shop.example;", "server_name shop.example 127.0.0.2;")
    reload_nginx(guest)
    yield
    guest.run("sysctl -qw net.ipv4.ip_local_port_range='40000 40007'")
    for _ in range(12):
        guest.spawn("socat -u TCP:127.0.0.1:8000 OPEN:/dev/null", log="/dev/null")
    guest.run("sleep 0.5")


@scenario("gateway-temp-dir-permission", systemd=True, status=500, body=100_000, repair=Repair.OPEN, twin=True)
def body_folder_closed(guest: Guest) -> Iterator[None]:
    """The folder for request bodies belongs to root: every upload fails, and no other request does."""
    shop(guest)
    yield
    guest.run("chown -R root:root /var/lib/nginx/body; chmod 700 /var/lib/nginx/body")


@scenario("upstream-still-starting", systemd=True, repair=Repair.NONE, restless=True)
def slow_to_start(guest: Guest) -> Iterator[None]:
    """The service was restarted a moment ago and needs a while before it listens."""
    shop(guest)
    yield
    start = f"/bin/sh -c 'sleep 40; exec {program(guest)} --listen 127.0.0.1:8000'"
    text = guest.read(UNIT)
    line = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    guest.write(UNIT, text.replace(line, f"ExecStart={start}"))
    guest.run("systemctl daemon-reload; systemctl restart shop")


@scenario("gateway-upstream-max-conns", systemd=True, restless=True, repair=Repair.OPEN)
def max_conns_reached(guest: Guest) -> Iterator[None]:
    """max_conns lets two requests through at a time; two slow ones are under way."""
    app(guest, "--route /slow=slow --delay 30")
    before = "upstream shop_app {\n    zone shop_app 64k;\n    server 127.0.0.1:8000 max_conns=200;\n}"
    site(guest, proxy("http://shop_app", "proxy_read_timeout 60s;", quick=False), before=before)
    start_nginx(guest)
    yield
    edit(guest, SITE, "max_conns=200", "max_conns=2")
    reload_nginx(guest)
    crowd(guest, "http://shop.example/slow", 4)
    guest.run("sleep 0.5")


@scenario("gateway-temp-disk-full", systemd=True, status=500, body=200_000, repair=Repair.OPEN)
def body_folder_full(guest: Guest) -> Iterator[None]:
    """The filesystem for request bodies is full: every upload fails."""
    shop(guest)
    guest.run("mount -t tmpfs -o size=1m,mode=700,uid=33 tmpfs /var/lib/nginx/body")
    seen = "systemctl is-active 'var-lib-nginx-body.mount'"  # systemd hears of it a moment later
    until(lambda: guest.run(seen, check=False).out.strip() == "active", seconds=10, every=0.1)
    yield
    guest.run("head -c 2000000 /dev/zero >/var/lib/nginx/body/left-over", check=False)
