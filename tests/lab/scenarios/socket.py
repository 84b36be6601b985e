"""Unix sockets: missing, stale, forbidden, hidden, or at another path."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.decoys import old_errors
from tests.lab.guest import Guest
from tests.lab.scenario import Repair, scenario
from tests.lab.stack import app, edit, end, folder, php, php_site, proxy, reload_nginx, service, site, start_nginx

PATH = "/run/shop/app.sock"
UNIT = "/etc/systemd/system/shop.service"
SITE = "/etc/nginx/sites-available/shop"
POOL = "/etc/php/8.2/fpm/pool.d/www.conf"
PHP_URL = "http://shop.example/index.php"


def shop(guest: Guest, options: str = "", *lines: str, path: str = PATH) -> int:
    """nginx in front of an application on a unix socket."""
    if guest.systemd:
        lines = ("RuntimeDirectory=shop", "RuntimeDirectoryPreserve=yes", *lines)
    else:
        folder(guest, "/run/shop")
    pid = app(guest, options, *lines, listen=f"unix:{path}")
    site(guest, proxy(f"http://unix:{path}:/"))
    start_nginx(guest)
    return pid


@scenario("unix-socket-missing", repair=Repair.NONE, synonyms=("upstream-not-listening",), twin=True)
def removed(guest: Guest) -> Iterator[None]:
    """The application ended and its socket is gone; there is no service manager."""
    old_errors(guest)
    pid = shop(guest)
    yield
    end(guest, pid)
    guest.run(f"rm -f {PATH}")


@scenario("upstream-service-stopped", systemd=True, synonyms=("unix-socket-missing",), twin=True)
def service_stopped(guest: Guest) -> Iterator[None]:
    """The service that makes the socket was stopped, and its runtime directory went with it."""
    app(guest, "", "RuntimeDirectory=shop", listen=f"unix:{PATH}")
    site(guest, proxy(f"http://unix:{PATH}:/"))
    start_nginx(guest)
    yield
    guest.run("systemctl stop shop")


@scenario("unix-socket-missing", systemd=True)
def socket_file_deleted(guest: Guest) -> Iterator[None]:
    """Somebody cleaned the folder: the service runs and listens, but no path leads to it any more."""
    shop(guest)
    yield
    guest.run(f"rm {PATH}")


@scenario("unix-socket-stale", repair=Repair.NONE)
def left_by_a_killed_program(guest: Guest) -> Iterator[None]:
    """The application was killed; its socket file is still there, and nobody listens."""
    pid = shop(guest)
    yield
    end(guest, pid, "KILL")


@scenario("unix-socket-stale", systemd=True, synonyms=("upstream-service-stopped", "upstream-service-failed-start"))
def left_by_a_killed_service(guest: Guest) -> Iterator[None]:
    """The same under systemd, where it can be started again."""
    shop(guest)
    yield
    guest.run("systemctl kill --signal=KILL shop; sleep 0.3")


@scenario("unix-socket-permission", systemd=True, twin=True)
def mode_too_narrow(guest: Guest) -> Iterator[None]:
    """The socket belongs to the application's user, and its mode keeps the worker out."""
    guest.run("useradd --system --no-create-home shop")
    app(guest, "--socket-mode 666", "RuntimeDirectory=shop", listen=f"unix:{PATH}")
    edit(guest, UNIT, "User=www-data", "User=shop\nGroup=shop")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener(PATH)
    site(guest, proxy(f"http://unix:{PATH}:/"))
    start_nginx(guest)
    yield
    guest.run(f"chmod 600 {PATH}")


@scenario("unix-socket-permission", repair=Repair.OPEN)
def root_only(guest: Guest) -> Iterator[None]:
    """The socket was made by root with mode 600: root's curl succeeds, the gateway does not."""
    shop(guest)
    yield
    guest.run(f"chown root:root {PATH}; chmod 600 {PATH}")


@scenario("unix-socket-permission", systemd=True, url=PHP_URL, twin=True)
def php_pool_owner(guest: Guest) -> Iterator[None]:
    """The pool's listen.owner and listen.group are root's."""
    php(guest)
    php_site(guest)
    start_nginx(guest)
    yield
    edit(guest, POOL, "listen.owner = www-data\nlisten.group = www-data", "listen.owner = root\nlisten.group = root")
    guest.run("systemctl restart php8.2-fpm")
    guest.await_listener("/run/php/php8.2-fpm.sock")


@scenario("unix-socket-dir-permission", systemd=True, twin=True)
def folder_closed(guest: Guest) -> Iterator[None]:
    """The socket is open to all, the folder above it to nobody else."""
    guest.run("useradd --system --no-create-home shop")
    app(guest, "", "RuntimeDirectory=shop", listen=f"unix:{PATH}")
    edit(guest, UNIT, "User=www-data", "User=shop\nGroup=shop")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener(PATH)
    site(guest, proxy(f"http://unix:{PATH}:/"))
    start_nginx(guest)
    yield
    edit(guest, UNIT, "RuntimeDirectory=shop", "RuntimeDirectory=shop\nRuntimeDirectoryMode=0700")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener(PATH)


@scenario("unix-socket-dir-permission")
def home_closed(guest: Guest) -> Iterator[None]:
    """The socket lies below a home folder that only its owner may enter."""
    guest.run("useradd --create-home --home-dir /home/deploy deploy; chmod 755 /home/deploy")
    folder(guest, "/home/deploy/shop")
    shop(guest, path="/home/deploy/shop/app.sock")
    yield
    guest.run("chmod 700 /home/deploy")


@scenario("unix-socket-private-tmp", systemd=True, twin=True)
def hidden_in_private_tmp(guest: Guest) -> Iterator[None]:
    """The unit got PrivateTmp, so the socket in /tmp is its own."""
    app(guest, listen="unix:/tmp/shop.sock")
    site(guest, proxy("http://unix:/tmp/shop.sock:/"))
    start_nginx(guest)
    yield
    edit(guest, UNIT, "User=www-data", "User=www-data\nPrivateTmp=yes")
    guest.run("systemctl daemon-reload; systemctl restart shop; sleep 0.3")


@scenario("upstream-wrong-socket-path", systemd=True, url=PHP_URL, twin=True)
def php_upgraded(guest: Guest) -> Iterator[None]:
    """The host went from PHP 8.1 to 8.2, the site still names the socket of 8.1."""
    php(guest)
    php_site(guest)
    start_nginx(guest)
    yield
    edit(guest, SITE, "php8.2-fpm.sock", "php8.1-fpm.sock")
    reload_nginx(guest)


@scenario("upstream-wrong-socket-path")
def php_upgraded_without_manager(guest: Guest) -> Iterator[None]:
    """The same without systemd, the path in an include of its own."""
    php(guest)
    php_site(guest)
    guest.write("/etc/nginx/snippets/php-socket.conf", "fastcgi_pass unix:/run/php/php8.2-fpm.sock;\n")
    edit(guest, SITE, "fastcgi_pass unix:/run/php/php8.2-fpm.sock;", "include snippets/php-socket.conf;")
    start_nginx(guest)
    yield
    edit(guest, "/etc/nginx/snippets/php-socket.conf", "php8.2", "php7.4")
    reload_nginx(guest)


@scenario("upstream-wrong-socket-path", systemd=True)
def renamed_in_the_unit(guest: Guest) -> Iterator[None]:
    """The unit's socket got another name in a deploy."""
    shop(guest)
    yield
    edit(guest, UNIT, "app.sock", "shop.sock")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener("/run/shop/shop.sock")
    guest.run(f"rm -f {PATH}")


@scenario("upstream-service-stopped", systemd=True, url=PHP_URL, synonyms=("unix-socket-missing",))
def php_stopped(guest: Guest) -> Iterator[None]:
    """php8.2-fpm was stopped."""
    php(guest)
    php_site(guest)
    start_nginx(guest)
    yield
    guest.run("systemctl stop php8.2-fpm")


@scenario(
    "upstream-service-failed-start",
    systemd=True,
    url=PHP_URL,
    repair=Repair.OPEN,
    synonyms=("unix-socket-missing",),
)
def php_pool_invalid(guest: Guest) -> Iterator[None]:
    """A typing error in the pool: php8.2-fpm does not start any more (78)."""
    php(guest)
    php_site(guest)
    start_nginx(guest)
    yield
    edit(guest, POOL, "pm = dynamic", "pm = dynamc")
    guest.run("systemctl restart php8.2-fpm", check=False)


@scenario(
    "unix-backlog-full", restless=True, repair=Repair.OPEN, synonyms=("upstream-hung", "upstream-workers-exhausted")
)
def queue_full(guest: Guest) -> Iterator[None]:
    """The application has stopped accepting, and its queue is full."""
    pid = shop(guest, "--backlog 1 --workers 2")
    yield
    guest.run(f"kill -STOP {pid}")
    for _ in range(4):
        guest.spawn(f"socat -u UNIX-CONNECT:{PATH} OPEN:/dev/null", log="/dev/null")
    guest.run("sleep 0.3")


@scenario("upstream-hung", systemd=True, status=504)
def stopped_by_a_signal(guest: Guest) -> Iterator[None]:
    """The application's process is stopped: it accepts in the kernel and never answers."""
    service(guest, "/usr/bin/true", name="report", enabled=False)
    shop(guest)
    yield
    guest.run("systemctl kill --signal=STOP shop")


@scenario("upstream-service-stopped", systemd=True, url=PHP_URL, synonyms=("unix-socket-missing",))
def php_masked(guest: Guest) -> Iterator[None]:
    """php8.2-fpm was stopped and masked."""
    php(guest)
    php_site(guest)
    start_nginx(guest)
    yield
    guest.run("systemctl mask --now php8.2-fpm")
