"""Reading a whole configuration: includes, what cannot be read, what nginx would refuse, places and lines."""

from __future__ import annotations

import asyncio

import pytest

from tests.gateways.nginx.memory import CONFIG, NGINX, Memory, loaded
from wizard.gateways.nginx.load import load
from wizard.gateways.nginx.route import route
from wizard.gateways.nginx.tree import every
from wizard.host.questions import ReadFile, ReadGlob
from wizard.model import Instance, Place


def whats(text: str, **more: str | bytes | None) -> list[tuple[str, str]]:
    configuration = loaded(text, **more)
    return [(problem.what, str(problem.at)) for problem in configuration.problems]


def test_includes_are_spliced_where_they_stand() -> None:
    configuration = loaded(
        "events {}\ninclude main.conf;\nhttp {\n  include sites/*.conf;\n  server { include snip; listen 81; }\n}\n",
        main__conf="",
        **{
            "main.conf": "user www;\n",
            "sites/b.conf": "server { listen 2; include snip; }\n",
            "sites/a.conf": "# nothing\nserver { listen 1; }\nserver { listen 11; }\n",
            "snip": "root /srv;\nindex a;\n",
        },
    )
    assert configuration.problems == ()
    assert [one.name for one in configuration.tree] == ["events", "user", "http"]
    assert [one.args for one in every(configuration.tree, "listen")] == [("1",), ("11",), ("2",), ("81",)]
    server = configuration.tree[2].all("server")[3]
    assert [(one.name, str(one.at)) for one in server.block or ()] == [
        ("root", "/etc/nginx/snip:1"),
        ("index", "/etc/nginx/snip:2"),
        ("listen", "/etc/nginx/nginx.conf:5"),
    ]
    assert [(str(one.at), one.files) for one in configuration.includes if "*" in one.pattern] == [
        ("/etc/nginx/nginx.conf:4", ("/etc/nginx/sites/a.conf", "/etc/nginx/sites/b.conf"))
    ]
    assert set(configuration.files) >= {CONFIG, "/etc/nginx/snip"}


def test_what_could_not_be_read_may_decide_otherwise() -> None:
    text = "events {}\nhttp {\n include sites/*;\n server { listen 80 default_server; }\n}"
    secret = {"sites/a": "server { listen 80; server_name a; include own; return 200; }", "sites/b": None, "own": ""}
    one = route(loaded(text, **secret), NGINX, "http://a/")
    assert one is not None
    assert (one.action.status, one.undecided) == (
        200,
        ("not all of sites/* could be read (/etc/nginx/nginx.conf:3): it may decide otherwise",),
    )
    inside = route(loaded(text, **{**secret, "sites/b": "", "own": None}), NGINX, "http://a/")
    assert inside is not None
    assert inside.undecided == ("not all of own could be read (/etc/nginx/sites/a:1): it may decide otherwise",)
    other = route(loaded(text, **{**secret, "sites/b": "", "own": None}), NGINX, "http://b/")
    assert other is not None
    assert other.undecided == ()


def test_what_cannot_be_read_is_told_and_the_rest_is_kept() -> None:
    assert whats(
        "events {}\nhttp {\n include gone.conf;\n include none/*.conf;\n include secret/*;\n server {}\n}",
        **{"secret/a": None},
    ) == [
        ('open() "/etc/nginx/gone.conf" failed: No such file or directory', "/etc/nginx/nginx.conf:3"),
        ('open() "/etc/nginx/secret/a" failed: Permission denied', "/etc/nginx/nginx.conf:5"),
    ]
    configuration = loaded("events {}\nhttp {\n include gone.conf;\n server {}\n}")
    assert len(configuration.tree[1].all("server")) == 1


def test_a_missing_main_file() -> None:
    configuration = asyncio.run(load(Memory({}), NGINX))
    assert configuration.problems[0].what == 'open() "/etc/nginx/nginx.conf" failed: No such file or directory'
    assert configuration.tree == []
    assert configuration.newest is None


def test_includes_in_a_circle_end() -> None:
    problems = whats("events {}\ninclude a;", a="include b;\nuser x;\n", b="include a;\n")
    assert problems == [('"/etc/nginx/a" includes itself', "/etc/nginx/b:1")]


def test_includes_that_multiply_end() -> None:
    layers = {f"l{n}": f"include l{n + 1};" * 20 for n in range(12)}
    configuration = loaded("events {}\ninclude l0;", **layers, l12="a b;" * 20)
    assert any("too many directives" in problem.what for problem in configuration.problems)


def test_the_questions_carry_the_namespace() -> None:
    memory = Memory({"/opt/n/conf/n.conf": "include x/*; include y;"})
    instance = Instance(kind="nginx", pid=7, config="conf/n.conf", prefix="/opt/n/", within=7)
    configuration = asyncio.run(load(memory, instance))
    assert [type(one) for one in memory.asked] == [ReadFile, ReadGlob, ReadFile]
    assert [(one.path if isinstance(one, ReadFile) else one.pattern) for one in memory.asked] == [  # type: ignore[attr-defined]
        "/opt/n/conf/n.conf",
        "/opt/n/conf/x/*",
        "/opt/n/conf/y",
    ]
    assert all(one.within == 7 for one in memory.asked)  # type: ignore[attr-defined]
    assert configuration.runtime_path("logs/e") == "/opt/n/logs/e"
    assert configuration.conf_path("c.pem") == "/opt/n/conf/c.pem"


def test_lines_can_be_read_again() -> None:
    configuration = loaded("events {}\r\nuser  www; # who\r\n")
    assert configuration.line_text(Place(CONFIG, 2)) == "user  www; # who"
    assert configuration.line_text(Place(CONFIG, 9)) == ""
    assert configuration.line_text(Place("/else", 1)) == ""
    assert configuration.newest is not None
    assert configuration.newest.path == CONFIG


def test_the_main_level() -> None:
    configuration = loaded(
        "user www-data adm; worker_processes auto; pid run/n.pid; worker_rlimit_nofile 4096; env A=b; env C;\n"
        "load_module m.so; events { worker_connections 2048; }\nstream { server { listen 1; } }"
    )
    main = configuration.main
    assert configuration.problems == ()
    assert (main.user, main.group, main.worker_processes, main.worker_connections) == ("www-data", "adm", "auto", 2048)
    assert (main.worker_rlimit_nofile, main.pid) == (4096, "/usr/share/nginx/run/n.pid")
    assert (main.env, main.modules) == (("A=b", "C"), ("m.so",))
    assert loaded("events {}").main.worker_connections == 512


@pytest.mark.parametrize(
    ("inside", "what", "line"),
    [
        ("server {\n listen 80\n server_name a; }", 'invalid parameter "server_name"', 4),
        ("server {\n root /srv\n index a; }", 'invalid number of arguments in "root" directive', 4),
        ("server {\n server_name a\n location / { }\n}", 'directive "server_name" is not terminated by ";"', 4),
        (
            "server { location / { proxy_pass http://a http://b; } }",
            'invalid number of arguments in "proxy_pass" directive',
            3,
        ),
        ("upstream a {\n server b:1\n server c:2;\n}", 'invalid parameter "server"', 4),
        ("server { location /; }", 'directive "location" has no opening "{"', 3),
        ("listen 80;", '"listen" directive is not allowed here', 3),
        ("server { if ($a) { proxy_pass http://b; } }", '"proxy_pass" directive is not allowed here', 3),
        ("location / { }", '"location" directive is not allowed here', 3),
        ("server { location !~ /a { } }", 'invalid location modifier "!~"', 3),
        ("map $a $b {\n default 1\n x 2;\n}", "invalid number of the map parameters", 4),
        ("map $a $b {\n hostnames;\n x { y; }\n}", 'unexpected "{"', 5),
        ("geo $b {\n ranges;\n default;\n}", "invalid number of the geo parameters", 5),
        ("server {\n http://a;\n}", 'unknown directive "http://a"', 4),
        # What nginx meets first is told first: it never reads as far as the brace that is missing.
        ("server {\n root /srv\n index a;\n location / {\n", 'invalid number of arguments in "root" directive', 4),
    ],
)
def test_what_nginx_refuses_about_its_own_directives(inside: str, what: str, line: int) -> None:
    assert whats(f"events {{}}\nhttp {{\n{inside}\n}}")[0] == (what, f"{CONFIG}:{line}")


def test_directives_of_modules_are_let_through() -> None:
    text = "events {}\nhttp { vhost_traffic_status_zone; lua_shared_dict a 1m; server { more_set_headers 'A: b'; brotli on; } }"
    assert whats(text) == []


def test_a_configuration_needs_events() -> None:
    assert whats("http {}") == [('no "events" section in configuration', f"{CONFIG}:1")]


def test_directives_of_the_command_line_stand_before_those_of_the_file() -> None:
    instance = Instance("nginx", None, CONFIG, settings="daemon off; error_log /run/first.log;", error_log="/run/e.log")
    configuration = asyncio.run(load(Memory({CONFIG: "events {} http {}"}), instance))
    assert configuration.problems == ()
    assert [(one.name, str(one.at)) for one in configuration.tree][:2] == [
        ("daemon", "command line:1"),
        ("error_log", "command line:1"),
    ]
    assert configuration.error_log == "/run/e.log"


def test_a_file_on_a_folder_that_nobody_can_see_is_not_looked_for_elsewhere() -> None:
    memory = Memory({CONFIG: "events {}"})
    configuration = asyncio.run(load(memory, Instance("nginx", 1, "conf/n.conf", prefix=".")))
    assert memory.asked == []
    assert [problem.what for problem in configuration.problems] == [
        '"conf/n.conf" stands on the folder in which nginx was started'
    ]
