from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.services.fakes import FakeHost, listens, process, unix
from wizard.host.questions import Ran, Run
from wizard.services.ownership import Certainty, Claim, How, Owners, owners

UNITS = "/etc/systemd/system"
RECORDED = Path(__file__).parent / "recorded"


def listed(**states: str) -> dict[tuple[str, ...], Ran]:
    rows = [
        {"unit": name.replace("__", ".").replace("_", "-"), "load": "loaded", "active": state.split("/")[0],
         "sub": state.split("/")[1], "description": ""}
        for name, state in states.items()
    ]  # fmt: skip
    return {("systemctl", "list-units"): Ran(0, json.dumps(rows).encode(), b"")}


def ask(host: FakeHost, endpoint: str, *hints: str, busy: tuple[str, ...] = (), skip: tuple[str, ...] = ()) -> Owners:
    return asyncio.run(owners(host, endpoint, hints=hints, busy=busy, skip=skip))


def best(host: FakeHost, endpoint: str, *hints: str) -> Claim:
    claim = ask(host, endpoint, *hints).best
    assert claim is not None
    return claim


def test_the_listener_decides_without_asking_systemd() -> None:
    host = FakeHost(
        listening=[listens("127.0.0.1", 8000, 7)], processes=[process(7, "/usr/bin/gunicorn app", "shop.service")]
    )
    claim = best(host, "127.0.0.1:8000")
    assert (claim.unit, claim.how, claim.certainty) == ("shop.service", How.LISTENS, Certainty.CERTAIN)
    assert not any(isinstance(question, Run) for question in host.asked)


def test_a_stopped_unit_is_found_by_its_command() -> None:
    host = FakeHost(
        files={
            f"{UNITS}/shop.service": "[Service]\nExecStart=/usr/bin/gunicorn \\\n  --bind 127.0.0.1:8000 app:app\n",
            f"{UNITS}/blog.service": "[Service]\nExecStart=/usr/bin/gunicorn --bind 127.0.0.1:8100 app:app\n",
        },
        commands=listed(shop__service="inactive/dead"),
    )
    claim = best(host, "127.0.0.1:8000")
    assert (claim.unit, claim.how, claim.certainty) == ("shop.service", How.CONFIGURED, Certainty.STRONG)
    assert claim.at is not None
    assert (claim.at.file, claim.at.line) == (f"{UNITS}/shop.service", 2)


def test_a_unit_is_found_by_its_drop_in() -> None:
    host = FakeHost(
        files={
            f"{UNITS}/shop.service": "[Service]\nExecStart=/srv/shop/run\nEnvironment=PORT=9999\n",
            f"{UNITS}/shop.service.d/port.conf": "[Service]\nEnvironment=\nEnvironment=PORT=8000\n",
        }
    )
    claim = best(host, "127.0.0.1:8000")
    assert claim.unit == "shop.service"
    assert claim.at is not None
    assert claim.at.file.endswith("port.conf")
    assert ask(host, "127.0.0.1:9999").best is None


def test_a_unit_is_found_by_the_files_that_it_names() -> None:
    host = FakeHost(
        files={
            f"{UNITS}/a.service": "[Service]\nEnvironmentFile=-/etc/default/a\nExecStart=/srv/a/run\n",
            "/etc/default/a": "DEBUG=0\nLISTEN=:8000\n",
            f"{UNITS}/b.service": "[Service]\nWorkingDirectory=/srv/b\nExecStart=/usr/bin/gunicorn -c conf.py app:app\n",
            "/srv/b/conf.py": "workers = 2\nbind = '127.0.0.1:8001'\n",
            f"{UNITS}/c.service": "[Service]\nExecStart=/usr/bin/uwsgi --ini /etc/c.ini\n",
            "/etc/c.ini": "[uwsgi]\nsocket = /run/c/c.sock\n",
            f"{UNITS}/d.service": "[Service]\nExecStart=/usr/bin/node /srv/d/server.js\n",
            "/srv/d/server.js": "http.createServer(h).listen(8003);\n",
            f"{UNITS}/e.service": "[Service]\nWorkingDirectory=/srv/e\nExecStart=/srv/e/run\n",
            "/srv/e/.env": "PORT=8004\n",
        }
    )
    for endpoint, unit, file in (
        ("127.0.0.1:8000", "a.service", "/etc/default/a"),
        ("127.0.0.1:8001", "b.service", "/srv/b/conf.py"),
        ("unix:/run/c/c.sock", "c.service", "/etc/c.ini"),
        ("127.0.0.1:8003", "d.service", "/srv/d/server.js"),
        ("127.0.0.1:8004", "e.service", "/srv/e/.env"),
    ):
        claim = best(host, endpoint)
        assert claim.unit == unit
        assert claim.at is not None
        assert claim.at.file == file


def test_a_packaged_pool_is_found_though_its_unit_is_not_loaded() -> None:
    host = FakeHost(
        files={
            "/usr/lib/systemd/system/php8.2-fpm.service": "[Service]\nExecStart=/usr/sbin/php-fpm8.2 --nodaemonize\n",
            "/usr/lib/systemd/system/fstrim.service": "[Service]\nExecStart=/sbin/fstrim\n",
            "/etc/php/8.2/fpm/pool.d/www.conf": "[www]\nuser = www-data\nlisten = /run/php/php8.2-fpm.sock\n",
        },
        commands=listed(),
    )
    claim = best(host, "unix:/run/php/php8.2-fpm.sock")
    assert (claim.unit, claim.how, claim.certainty) == ("php8.2-fpm.service", How.CONFIGURED, Certainty.STRONG)


def test_an_upgraded_pool_is_found_by_its_name() -> None:
    host = FakeHost(
        files={
            "/usr/lib/systemd/system/php8.2-fpm.service": "[Service]\nExecStart=/usr/sbin/php-fpm8.2 --nodaemonize\n",
            "/etc/php/8.2/fpm/pool.d/www.conf": "[www]\nlisten = /run/php/php8.2-fpm.sock\n",
        },
        listening=[unix("/run/php/php8.2-fpm.sock", 9)],
        processes=[process(9, "php-fpm: master", "php8.2-fpm.service")],
    )
    claim = best(host, "unix:/run/php/php8.1-fpm.sock")
    assert (claim.unit, claim.how, claim.certainty) == ("php8.2-fpm.service", How.NAMED, Certainty.MEDIUM)
    assert claim.listens == ("unix:/run/php/php8.2-fpm.sock",)


def test_a_socket_unit_starts_its_service() -> None:
    host = FakeHost(
        files={
            f"{UNITS}/echo.socket": "[Socket]\nListenStream=8010\nListenStream=/run/echo.sock\n",
            f"{UNITS}/echo.service": "[Service]\nExecStart=/bin/cat\n",
        },
        listening=[listens("::", 8010, 1)],
        processes=[process(1, "/sbin/init")],
    )
    for endpoint in ("127.0.0.1:8010", "unix:/run/echo.sock"):
        claim = best(host, endpoint)
        assert (claim.unit, claim.how, claim.certainty) == ("echo.socket", How.SOCKET_UNIT, Certainty.CERTAIN)
        assert claim.service == "echo.service"


def test_an_instance_of_a_template_is_found() -> None:
    host = FakeHost(
        files={f"{UNITS}/web@.service": "[Service]\nExecStart=/usr/bin/gunicorn --bind 127.0.0.1:%i app:app\n"},
        commands={
            ("systemctl", "list-units"): Ran(
                0,
                b'[{"unit":"web@8020.service","load":"loaded","active":"failed","sub":"failed","description":""}]',
                b"",
            )
        },
    )
    assert best(host, "127.0.0.1:8020").unit == "web@8020.service"


def test_a_wrong_port_leads_to_the_service_of_that_name() -> None:
    host = FakeHost(
        files={f"{UNITS}/shop.service": "[Service]\nExecStart=/usr/bin/gunicorn --bind 127.0.0.1:8001 app:app\n"},
        listening=[listens("127.0.0.1", 8001, 7), listens("0.0.0.0", 22, 3)],
        processes=[process(7, "gunicorn --bind 127.0.0.1:8001", "shop.service"), process(3, "sshd", "ssh.service")],
    )
    found = ask(host, "127.0.0.1:8000", "shop_app", "shop.example")
    assert found.best is not None
    assert (found.best.unit, found.best.how, found.best.certainty) == ("shop.service", How.NAMED, Certainty.MEDIUM)
    assert found.best.listens == ("127.0.0.1:8001",)
    assert {claim.how for claim in found.of("shop.service")} == {How.NAMED, How.ELSEWHERE}
    assert not found.of("ssh.service")


def test_an_address_of_another_route_is_no_candidate() -> None:
    host = FakeHost(listening=[listens("127.0.0.1", 8001, 7)], processes=[process(7, "gunicorn", "blog.service")])
    assert ask(host, "127.0.0.1:8000", busy=("127.0.0.1:8001",)).claims == ()
    assert ask(host, "127.0.0.1:8000", skip=("blog.service",)).claims == ()


def test_a_service_on_another_address_of_the_port_is_found() -> None:
    host = FakeHost(listening=[listens("::1", 8000, 7)], processes=[process(7, "gunicorn app", "shop.service")])
    claim = best(host, "127.0.0.1:8000")
    assert (claim.unit, claim.how, claim.certainty) == ("shop.service", How.SAME_PORT, Certainty.STRONG)


def test_the_journal_remembers_where_a_unit_listened() -> None:
    said = {"MESSAGE": "Listening at: http://127.0.0.1:8000 (183)", "_SYSTEMD_UNIT": "shop.service", "_PID": "183"}
    host = FakeHost(
        files={f"{UNITS}/shop.service": "[Service]\nExecStart=/srv/shop/run\n"},
        commands={("journalctl",): Ran(0, json.dumps(said).encode() + b"\n", b"")},
    )
    claim = best(host, "127.0.0.1:8000")
    assert (claim.unit, claim.how, claim.certainty) == ("shop.service", How.LOGGED, Certainty.STRONG)


def test_a_runtime_directory_tells_whose_socket_it_is() -> None:
    host = FakeHost(files={f"{UNITS}/till.service": "[Service]\nRuntimeDirectory=shop\nExecStart=/srv/till/run\n"})
    claim = best(host, "unix:/run/shop/app.sock")
    assert (claim.unit, claim.how) == ("till.service", How.DIRECTORY)


def test_without_a_service_manager_processes_speak() -> None:
    host = FakeHost(init="tini", processes=[process(12, "/usr/bin/gunicorn --bind 127.0.0.1:8000 app:app")])
    claim = best(host, "127.0.0.1:8000")
    assert (claim.unit, claim.pid, claim.how) == (None, 12, How.RUNS)
    assert not any(isinstance(question, Run) for question in host.asked)


def test_systemctl_show_is_never_asked_about_many() -> None:
    files = {f"{UNITS}/s{number}.service": f"[Service]\nExecStart=/bin/s --port {number}\n" for number in range(300)}
    host = FakeHost(files=files)
    ask(host, "127.0.0.1:8000")
    assert sum(isinstance(question, Run) for question in host.asked) <= 3


def test_an_unreadable_endpoint_has_no_owner() -> None:
    assert ask(FakeHost(), "what is this") == Owners("what is this")
