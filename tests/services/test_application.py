"""Which folder and files are a program's own."""

from __future__ import annotations

import pytest

from wizard.host.questions import FileStat
from wizard.services.application import below, files_of, folder_of, is_lasting, is_own


@pytest.mark.parametrize(
    ("argv", "working", "folder"),
    [
        ("/usr/bin/python3 /opt/shop/server.py --listen 127.0.0.1:8000", "", "/opt/shop"),
        ("/usr/bin/python3 /opt/shop/server.py", "/srv/shop/current", "/srv/shop/current"),
        ("/srv/shop/venv/bin/gunicorn app:app", "", "/srv/shop"),
        ("/srv/shop/.venv/bin/gunicorn app:app", "/", "/srv/shop"),
        ("/usr/bin/node /var/www/shop/node_modules/.bin/next start", "", "/var/www/shop"),
        ("/home/deploy/shop/bin/server", "/home/deploy", "/home/deploy/shop"),
        ("/usr/local/shop/bin/server", "", "/usr/local/shop"),
        ("/usr/sbin/php-fpm8.2 --nodaemonize --fpm-config /etc/php/8.2/fpm/php-fpm.conf", "/", None),
        ("/usr/bin/java -jar /app.jar", "", None),
        ("/opt/server", "/root", None),
    ],
)
def test_the_folder_of_an_application(argv: str, working: str, folder: str | None) -> None:
    assert folder_of(argv.split(), working) == folder


@pytest.mark.parametrize(
    "folder",
    ["/", "", "relative/path", "/home/ops", "/usr/lib/app", "/etc/shop", "/tmp/x", "/var/lib/mysql", "/srv/../x"],
)
def test_no_such_folder_is_an_applications_own(folder: str) -> None:
    assert not is_own(folder)


def test_the_files_that_a_command_line_names() -> None:
    argv = "/usr/bin/python3 /opt/shop/server.py --cert=/opt/shop/tls/a.crt --socket /run/shop/app.sock --pid /run/x.pid -c /etc/shop.toml"
    assert files_of(argv.split()) == ("/opt/shop/server.py", "/opt/shop/tls/a.crt", "/etc/shop.toml")


def entry(path: str, kind: str = "file", mtime: float = 1.0) -> FileStat:
    """An entry of a folder."""
    return FileStat(path, kind, 0o644, 0, 0, 1, mtime, 1)


def test_folders_that_a_program_writes_to_are_not_looked_into() -> None:
    names = ["app", "uploads", ".git", "node_modules", "Cache", "lib"]
    entries = [entry(f"/srv/shop/{name}", "dir", float(number)) for number, name in enumerate(names)]
    assert below([*entries, entry("/srv/shop/x.py")]) == ("/srv/shop/lib", "/srv/shop/app")


def test_what_a_running_program_writes_is_no_deploy() -> None:
    kept = ["app.py", "settings.json", "current"]
    passing = ["shop.log", "shop.log.1", "shop.pid", "app.sock", "db.sqlite3", "db.sqlite3-wal", "app.pyc"]
    assert all(is_lasting(entry(f"/srv/shop/{name}")) for name in kept)
    assert is_lasting(entry("/srv/shop/current", "link"))
    assert not any(is_lasting(entry(f"/srv/shop/{name}")) for name in passing)
    assert not is_lasting(entry("/srv/shop/app", "dir"))
