from __future__ import annotations

import pytest

from wizard.services.logfiles import is_log, named_by_unit, named_on_command


@pytest.mark.parametrize(
    ("command", "folder", "found"),
    [
        ("gunicorn --error-logfile /var/log/shop.log shop:app", "", ("/var/log/shop.log",)),
        ("gunicorn --log-file=log/shop.log shop:app", "/srv/shop", ("/srv/shop/log/shop.log",)),
        ("gunicorn --log-file - shop:app", "/srv/shop", ()),
        ("gunicorn --log-level info shop:app", "/srv/shop", ()),
        ("uwsgi --logto /srv/uwsgi.log --socket :3031", "", ("/srv/uwsgi.log",)),
        ("uwsgi -d uwsgi.log", "", ()),
    ],
)
def test_options_that_name_a_log(command: str, folder: str, found: tuple[str, ...]) -> None:
    assert named_on_command(command.split(), folder) == found


def test_streams_of_a_unit() -> None:
    streams = ("append:/var/log/shop.log", "journal")
    assert named_by_unit(["/usr/bin/gunicorn --log-file /srv/x.log"], streams) == ("/var/log/shop.log", "/srv/x.log")


@pytest.mark.parametrize(
    ("path", "stream", "yes"),
    [
        ("/var/log/shop/error.log", False, True),
        ("/var/log/shop/access.log", False, False),
        ("/srv/shop/out", True, True),
        ("/srv/shop/data.sqlite", False, False),
        ("socket:[123]", True, False),
        ("/dev/null", True, False),
        ("/var/log/shop.log (deleted)", False, False),
    ],
)
def test_which_open_files_are_logs(path: str, stream: bool, yes: bool) -> None:
    assert is_log(path, stream=stream) is yes
