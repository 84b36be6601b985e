from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.services.mentions import (
    Endpoint,
    Strength,
    in_argv,
    in_environment,
    in_file,
    in_message,
    judge,
    read_endpoint,
    serves,
)

TCP = Endpoint(host="127.0.0.1", port=8000)
UNIX = Endpoint(path="/run/shop/app.sock")


@pytest.mark.parametrize(
    "command",
    [
        "/usr/bin/gunicorn -w 1 --bind 127.0.0.1:8000 app:app",
        "/usr/bin/gunicorn --bind=0.0.0.0:8000 app:app",
        "/usr/bin/gunicorn -b :8000 app:app",
        "/usr/bin/gunicorn -b:8000 app:app",
        "uvicorn app:app --host 127.0.0.1 --port 8000",
        "uvicorn app:app --port=8000",
        "uwsgi --http-socket :8000 --module app",
        "uwsgi --socket 127.0.0.1:8000",
        "java -Dserver.port=8000 -jar app.jar",
        "java -jar app.jar --server.port=8000",
        "rails server -p 8000",
        "puma -b tcp://127.0.0.1:8000",
        "dotnet app.dll --urls http://0.0.0.0:8000",
        "php -S localhost:8000",
        "php-cgi -b 127.0.0.1:8000",
        "manage.py runserver 127.0.0.1:8000",
        "socat TCP-LISTEN:8000,fork,reuseaddr EXEC:cat",
        "docker run -p 127.0.0.1:8000:80 shop",
        "docker run --publish 8000:80 shop",
        "/bin/sh -c exec gunicorn -b :8000 app:app",
        "app -listen 127.0.0.1:8000",
        "app --http.addr=[::]:8000",
        "daphne -b 127.0.0.1 -p 8000 shop.asgi:application",
    ],
)
def test_a_command_says_that_it_listens(command: str) -> None:
    mention = in_argv(command.split(), TCP)
    assert mention is not None
    assert mention.strength >= Strength.PLAIN


@pytest.mark.parametrize(
    "command",
    [
        "proxy --upstream http://127.0.0.1:8000 --port 9000",
        "worker --redis-url redis://127.0.0.1:8000/0",
        "worker --broker 127.0.0.1:8000",
        "app --port 80001",
        "app --port 18000",
        "app --timeout 8000",
        "app --max-requests=8000",
        "curl http://127.0.0.1:8000/health",
        "docker run -p 9000:8000 shop",
        "ssh -L 9000:localhost:8000 far",
        "app --database-port 8000",
        "app 10.0.0.1:80:8000",
        "/opt/8000/bin/app",
    ],
)
def test_a_command_that_connects_or_counts_is_not_mistaken(command: str) -> None:
    assert in_argv(command.split(), TCP) is None


def test_a_bare_number_is_a_faint_mention() -> None:
    mention = in_argv(["python3", "-m", "http.server", "8000"], TCP)
    assert mention is not None
    assert mention.strength is Strength.FAINT


def test_another_address_of_the_same_port_is_named() -> None:
    mention = in_argv(["gunicorn", "--bind", "10.0.0.5:8000", "app"], TCP)
    assert mention is not None
    assert mention.host == "10.0.0.5"


@pytest.mark.parametrize(
    "command",
    [
        "gunicorn --bind unix:/run/shop/app.sock app",
        "uvicorn --uds /run/shop/app.sock app:app",
        "uwsgi --socket /run/shop/app.sock",
        "puma -b unix:///run/shop/app.sock",
        "gunicorn --bind unix:/var/run/shop/app.sock app",
    ],
)
def test_a_socket_path_is_recognised(command: str) -> None:
    assert in_argv(command.split(), UNIX) is not None


def test_another_socket_path_is_not() -> None:
    assert in_argv(["gunicorn", "--bind", "unix:/run/shop/app.sock2", "app"], UNIX) is None


def test_an_environment_tells_the_port_to_listen_on() -> None:
    assert in_environment([("PORT", "8000")], TCP) is not None
    assert in_environment([("APP_LISTEN_ADDR", ":8000")], TCP) is not None
    assert in_environment([("GUNICORN_CMD_ARGS", "--bind=127.0.0.1:8000 -w 3")], TCP) is not None
    assert in_environment([("ASPNETCORE_URLS", "http://localhost:8000")], TCP) is not None
    assert in_environment([("API_URL", "http://127.0.0.1:8000"), ("DB_PORT", "8000")], TCP) is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('workers = 3\nbind = "127.0.0.1:8000"\n', 2),
        ("[uwsgi]\nhttp-socket = :8000\n", 2),
        ("[www]\n;listen = 127.0.0.1:8000\nlisten = 127.0.0.1:8000\n", 3),
        ("server:\n  port: 8000\n", 2),
        ('{\n  "name": "shop",\n  "port": 8000\n}\n', 3),
        ("const app = require('x');\napp.listen(8000, () => {});\n", 2),
        ('app.run(host="127.0.0.1", port=8000)\n', 1),
        ('HTTPServer(("127.0.0.1", 8000), Handler).serve_forever()\n', 1),
        ("const PORT = process.env.PORT || 8000;\n", 1),
        ('<Connector port="8000" protocol="HTTP/1.1"\n', 1),
        ("export PORT=8000\n", 1),
        ("port 8000\n", 1),
    ],
)
def test_a_file_says_it_on_a_line(text: str, line: int) -> None:
    mention = in_file(text, TCP)
    assert mention is not None
    assert mention.line == line


@pytest.mark.parametrize(
    "text",
    [
        '"""The shop.\n\n    server.py --listen 127.0.0.1:8000\n"""\nimport os\n',
        '"""Start it with --listen 127.0.0.1:8000."""\nimport os\n',
        "/* listen: 8000 */\nconst x = 1;\n",
        "/**\n * port: 8000\n */\nconst x = 1;\n",
    ],
)
def test_a_usage_example_in_a_comment_sets_nothing(text: str) -> None:
    assert in_file(text, TCP) is None


def test_what_follows_a_comment_counts() -> None:
    found = in_file('"""The shop."""\nPORT = 8000\n', TCP)
    assert found is not None
    assert (found.words, found.line) == ("PORT=8000", 2)


def test_only_the_telling_part_of_a_long_value_is_quoted() -> None:
    found = judge("ARGS", "--workers 4 --listen 127.0.0.1:8000 --mode ok", TCP)
    assert found is not None
    assert found.words == "--listen 127.0.0.1:8000"


def test_a_file_that_only_connects_there_says_nothing() -> None:
    assert in_file("upstream = 127.0.0.1:8000\n# port = 8000\ndatabase_url = postgres://h:8000/x\n", TCP) is None


@pytest.mark.parametrize(
    ("message", "hit"),
    [
        ("[INFO] Listening at: http://127.0.0.1:8000 (183)", True),
        ("Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)", True),
        ("Tomcat started on port(s): 8000 (http)", False),
        ("Server started on port 8000", True),
        ("connect() to 127.0.0.1:8000 failed while serving", False),
        ("Listening on http://127.0.0.1:80001", False),
        ("Address already in use: 127.0.0.1:8000, retrying to start", False),
    ],
)
def test_a_message_says_that_its_program_listens(message: str, hit: bool) -> None:
    assert in_message(message, TCP) is hit


def test_endpoints_are_read_and_written() -> None:
    assert str(read_endpoint("[::1]:8000")) == "[::1]:8000"
    assert str(read_endpoint("unix:/run/app.sock")) == "unix:/run/app.sock"
    assert read_endpoint("unix:/run/app.sock:") == Endpoint(path="/run/app.sock")
    for text in ("", "x", "1.2.3.4:0", "1.2.3.4:70000", "unix:", "/", "a b:80"):
        assert read_endpoint(text) is None
    assert serves("0.0.0.0", "127.0.0.1")
    assert serves("localhost", "127.0.0.1")
    assert not serves("10.0.0.5", "127.0.0.1")


@given(st.text(max_size=300), st.text(max_size=60))
def test_no_text_makes_the_readers_fail(text: str, key: str) -> None:
    for wanted in (TCP, UNIX):
        in_argv(text.split(" "), wanted)
        in_message(text, wanted)
        mention = in_file(f"{text}\n{key}=8000 /run/shop/app.sock", wanted)
        assert mention is None or mention.line >= 1
        judged = judge(key, text, wanted)
        assert judged is None or judged.strength > Strength.NONE


def test_a_long_line_takes_no_long_time() -> None:
    assert in_file("a" * 200_000 + " 8000\n" + "(" * 100_000 + "8000", TCP) is None
