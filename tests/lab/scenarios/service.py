"""The application's service: stopped, failed, or crashing."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.decoys import failed_unit, old_errors
from tests.lab.guest import Guest
from tests.lab.scenario import Repair, scenario
from tests.lab.stack import app, edit, program, proxy, service, site, start_nginx

UNIT = "/etc/systemd/system/shop.service"


def shop(guest: Guest, *lines: str) -> None:
    """nginx in front of shop.service on 127.0.0.1:8000."""
    app(guest, "", *lines)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)


def restart(guest: Guest, name: str = "shop") -> None:
    """Restarts a unit that will not come back, and gives it the time to say so."""
    guest.run(f"systemctl daemon-reload; systemctl restart {name}; sleep 0.3", check=False)


@scenario("upstream-service-stopped", systemd=True, twin=True)
def stopped(guest: Guest) -> Iterator[None]:
    """Somebody stopped the service and went home."""
    shop(guest)
    yield
    guest.run("systemctl stop shop")


@scenario("upstream-service-stopped", systemd=True)
def stopped_and_never_enabled(guest: Guest) -> Iterator[None]:
    """The service was started by hand once and is not enabled; another unit failed, and means nothing."""
    old_errors(guest)
    failed_unit(guest)
    shop(guest)
    yield
    guest.run(
        "rm /etc/systemd/system/multi-user.target.wants/shop.service; systemctl stop shop; systemctl daemon-reload"
    )


@scenario("upstream-service-failed-start", systemd=True, repair=Repair.OPEN, twin=True)
def program_removed(guest: Guest) -> Iterator[None]:
    """A deploy removed the program that the unit starts (203)."""
    shop(guest)
    yield
    edit(guest, UNIT, "/usr/bin/python3 /opt/shop/server.py", "/opt/shop/venv/bin/shop-server")
    restart(guest)


@scenario("upstream-service-failed-start", systemd=True)
def program_not_executable(guest: Guest) -> Iterator[None]:
    """The program lost its executable bit in a deploy (203, Permission denied)."""
    program(guest)
    guest.write(
        "/opt/shop/run.sh", "#!/bin/sh\nexec /usr/bin/python3 /opt/shop/server.py --listen 127.0.0.1:8000\n", mode=0o755
    )
    service(guest, "/opt/shop/run.sh")
    guest.run("systemctl start shop")
    guest.await_listener("8000")
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    guest.run("chmod 644 /opt/shop/run.sh")
    restart(guest)


@scenario("upstream-service-failed-start", systemd=True, repair=Repair.OPEN)
def user_does_not_exist(guest: Guest) -> Iterator[None]:
    """The unit names a user that this host does not have (217)."""
    shop(guest)
    yield
    edit(guest, UNIT, "User=www-data", "User=shopapp")
    restart(guest)


@scenario("upstream-service-failed-start", systemd=True, repair=Repair.OPEN)
def environment_file_missing(guest: Guest) -> Iterator[None]:
    """The file with the settings was not deployed (Result=resources)."""
    guest.write("/etc/default/shop", "SHOP_DEBUG=0\n")
    shop(guest, "EnvironmentFile=/etc/default/shop")
    yield
    guest.run("rm /etc/default/shop")
    restart(guest)


@scenario("upstream-service-failed-start", systemd=True, repair=Repair.OPEN)
def working_directory_missing(guest: Guest) -> Iterator[None]:
    """The release folder was cleaned away (200)."""
    guest.run("mkdir -p /srv/shop/releases/41")
    shop(guest, "WorkingDirectory=/srv/shop/releases/41")
    yield
    guest.run("rm -r /srv/shop/releases/41")
    restart(guest)


@scenario("upstream-service-failed-start", systemd=True, repair=Repair.NONE)
def import_error(guest: Guest) -> Iterator[None]:
    """The application needs a module that is not installed, and exits with a traceback."""
    failed_unit(guest)
    shop(guest)
    yield
    guest.write("/opt/shop/server.py", "import os\nimport shop_settings\n\nprint(shop_settings.PORT)\n")
    restart(guest)


@scenario("upstream-service-stopped", systemd=True)
def instance_of_a_template_stopped(guest: Guest) -> Iterator[None]:
    """The service is shop@8000, an instance of a template."""
    service(guest, f"{program(guest)} --listen 127.0.0.1:%i", name="shop@", enabled=False)
    guest.run("systemctl start shop@8000")
    guest.await_listener("8000")
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    guest.run("systemctl stop shop@8000")


@scenario("upstream-service-stopped", systemd=True)
def gunicorn_stopped(guest: Guest) -> Iterator[None]:
    """gunicorn, its port in a configuration file that the unit names."""
    text = 'def app(environ, start_response):\n    start_response("200 OK", [])\n    return [b"open\\n"]\n'
    guest.write("/srv/shop/shop.py", text)
    guest.write("/srv/shop/gunicorn.conf.py", 'bind = "127.0.0.1:8000"\nworkers = 1\n')
    service(guest, "/usr/bin/gunicorn --config /srv/shop/gunicorn.conf.py shop:app", "WorkingDirectory=/srv/shop")
    guest.run("systemctl start shop")
    guest.await_listener("8000")
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    guest.run("systemctl stop shop")


@scenario("upstream-service-failed-start", systemd=True, repair=Repair.NONE)
def setting_missing(guest: Guest) -> Iterator[None]:
    """The application misses a variable of its environment, says so, and exits."""
    shop(guest)
    yield
    text = "import os\nimport sys\n\nif 'DATABASE_URL' not in os.environ:\n    sys.exit('DATABASE_URL is not set')\n"
    guest.write("/opt/shop/server.py", text)
    restart(guest)


@scenario("upstream-service-failed-start", systemd=True, repair=Repair.OPEN, restless=True)
def never_ready(guest: Guest) -> Iterator[None]:
    """The unit is of Type=notify and the program never says that it is ready: the start times out."""
    shop(guest)
    yield
    guest.write("/opt/shop/run.sh", "#!/bin/sh\nexec sleep 300\n", mode=0o755)
    text = guest.read(UNIT)
    line = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    guest.write(UNIT, text.replace(line, "Type=notify\nTimeoutStartSec=1\nExecStart=/opt/shop/run.sh"))
    guest.run("systemctl daemon-reload; systemctl restart shop", check=False)
