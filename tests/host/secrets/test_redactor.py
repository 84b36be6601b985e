"""Secrets go, everything else stays, and what is left still parses."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.payloads import PAYLOADS
from tests.strategies import TEXT
from wizard.gateways.nginx.syntax import parse
from wizard.gateways.nginx.tree import Directive
from wizard.host.secrets import Redactor, marks_in, named

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r"
BCRYPT = "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
APR1 = "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/"

# Each line: what a host says, and what may be told of it. S stands for a secret's mark.
REPLACED = [
    # headers
    ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic S"),
    ("authorization: bearer abc.def", "authorization: bearer S"),
    ("Proxy-Authorization: Negotiate YII=", "Proxy-Authorization: Negotiate S"),
    ('Authorization: Digest username="bob", response="abc"', "Authorization: Digest S"),
    ("Authorization: opaque value with spaces", "Authorization: S"),
    ("Cookie: a=b; session=c d", "Cookie: a=S; session=S"),
    ("Set-Cookie: sid=abc; Path=/; Max-Age=60; HttpOnly", "Set-Cookie: sid=S; Path=/; Max-Age=60; HttpOnly"),
    ("X-Api-Key: k", "X-Api-Key: S"),
    # literals that a configuration sends along
    ("proxy_set_header X-Origin-Verify Zq8vXw2LkP9mTr4B;", "proxy_set_header X-Origin-Verify S;"),
    ('grpc_set_header X-Tenant "550e8400-e29b-41d4-a716-446655440000";', 'grpc_set_header X-Tenant "S";'),
    ("location / { fastcgi_param LICENCE 9f86d081884c7d659a2feaa0; }", "location / { fastcgi_param LICENCE S; }"),
    # in paths, and where programs take it without a name
    (
        "POST https://hooks.slack.com/services/T0001/B0001/Zq8vXw2LkP9mTr4B",
        "POST https://hooks.slack.com/services/T0001/B0001/S",
    ),
    ("GET /reset-password/Zq8vXw2LkP9mTr4B HTTP/1.1", "GET /reset-password/S HTTP/1.1"),
    (
        "https://api.telegram.org/bot123456789:AAZq8vXw2LkP9mTr4BAAZq8vXw2LkP9mT/getMe",
        "https://api.telegram.org/bot123456789:S/getMe",
    ),
    ("mysql -u root -pgeheim shop", "mysql -u root -pS shop"),
    ("sshpass -p geheim ssh app@h", "sshpass -p S ssh app@h"),
    ("redis-cli -h 127.0.0.1 -a geheim ping", "redis-cli -h 127.0.0.1 -a S ping"),
    ("X-Auth-Token: a b", "X-Auth-Token: S"),
    ("PRIVATE-TOKEN: glx", "PRIVATE-TOKEN: S"),
    (
        "curl -H 'Authorization: Bearer x' -H \"X-Api-Key: y\" h",
        "curl -H 'Authorization: Bearer S' -H \"X-Api-Key: S\" h",
    ),
    ('{"Cookie": ["a=b"], "Authorization": ["Bearer x"]}', '{"Cookie": ["a=S"], "Authorization": ["Bearer S"]}'),
    # URLs
    ("http://user:pass@10.0.0.1:8000/a", "http://user:S@10.0.0.1:8000/a"),
    ("https:\\/\\/user:pass@h\\/", "https:\\/\\/user:S@h\\/"),
    ("postgres://app:p/a#s@db:5432/prod", "postgres://app:S@db:5432/prod"),
    ("mysql://app:pw@db", "mysql://app:S@db"),
    ("redis://:foo@cache:6379/0", "redis://:S@cache:6379/0"),
    ("amqp://guest:guest1@mq//", "amqp://guest:S@mq//"),
    ("mongodb+srv://u:p@ss@h/db", "mongodb+srv://u:S@h/db"),
    ("app:s3cret@tcp(127.0.0.1:3306)/db", "app:S@tcp(127.0.0.1:3306)/db"),
    ('"GET /a?id=5&token=abc&x=1 HTTP/1.1" 502', '"GET /a?id=5&token=S&x=1 HTTP/1.1" 502'),
    ("/cb?code=4/0Ab&state=x", "/cb?code=S&state=x"),
    ("/a?key=k&sig=s&signature=t&session=u", "/a?key=S&sig=S&signature=S&session=S"),
    ("/a?password=a&passwd=b&pwd=c&secret=d&auth=e", "/a?password=S&passwd=S&pwd=S&secret=S&auth=S"),
    ("/a?access_token=a&api_key=b&refresh_token=c", "/a?access_token=S&api_key=S&refresh_token=S"),
    ("/a;jsessionid=0A1B?x=1", "/a;jsessionid=S?x=1"),
    ("?X-Amz-Signature=ab&X-Amz-Date=20261122", "?X-Amz-Signature=S&X-Amz-Date=20261122"),
    ("?next=%2Fa%3Ftoken%3Dabc%26x%3D1", "?next=%2Fa%3Ftoken%3DS%26x%3D1"),
    ('<a href="/a?x=1&amp;token=abc">', '<a href="/a?x=1&amp;token=S">'),
    ("token=abc&user=5", "token=S&user=5"),
    # environments, units, configurations
    ("DB_PASSWORD=hunter2", "DB_PASSWORD=S"),
    ("DB_PASSWORD=a b;c,d&e", "DB_PASSWORD=S"),
    ("export TOKEN='x y'", "export TOKEN='S'"),
    ("SECRET_KEY_BASE=abc # comment", "SECRET_KEY_BASE=S # comment"),
    ('Environment="DB_PASSWORD=my pass" "PORT=8000"', 'Environment="DB_PASSWORD=S" "PORT=8000"'),
    ("Environment=PORT=8000 API_TOKEN=abc HOME=/srv", "Environment=PORT=8000 API_TOKEN=S HOME=/srv"),
    ("A=1\0DB_PASS=x y\0B=2", "A=1\0DB_PASS=S\0B=2"),
    ("APP_KEY=base64:c2VjcmV0c2VjcmV0c2VjcmV0", "APP_KEY=S"),
    ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "AWS_SECRET_ACCESS_KEY=S"),
    ("env[DB_PASS] = abc", "env[DB_PASS] = S"),
    ("SetEnv DB_PASSWORD abc", "SetEnv DB_PASSWORD S"),
    ("password: hunter2", "password: S"),
    ("  client_secret: 'x # y'", "  client_secret: 'S'"),
    ('{"password": "x\\"y", "port": 80}', '{"password": "S", "port": 80}'),
    ('{"token": 12345, "port": 80}', '{"token": "S", "port": 80}'),
    ('{\\"password\\":\\"x\\"}', '{\\"password\\":\\"S\\"}'),
    ("define('DB_PASSWORD', 'x');", "define('DB_PASSWORD', 'S');"),
    ("'password' => 'x',", "'password' => 'S',"),
    ("<password>x</password>", "<password>S</password>"),
    ("requirepass foobared", "requirepass S"),
    ("machine h login u password p", "machine h login u password S"),
    ("stats auth admin:pw", "stats auth admin:S"),
    ("user bob insecure-password pw", "user bob insecure-password S"),
    ("http-request set-header Authorization Basic\\ abc", "http-request set-header Authorization Basic\\ S"),
    ('RequestHeader set Authorization "Basic abc"', 'RequestHeader set Authorization "Basic S"'),
    ("CREATE USER a IDENTIFIED BY 'x'", "CREATE USER a IDENTIFIED BY 'S'"),
    # nginx
    ('proxy_set_header Authorization "Basic dXNl";', 'proxy_set_header Authorization "Basic S";'),
    ("proxy_set_header X-Api-Key abc;", "proxy_set_header X-Api-Key S;"),
    ('proxy_set_header Cookie "a=b; c=d";', 'proxy_set_header Cookie "a=S; c=S";'),
    ("fastcgi_param DB_PASSWORD hunter2;", "fastcgi_param DB_PASSWORD S;"),
    ('fastcgi_param DB_PASSWORD "a;b{\\"c";', 'fastcgi_param DB_PASSWORD "S";'),
    ("location / { set $token abc; }", "location / { set $token S; }"),
    ('if ($http_x_api_key != "abc") { return 403; }', 'if ($http_x_api_key != "S") { return 403; }'),
    ("if ($arg_token = abc) { return 403; }", "if ($arg_token = S) { return 403; }"),
    ("proxy_pass http://app/x?token=abc;", "proxy_pass http://app/x?token=S;"),
    ('secure_link_md5 "$uri$remote_addr enigma";', 'secure_link_md5 "$uri$remote_addr S";'),
    (
        'map $http_x_api_key $who {\n default "";\n "abc" a;\n def b;\n ~^x c;\n}',
        'map $http_x_api_key $who {\n default "";\n "S" a;\n S b;\n ~^x c;\n}',
    ),
    # what looks like itself
    (f"got {JWT}.", "got S."),
    ("id AKIAIOSFODNN7EXAMPLE", "id S"),
    ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "S"),
    (f"bob:{BCRYPT}", "bob:S"),
    (f"bob:{APR1}", "bob:S"),
    ("bob:{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs=", "bob:S"),
    # command lines and sentences
    ("app --password x --token=y --port 80", "app --password S --token=S --port 80"),
    ("curl -u bob:pw http://h", "curl -u bob:S http://h"),
    ("login failed with password: hunter2, again", "login failed with password: S, again"),
]

KEPT = [
    "proxy_set_header Authorization $http_authorization;",
    'proxy_set_header Authorization "";',
    'proxy_set_header Authorization "Bearer $jwt";',
    "proxy_set_header Cookie $http_cookie;",
    "proxy_pass_header Authorization;",
    "proxy_hide_header Set-Cookie;",
    'add_header Access-Control-Allow-Headers "Authorization,X-Api-Key";',
    "add_header Access-Control-Allow-Credentials true;",
    "proxy_cookie_path / /app;",
    "proxy_set_header X-Forwarded-Prefix /api/v1/some-Long-name2;",
    "proxy_set_header Sec-WebSocket-Protocol graphql-transport-ws2;",
    "proxy_set_header Connection keep-alive;",
    "fastcgi_param SCRIPT_FILENAME /srv/Www2/index1.php;",
    "fastcgi_param GATEWAY_INTERFACE CGI/1.1;",
    "GET /reset/form HTTP/1.1",
    "mysqldump -u root --port 3306 shop",
    "mysqld -P 3306",
    "redis-cli -p 6379 ping",
    "proxy_pass http://backend:8000;",
    "fastcgi_pass unix:/run/php/php8.2-fpm.sock;",
    "server_tokens off;",
    "ssl_certificate_key /etc/ssl/private/shop.key;",
    "ssl_password_file /etc/nginx/keys/pass.txt;",
    "ssl_session_cache shared:SSL:10m;",
    "auth_basic_user_file /etc/nginx/.htpasswd;",
    'auth_basic "Restricted area";',
    "auth_request /auth;",
    'proxy_cache_key "$scheme$proxy_host$request_uri";',
    "limit_req_zone $binary_remote_addr zone=one:10m rate=1r/s;",
    'if ($args ~* "[?&]token=([^&]+)") { set $x $1; }',
    "rewrite ^/(.*)$ /index.php?q=$1&token=$arg_token last;",
    "rewrite ^/(.*)/(.*)$ /$1$2/index.html;",
    "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
    "listen 443 ssl; # the password is in the vault",
    'WWW-Authenticate: Basic realm="shop"',
    "Vary: Cookie, Authorization",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "PWD=/srv/app",
    "MAX_TOKENS=4096",
    "TOKEN_URL=https://login.example/token",
    "PASSWORD_FILE=/run/secrets/db",
    "DB_PASSWORD=${DB_PASSWORD}",
    "DB_PASSWORD=/run/secrets/db",
    "PassEnvironment=DB_PASSWORD HOME",
    "LoadCredential=db:/etc/app/db.cred",
    'password authentication failed for user "app"',
    "2026/11/22 09:39:10 [error] 812#812: *1 invalid token: unexpected end of file",
    "sshd: Accepted publickey for root from 10.0.0.1 port 50122 ssh2",
    "550e8400-e29b-41d4-a716-446655440000",
    "http://[::1]:8000/users/@me",
    "redis://localhost:6379/0?owner=a@b",
    "https://shop.example/cart?id=5&page=2&sort=key",
    "user www-data www-data;",
    "docker run -u 33:33 nginx",
    "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ\n-----END CERTIFICATE-----",
    "nginx: worker process",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
]

PEM = (
    "-----BEGIN PRIVATE KEY-----\n"
    + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n" * 3
    + "q1A=\n-----END PRIVATE KEY-----\n"
)
FOREIGN = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from(
            [line.encode() for line, _ in REPLACED]
            + [line.encode() for line in KEPT]
            + [
                b"\n",
                b" ",
                b'"',
                b"'",
                b";",
                b"=",
                b":",
                b"\\",
                b"password",
                b"token=",
                b"REDACTED-1",
                b"eyJ",
                b"$2y$10$",
            ]
            + [b"cookie: ", b"authorization ", b"{", b"}", b"://", b"@", b"&", b"?", b"#", PEM.encode(), b"\0", b"\xff"]
        ),
        max_size=8,
    ).map(b"".join),
)

# What is glued together from halves may read differently once a half is a mark; whole lines may not.
LINES = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from([line for line, _ in REPLACED] + KEPT + [PEM])).map(
        lambda lines: "\n".join(lines).encode()
    ),
)


def shape(text: str) -> str:
    return re.sub(r"REDACTED-\d+", "S", text)


@pytest.mark.parametrize(("told", "kept"), REPLACED)
def test_a_secret_is_replaced(told: str, kept: str) -> None:
    assert shape(Redactor().text(told)) == kept
    indented = f"# first line\n    {told}\nlast line\n"
    assert shape(Redactor().text(indented)) == f"# first line\n    {kept}\nlast line\n"


@pytest.mark.parametrize("told", KEPT)
def test_what_is_no_secret_stays(told: str) -> None:
    assert Redactor().text(told) == told
    assert Redactor().text(f"a\n  {told}\nb") == f"a\n  {told}\nb"


def test_a_private_key_is_replaced_line_by_line() -> None:
    for text in (PEM, PEM.replace("PRIVATE", "RSA PRIVATE"), PEM.replace("\n", "\r\n"), f"cert\n{PEM}after\n"):
        done = Redactor().text(text)
        assert "MII" not in done
        assert "q1A" not in done
        assert "-----BEGIN " in done
        assert done.count("\n") == text.count("\n")
    assert Redactor().text(f"cert\n{PEM}after\n").endswith("KEY-----\nafter\n")


def test_a_part_of_a_private_key_is_one_too() -> None:
    first, last = PEM[: len(PEM) // 2], PEM[len(PEM) // 2 :]
    for text in (first, last, f"{last}listen 80;\n", PEM.replace("\n", "\\n"), f'K="{PEM}"'.replace("\n", "\\n")):
        done = Redactor().text(text)
        assert not re.search(r"[A-Za-z0-9+/=]{40}", done)
        assert "q1A" not in done or "q1A" not in text
    logged = "".join(f"Nov 22 host app[1]: {line}\n" for line in PEM.splitlines())
    assert not re.search(r"[A-Za-z0-9+/=]{40}", Redactor().text(logged))


def test_a_quoted_border_hides_no_log_lines() -> None:
    log = 'GET "/-----BEGIN PRIVATE KEY-----" 502\n2026/11/22 [error] connect() failed\nanother line\n'
    assert Redactor().text(log) == log


def test_one_secret_has_one_mark() -> None:
    redactor = Redactor()
    assert redactor.text("password=abc") == "password=REDACTED-1"
    assert redactor.text("token=xyz; password=abc") == "token=REDACTED-2; password=REDACTED-1"
    assert redactor.value("X-Api-Key", "abc") == "REDACTED-1"
    assert redactor.replaced == 2


def test_a_quoted_secret_and_its_meaning_have_one_mark() -> None:
    redactor = Redactor()
    assert redactor.text('fastcgi_param DB_PASSWORD "a\\"b c";') == 'fastcgi_param DB_PASSWORD "REDACTED-1";'
    assert redactor.pairs([("DB_PASSWORD", 'a"b c')]) == (("DB_PASSWORD", "REDACTED-1"),)


def test_a_telling_secret_is_replaced_wherever_it_stands_later() -> None:
    redactor = Redactor()
    redactor.text("DB_PASSWORD=Tr0ub4dor&3")
    assert redactor.text("cannot open Tr0ub4dor&3 for x") == "cannot open REDACTED-1 for x"
    redactor.text("DB_PASSWORD=nginx")
    assert redactor.text("nginx: worker process") == "nginx: worker process"


def test_what_visitors_send_is_not_looked_for_elsewhere() -> None:
    redactor = Redactor()
    assert redactor.data(b"GET /?token=127.0.0.1:8000", learn=False) == b"GET /?token=REDACTED-1"
    assert redactor.data(b"upstream 127.0.0.1:8000") == b"upstream 127.0.0.1:8000"


def test_a_long_secret_keeps_its_size() -> None:
    value = "sid=" + "a1" * 3000
    done = Redactor().value("Set-Cookie", value)
    assert len(done) == len(value)
    assert Redactor().value("Set-Cookie", done) == done


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("Authorization", "Basic abc", "Basic S"),
        ("authorization", 'Digest username="b", response="c"', "Digest S"),
        ("HTTP_AUTHORIZATION", "Bearer a b", "Bearer S"),
        ("Cookie", "a=b; c=d", "a=S; c=S"),
        ("Set-Cookie", 'sid="x y"; Path=/; Secure', 'sid="S"; Path=/; Secure'),
        ("X-Api-Key", "a; b # c", "S"),
        ("DB_PASSWORD", "a; b # c,", "S"),
        ("Host", "shop.example", "shop.example"),
        ("X-Request-Id", "550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440000"),
        ("Location", "https://h/?token=abc", "https://h/?token=S"),
        ("QUERY_STRING", "token=abc&a=1", "token=S&a=1"),
        ("SCRIPT_FILENAME", "/srv/token/index.php", "/srv/token/index.php"),
        ("ETag", '"5f3e-1a2b3c4d"', '"5f3e-1a2b3c4d"'),
    ],
)
def test_headers_and_parameters(name: str, value: str, kept: str) -> None:
    assert shape(Redactor().value(name, value)) == kept


@pytest.mark.parametrize(
    ("argv", "kept"),
    [
        (("mysqld", "--password", "x y", "--port", "80"), ("mysqld", "--password", "S", "--port", "80")),
        (("app", "--token=a;b c", "-v"), ("app", "--token=S", "-v")),
        (("env", "DB_PASSWORD=a;b", "gunicorn"), ("env", "DB_PASSWORD=S", "gunicorn")),
        (("curl", "-H", "Authorization: Bearer x"), ("curl", "-H", "Authorization: Bearer S")),
        (("redis-server", "--requirepass", "x"), ("redis-server", "--requirepass", "S")),
        (("sh", "-c", "TOKEN=x exec app"), ("sh", "-c", "TOKEN=S")),
        (("/usr/bin/mysql", "-uroot", "-pgeheim"), ("/usr/bin/mysql", "-uroot", "-pS")),
        (("redis-cli", "-p", "6379", "-a", "geheim"), ("redis-cli", "-p", "6379", "-a", "S")),
        (("sshpass", "-pgeheim", "ssh", "h"), ("sshpass", "-pS", "ssh", "h")),
        (("nginx", "-p", "/srv/nginx"), ("nginx", "-p", "/srv/nginx")),
        (("nginx", "-c", "/etc/nginx/nginx.conf"), ("nginx", "-c", "/etc/nginx/nginx.conf")),
        (("app", "--token-file", "/run/x", "--no-auth"), ("app", "--token-file", "/run/x", "--no-auth")),
        (("app", "--password", "--verbose"), ("app", "--password", "--verbose")),
    ],
)
def test_command_lines(argv: tuple[str, ...], kept: tuple[str, ...]) -> None:
    assert tuple(map(shape, Redactor().argv(argv))) == kept


@pytest.mark.parametrize(
    ("path", "content", "kept"),
    [
        ("/etc/nginx/shop.key", "anything\nat all\n", "S\nS\n"),
        ("/etc/letsencrypt/live/x/privkey.pem", "a", "S"),
        ("/run/secrets/db", "hunter2\n", "S\n"),
        ("/etc/nginx/.htpasswd", "bob:plain\n# note\namy:{PLAIN}x\n", "bob:S\n# note\namy:S\n"),
        ("/etc/apache2/users.htdigest", "bob:realm:" + "0f" * 16 + "\n", "bob:realm:S\n"),
        ("/root/.pgpass", "h:5432:db:bob:a:b\n", "h:5432:db:bob:S\n"),
        ("/etc/shadow", "root:*:1::\nbob:abcdef:1::\n", "root:*:1::\nbob:S:1::\n"),
        ("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n", "root:x:0:0:root:/root:/bin/bash\n"),
        ("/etc/ssl/certs/ca.crt", "abc\n", "abc\n"),
        ("/etc/nginx/nginx.conf", "user nginx;\n", "user nginx;\n"),
    ],
)
def test_files_that_are_secrets_by_their_path(path: str, content: str, kept: str) -> None:
    redactor = Redactor()
    done = redactor.file(path, content.encode())
    assert shape(done.decode()) == kept
    assert redactor.file(path, done) == done


CONF = "\n".join(line for line, _ in REPLACED if line.endswith((";", "}"))) + "\n" + "\n".join(KEPT[:20])


@pytest.mark.parametrize("quote", ["", '"', "'"])
@pytest.mark.parametrize("secret", ["abc", "a1b2c3d4e5f6", "dXNlcjpwYXNz", "x" * 700])
def test_a_configuration_keeps_its_syntax(secret: str, quote: str) -> None:
    conf = CONF.replace("abc", secret) + (
        f"\nserver {{\n  proxy_set_header X-Auth-Token {quote}{secret}{quote};\n"
        f"  location /a {{ fastcgi_param API_SECRET {quote}{secret}{quote}; return 200 {quote}{secret}{quote}; }}\n}}\n"
    )
    done = Redactor().text(conf)
    for mark in "{};\"'\n":
        assert done.count(mark) == conf.count(mark) - sum(
            line.count(mark) - shape(kept).count(mark) for line, kept in REPLACED if line in conf and mark != "\n"
        )
    assert [len(line.split()) for line in done.splitlines()][-6:] == [len(x.split()) for x in conf.splitlines()][-6:]


@given(LINES)
@example(b"token=REDACTED-1abc")
@example(b'password="REDACTED-1')
def test_what_was_replaced_is_not_replaced_again(foreign: bytes) -> None:
    once = Redactor().data(foreign)
    assert Redactor(first=1000).data(once) == once


@given(FOREIGN)
def test_lines_and_brackets_of_lines_stay(foreign: bytes) -> None:
    done = Redactor().data(foreign)
    assert done.count(b"\n") == foreign.count(b"\n")
    assert done.count(b"\0") == foreign.count(b"\0")


@given(TEXT, TEXT)
def test_any_text_can_be_redacted(name: str, value: str) -> None:
    redactor = Redactor()
    assert isinstance(redactor.text(value), str)
    assert isinstance(redactor.value(name, value), str)
    assert len(redactor.argv((name, value))) == 2
    assert redactor.text(value) == value or "REDACTED-" in redactor.text(value)


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_hostile_text_passes_unchanged_or_marked(name: str) -> None:
    payload = PAYLOADS[name]
    done = Redactor().data(payload)
    assert done.count(b"\n") == payload.count(b"\n")
    assert Redactor().data(b"password=" + payload[:2000] + b"\n").startswith(b"password=")


def test_a_large_text_is_looked_at_once_but_still_cleaned_of_what_is_learned() -> None:
    redactor = Redactor()
    log = b"GET /?token=abc\nuse Tr0ub4dor&3\n" + b"x" * 70_000
    once = redactor.data(log, learn=False)
    assert redactor.data(once, learn=False) == once
    redactor.text("DB_PASSWORD=Tr0ub4dor&3")
    assert redactor.data(once, learn=False) == once.replace(b"Tr0ub4dor&3", b"REDACTED-2")


@pytest.mark.parametrize(
    "nested", ["password:", "?token=", "?token=(", "password:/etc/", "x auth:", "cookie: ", "token=$a"]
)
def test_the_work_grows_with_the_size_not_with_its_square(nested: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value may hold a name whose value holds a name; each is read to the end of the line."""
    seen = 0
    find_end = named._end

    def counted(reader: re.Pattern[bytes], data: bytes, start: int) -> int:
        nonlocal seen
        end = find_end(reader, data, start)
        seen += end - start
        return end

    monkeypatch.setattr(named, "_end", counted)
    text = b"PRIVATE " + nested.encode() * (1_000_000 // len(nested))
    done = Redactor().data(text)
    assert seen < 20 * len(text)
    assert len(done) <= len(text) + 1000


def words(conf: str) -> list[tuple[int, int]]:
    """The lines of a configuration's directives as the nginx parser reads them, with the number of their words."""
    parsed = parse(conf.encode(), "nginx.conf")
    assert parsed.broken is None
    found: list[tuple[int, int]] = []

    def collect(directives: Sequence[Directive]) -> None:
        for directive in directives:
            found.append((directive.line, len(directive.args)))
            collect(directive.block or [])

    collect(parsed.directives)
    return found


@pytest.mark.parametrize("secret", ["abc", "dXNlcjpwYXNz", "x" * 700, "a;b", "a{b}", "a b", 'a\\"b', "a#b", "a\\;b"])
def test_nginx_reads_the_same_words_in_what_is_left(secret: str) -> None:
    quoted = f'"{secret}"'
    conf = f"""
map $http_x_api_key $who {{
  default "";
  {quoted} shop;
}}
server {{
  listen 80;
  proxy_set_header Authorization "Basic {secret}";  # as agreed; {{
  proxy_set_header X-Api-Key {quoted};
  fastcgi_param DB_PASSWORD {quoted};
  set $api_token {quoted};
  secure_link_md5 "$uri {secret}";
  add_header Set-Cookie "sid={secret}; Path=/";
  if ($http_x_api_key != {quoted}) {{ return 403; }}
  location /a {{ proxy_pass "http://user:{secret}@app/?token={secret}&x=1"; proxy_set_header Cookie "a={secret}"; }}
}}
"""
    done = Redactor().text(conf)
    assert words(done) == words(conf)
    assert done != conf


def test_marks_are_counted_on() -> None:
    assert marks_in(b"nothing REDACTED-x") == 0
    assert marks_in(b"REDACTED-2 REDACTED-11... REDACTED-3") == 11
    assert Redactor(first=12).text("password=a") == "password=REDACTED-12"
