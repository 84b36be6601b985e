"""One table a rule: a configuration, a URL, and what nginx does with it."""

from __future__ import annotations

import pytest

from tests.gateways.nginx.memory import routed, target


def up(port: int, more: str = "") -> str:
    return f"proxy_pass http://127.0.0.1:{port}{more};"


LOCATIONS = f"""
server {{ listen 80;
  location / {{ {up(1)} }}
  location = /exact {{ {up(2)} }}
  location ^~ /images/ {{ {up(3)} }}
  location ~ \\.php$ {{ {up(4)} }}
  location ~* \\.(GIF|jpg)$ {{ {up(5)} }}
  location /nested/ {{ {up(6)}
    location /nested/deep/ {{ {up(7)} location ~ \\.txt$ {{ {up(8)} }} }}
    location ~ \\.jpg$ {{ {up(9)} }}
  }}
  location /dir/ {{ {up(10, "/")} }}
  location ~ ^/user/(?<name>\\w+)/(\\d+)$ {{ proxy_pass http://127.0.0.1:11/$name-$2; }}
  location /inside {{ internal; {up(12)} }}
  location "/with space" {{ {up(13)} }}
}}"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "proxy 127.0.0.1:1 /"),
        ("/exact", "proxy 127.0.0.1:2 /exact"),
        ("/exact/", "proxy 127.0.0.1:1 /exact/"),
        ("/images/x.php", "proxy 127.0.0.1:3 /images/x.php"),
        ("/imagesx.php", "proxy 127.0.0.1:4 /imagesx.php"),
        ("/A.GiF", "proxy 127.0.0.1:5 /A.GiF"),
        ("/a.PHP", "proxy 127.0.0.1:1 /a.PHP"),
        ("/nested/x", "proxy 127.0.0.1:6 /nested/x"),
        ("/nested/x.jpg", "proxy 127.0.0.1:9 /nested/x.jpg"),
        ("/nested/deep/x.jpg", "proxy 127.0.0.1:9 /nested/deep/x.jpg"),
        ("/nested/deep/x.txt", "proxy 127.0.0.1:8 /nested/deep/x.txt"),
        ("/nested/deep/x", "proxy 127.0.0.1:7 /nested/deep/x"),
        ("/dir", "return 301 /dir/"),
        ("/dir?a=b", "return 301 /dir/?a=b"),
        ("/dir/a%20b?c", "proxy 127.0.0.1:10 /a%20b?c"),
        ("/user/joe/7", "proxy 127.0.0.1:11 /joe-7"),
        ("/inside", "return 404"),
        ("/with%20space", "proxy 127.0.0.1:13 /with%20space"),
        ("//exact", "proxy 127.0.0.1:2 //exact"),
        ("/a/../exact", "proxy 127.0.0.1:2 /a/../exact"),
        ("/%65xact", "proxy 127.0.0.1:2 /%65xact"),
        ("/..", "return 400"),
        ("/%zz", "return 400"),
        ("/%00", "return 400"),
    ],
)
def test_locations(path: str, expected: str) -> None:
    assert target(routed(LOCATIONS, f"http://x{path}")) == expected


SERVERS = f"""
server {{ listen 80; server_name first.test; location / {{ {up(1)} }} }}
server {{ listen 80 default_server; server_name default.test; location / {{ {up(2)} }} }}
server {{ listen 80; server_name *.wild.test www.tail.*; location / {{ {up(3)} }} }}
server {{ listen 80; server_name .dot.test; location / {{ {up(4)} }} }}
server {{ listen 80; server_name ~^(?<sub>[a-z]+)\\.re\\.test$; location / {{ proxy_pass http://127.0.0.1:5/$sub; }} }}
server {{ listen 80; server_name www.re.test; location / {{ {up(6)} }} }}
server {{ listen 80; server_name first.test; location / {{ {up(7)} }} }}
server {{ listen 127.0.0.9:80; server_name nine.test; location / {{ {up(8)} }} }}
server {{ listen [::]:80; server_name six.test; location / {{ {up(9)} }} }}
server {{ listen 8080; server_name _; location / {{ {up(10)} }} }}
server {{ listen unix:/run/front.sock; location / {{ {up(11)} }} }}
server {{ listen 81; server_name ""; location / {{ {up(12)} }} }}
server {{ listen 81; server_name a.test; location / {{ {up(13)} }} }}
server {{ listen 82; listen 127.0.0.1:82; server_name b.test; location / {{ {up(14)} }} }}
server {{ listen 127.0.0.1:82 default_server; server_name c.test; location / {{ {up(15)} }} }}
server {{ listen 80; server_name *.x.wild.test; location / {{ {up(16)} }} }}
"""


@pytest.mark.parametrize(
    ("url", "expected", "matched"),
    [
        ("http://first.test/", "proxy 127.0.0.1:1 /", "exact"),
        ("http://FIRST.test/", "proxy 127.0.0.1:1 /", "exact"),
        ("http://first.test./", "proxy 127.0.0.1:1 /", "exact"),
        ("http://first.test:80/", "proxy 127.0.0.1:1 /", "exact"),
        ("http://other.test/", "proxy 127.0.0.1:2 /", "default"),
        ("http://a.wild.test/", "proxy 127.0.0.1:3 /", "wildcard"),
        ("http://a.b.wild.test/", "proxy 127.0.0.1:3 /", "wildcard"),
        ("http://a.x.wild.test/", "proxy 127.0.0.1:16 /", "wildcard"),
        ("http://wild.test/", "proxy 127.0.0.1:2 /", "default"),
        ("http://www.tail.org/", "proxy 127.0.0.1:3 /", "wildcard"),
        ("http://dot.test/", "proxy 127.0.0.1:4 /", "exact"),
        ("http://a.dot.test/", "proxy 127.0.0.1:4 /", "wildcard"),
        ("http://joe.re.test/", "proxy 127.0.0.1:5 /joe", "regex"),
        ("http://www.re.test/", "proxy 127.0.0.1:6 /", "exact"),
        ("http://nine.test/", "proxy 127.0.0.1:8 /", "exact"),
        ("http://127.0.0.9/", "proxy 127.0.0.1:8 /", "default"),
        ("http://six.test/", "proxy 127.0.0.1:9 /", "exact"),
        ("http://[::1]/", "proxy 127.0.0.1:9 /", "default"),
        ("http://whatever:8080/", "proxy 127.0.0.1:10 /", "default"),
        ("http://unnamed:81/", "proxy 127.0.0.1:12 /", "default"),
        ("http://c.test:82/", "proxy 127.0.0.1:15 /", "exact"),
        ("http://b.test:82/", "proxy 127.0.0.1:14 /", "exact"),
        ("http://d.test:82/", "proxy 127.0.0.1:15 /", "default"),
    ],
)
def test_servers(url: str, expected: str, matched: str) -> None:
    made = routed(SERVERS, url)
    assert (target(made), made.virtual_host.matched) == (expected, matched)


def test_an_address_that_is_given_is_the_one_that_is_connected_to() -> None:
    assert target(routed(SERVERS, "http://first.test/", address="127.0.0.9")) == "proxy 127.0.0.1:8 /"
    assert target(routed(SERVERS, "http://first.test/", address="unix:/run/front.sock")) == "proxy 127.0.0.1:11 /"
    assert target(routed(SERVERS, "http://first.test/", address="10.1.1.1:8080")) == "proxy 127.0.0.1:10 /"


TLS = f"""
server {{ listen 443 ssl http2 default_server; server_name a.test; location / {{ {up(1)} }} }}
server {{ listen 443 ssl; server_name b.test; location / {{ {up(2)} }} }}
server {{ listen 80; server_name a.test b.test; return 301 https://$host$request_uri; }}
server {{ listen 444 ssl; server_name strict.test; ssl_reject_handshake on; location / {{ {up(3)} }} }}
server {{ listen 445 ssl; error_page 497 =301 https://$host$request_uri; location / {{ {up(4)} }} }}
"""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.test/", "proxy 127.0.0.1:1 /"),
        ("https://b.test/", "proxy 127.0.0.1:2 /"),
        ("https://c.test/", "proxy 127.0.0.1:1 /"),
        ("http://b.test/x?y", "return 301 https://b.test/x?y"),
        ("http://b.test:443/", "return 400"),
        ("http://b.test:445/x", "return 301 https://b.test/x"),
        ("https://strict.test:444/", "return 444"),
    ],
)
def test_tls(url: str, expected: str) -> None:
    assert target(routed(TLS, url)) == expected


def test_a_tls_listener_says_what_it_is() -> None:
    listener = routed(TLS, "https://b.test/").listener
    assert (listener.address, listener.tls, listener.http2) == ("0.0.0.0:443", True, True)
    assert listener.at is not None
    assert listener.at.line == 5


REWRITES = f"""
map $uri $mapped {{ ~^/m/(?<rest>.*)$ $rest; default none; }}
server {{ listen 80;
  rewrite ^/old/(.*)$ /new/$1 last;
  rewrite ^/gone$ https://other.test/? permanent;
  if ($request_method = POST) {{ return 405; }}
  location / {{ {up(1)} }}
  location /new/ {{ {up(2)} }}
  location /loop {{ rewrite ^ /loop last; }}
  location /break {{ rewrite ^/break/(.*)$ /$1?k=$1 break; {up(3)} }}
  location /drop {{ rewrite ^/drop/(.*)$ /new/$1? last; }}
  location /moved {{ rewrite ^/moved/(.*)$ /to/$1 redirect; }}
  location /scheme {{ rewrite ^ $scheme://$host/x permanent; }}
  location /if {{
    set $to 4;
    if ($arg_to) {{ set $to $arg_to; }}
    if ($http_x_env ~* ^pr(od)$) {{ proxy_pass http://127.0.0.1:5; }}
    if ($args = "none") {{ return 204; }}
    proxy_pass http://127.0.0.1:$to;
  }}
  location /ret {{ return 200 "ok"; {up(9)} }}
  location /url {{ return http://e.test$uri; }}
  location /m/ {{ proxy_pass http://127.0.0.1:6/$mapped; }}
}}"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/old/a%20b?q=1", "proxy 127.0.0.1:2 /new/a%20b?q=1"),
        ("/gone?x=1", "return 301 https://other.test/"),
        ("/loop", "return 500"),
        ("/break/a?q", "proxy 127.0.0.1:3 /a?k=a&q"),
        ("/drop/x?q=1", "proxy 127.0.0.1:2 /new/x"),
        ("/moved/x?q=1", "return 302 /to/x?q=1"),
        ("/scheme", "return 301 http://x/x"),
        ("/if", "proxy 127.0.0.1:4 /if"),
        ("/if?to=7", "proxy 127.0.0.1:7 /if?to=7"),
        ("/if?none", "return 204"),
        ("/ret", "return 200 ok"),
        ("/url", "return 302 http://e.test/url"),
        ("/m/a/b", "proxy 127.0.0.1:6 /a/b"),
    ],
)
def test_rewrites(path: str, expected: str) -> None:
    assert target(routed(REWRITES, f"http://x{path}")) == expected


def test_method_and_headers_count() -> None:
    assert target(routed(REWRITES, "http://x/", method="POST")) == "return 405"
    assert target(routed(REWRITES, "http://x/if", headers={"X-Env": "PROD"})) == "proxy 127.0.0.1:5 /if"
    assert target(routed(REWRITES, "http://old.example/", headers={"Host": "new"})) == "proxy 127.0.0.1:1 /"


FILES = f"""
server {{ listen 80; root /srv/www;
  error_page 404 = @app;
  location / {{ try_files $uri $uri/ @app; }}
  location @app {{ {up(1)} }}
  location /static/ {{ alias /srv/assets/; }}
  location /php/ {{ try_files $uri /index.php?$args; }}
  location ~ \\.php$ {{ fastcgi_pass unix:/run/php.sock; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; }}
  location /teapot {{ error_page 418 = @app; return 418; }}
  location /plain404 {{ error_page 404 /none.html; return 404; }}
  location /code/ {{ try_files $uri =410; }}
  location /nowhere/ {{ try_files $uri @missing; }}
}}"""


def on_disk(*paths: str) -> object:
    return lambda path: path in paths


@pytest.mark.parametrize(
    ("path", "files", "expected"),
    [
        ("/a.txt", ("/srv/www/a.txt",), "static 200"),
        ("/a.txt", (), "proxy 127.0.0.1:1 /a.txt"),
        ("/static/a.txt", ("/srv/assets/a.txt",), "static 200"),
        ("/static/a.txt", (), "proxy 127.0.0.1:1 /static/a.txt"),
        ("/php/x?y=1", (), "fastcgi unix:/run/php.sock /php/x?y=1"),
        ("/teapot", (), "proxy 127.0.0.1:1 /teapot"),
        ("/code/x", (), "static 410"),
        ("/nowhere/x", (), "return 500"),
        ("/dir", ("/srv/www/dir/",), "static 301"),
    ],
)
def test_files(path: str, files: tuple[str, ...], expected: str) -> None:
    assert target(routed(FILES, f"http://x{path}", exists=on_disk(*files))) == expected


def test_a_file_that_is_not_known_of_leaves_the_only_upstream_standing_and_says_so() -> None:
    made = routed(FILES, "http://x/a.txt")
    assert target(made) == "proxy 127.0.0.1:1 /a.txt"
    assert "whether /srv/www/a.txt exists" in made.undecided


UNDECIDED = f"""
split_clients $remote_addr$http_user_agent $variant {{ 50% 1; * 2; }}
map $cookie_colour $pool {{ default blue; green green; }}
map $ssl_client_i_dn $by_cert {{ default 3; CN=x 4; }}
geo $near {{ default far; 127.0.0.0/8 near; }}
upstream blue {{ server 127.0.0.1:11; }}
upstream green {{ server 127.0.0.1:12; }}
upstream near {{ server 127.0.0.1:13; }}
upstream far {{ server 127.0.0.1:14; }}
server {{ listen 80;
  location /split {{ proxy_pass http://127.0.0.1:$variant; }}
  location /colour {{ proxy_pass http://$pool; }}
  location /cert {{ proxy_pass http://127.0.0.1:$by_cert; }}
  location /same {{ set $x $request_id; if ($x = a) {{ rewrite ^ /cold; }} {up(5)} }}
  location /path {{ proxy_pass http://127.0.0.1:6/$request_id; }}
  location /lua {{ content_by_lua_block {{ ngx.say("}}") }} }}
  location /nobody {{ proxy_pass http://$nobody_sets_this; }}
  location /near {{ proxy_pass http://$near; }}
}}"""


def test_what_cannot_be_known_is_undecided_with_its_variable_and_place() -> None:
    split = routed(UNDECIDED, "http://x/split")
    assert split.action.kind == "undecided"
    assert split.upstream is None
    assert "split_clients deals $variant out (/etc/nginx/nginx.conf:4)" in split.undecided
    cert = routed(UNDECIDED, "http://x/cert")
    assert "$by_cert (/etc/nginx/nginx.conf:6) depends on" in target(cert)
    assert "$nobody_sets_this" in target(routed(UNDECIDED, "http://x/nobody"))
    assert "content_by_lua_block" in target(routed(UNDECIDED, "http://x/lua"))


def test_what_does_not_matter_for_the_upstream_does_not_hide_it() -> None:
    assert routed(UNDECIDED, "http://x/path").upstream is not None
    same = routed(UNDECIDED, "http://x/same")
    assert same.upstream is not None
    assert same.upstream.servers[0].address == "127.0.0.1:5"


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/colour", {}, "proxy 127.0.0.1:11 /colour"),
        ("/colour", {"Cookie": "a=b; colour=green"}, "proxy 127.0.0.1:12 /colour"),
        ("/colour", {"Cookie": "colour=GREEN"}, "proxy 127.0.0.1:12 /colour"),
        ("/near", {}, "proxy 127.0.0.1:13 /near"),
    ],
)
def test_maps(path: str, headers: dict[str, str], expected: str) -> None:
    assert target(routed(UNDECIDED, f"http://x{path}", headers=headers)) == expected


def test_a_client_from_elsewhere() -> None:
    assert target(routed(UNDECIDED, "http://x/near", client="192.0.2.7")) == "proxy 127.0.0.1:14 /near"


ACCESS = f"""
server {{ listen 80;
  location /open {{ {up(1)} }}
  location /ht {{ deny all; {up(2)} }}
  location /lan {{ allow 10.0.0.0/8; deny all; {up(3)} }}
  location /auth {{ auth_request /check; {up(4)} }}
  location = /check {{ internal; {up(5)} }}
  location /any {{ satisfy any; deny all; auth_basic "x"; auth_basic_user_file f; {up(6)} }}
  location /only {{ limit_except GET {{ deny all; }} {up(7)} }}
  location /write {{ limit_except GET {{ proxy_pass http://127.0.0.1:9; }} {up(8)} }}
}}"""


@pytest.mark.parametrize(
    ("path", "sent", "expected"),
    [
        ("/ht", {}, "return 403"),
        ("/lan", {"client": "10.2.3.4"}, "proxy 127.0.0.1:3 /lan"),
        ("/lan", {"client": "192.0.2.1"}, "return 403"),
        ("/lan", {}, "proxy 127.0.0.1:3 /lan"),
        ("/auth", {}, "proxy 127.0.0.1:4 /auth"),
        ("/any", {}, "proxy 127.0.0.1:6 /any"),
        ("/only", {}, "proxy 127.0.0.1:7 /only"),
        ("/only", {"method": "HEAD"}, "proxy 127.0.0.1:7 /only"),
        ("/only", {"method": "PUT"}, "return 403"),
        ("/write", {"method": "PUT"}, "proxy 127.0.0.1:9 /write"),
        ("/write", {}, "proxy 127.0.0.1:8 /write"),
    ],
)
def test_access(path: str, sent: dict[str, str], expected: str) -> None:
    assert target(routed(ACCESS, f"http://x{path}", **sent)) == expected


def test_an_auth_request_is_recorded() -> None:
    assert routed(ACCESS, "http://x/auth").auth_request == "/check"


def test_no_listener_no_route() -> None:
    from tests.gateways.nginx.memory import NGINX, http
    from wizard.gateways.nginx.route import route

    configuration = http(TLS)
    assert route(configuration, NGINX, "http://a.test:9/") is None
    assert route(configuration, NGINX, "https://a.test:80/") is None
    assert route(configuration, NGINX, "ftp://a.test/") is None
    assert route(configuration, NGINX, "http://") is None


def test_a_bare_name_that_two_wildcards_claim_is_nobodys() -> None:
    text = f"""
    server {{ listen 80; server_name d; return 404; }}
    server {{ listen 80; server_name *.b.test; location / {{ {up(1)} }} }}
    server {{ listen 80; server_name .b.test b.test; location / {{ {up(2)} }} }}
    """
    assert target(routed(text, "http://x.b.test/")) == "proxy 127.0.0.1:1 /"
    assert target(routed(text, "http://b.test/")) == "return 404"  # as nginx 1.22.1 does


def test_a_server_by_the_name_of_the_machine() -> None:
    text = f"server {{ listen 80; {up(1)} }} server {{ listen 80; server_name $hostname; location / {{ {up(2, '/$hostname')} }} }}"
    assert target(routed(text.replace(up(1), "return 404;"), "http://web1/")) == "proxy 127.0.0.1:2 /web1"


def test_a_group_whose_server_is_chosen_by_code_is_undecided() -> None:
    text = """
    upstream u { server 0.0.0.1; balancer_by_lua_block { set(ngx.var.x) } }
    server { listen 80; location / { set $p u; proxy_pass http://$p; } }
    """
    made = routed(text, "http://x/")
    assert made.action.kind == "undecided"
    assert made.undecided == (
        "balancer_by_lua_block chooses the server of u with code of its own (/etc/nginx/nginx.conf:4)",
    )


def test_another_server_on_another_address_is_told() -> None:
    text = f"""
    server {{ listen 80 default_server; listen [::]:80 default_server; return 404; }}
    server {{ listen 80; server_name a.test; location / {{ {up(1)} }} }}
    """
    made = routed(text, "http://a.test/")
    assert target(made) == "proxy 127.0.0.1:1 /"
    assert made.steps == ("a client that comes to [::]:80 is taken by another server (/etc/nginx/nginx.conf:4)",)
    assert routed(text, "http://a.test/", address="127.0.0.1").steps == ()
    assert routed(text, "http://127.0.0.1/").steps == ()


def test_what_a_visitor_must_have_is_told() -> None:
    text = f"server {{ listen 443 ssl; ssl_verify_client on; location / {{ {up(1)} }} }}"
    made = routed(text, "https://x/")
    assert target(made) == "proxy 127.0.0.1:1 /"
    assert made.steps == ("asks for a certificate of the client (/etc/nginx/nginx.conf:3)",)


SHARES = "split_clients $arg_k $v { 50% a; * b; } split_clients $remote_addr $w { 50% a; * b; }"


def test_shares_are_dealt_out_by_what_is_known() -> None:
    text = f"{SHARES} server {{ listen 80; location /v {{ return 200 $v; }} location /w {{ return 200 $w; }} }}"
    keys = ("a", "b", "c", "d", "e", "f", "g", "h", "10.0.0.1", "some-longer-key")
    dealt = [routed(text, f"http://x/v?k={key}").action.to for key in keys]
    assert dealt == ["b", "b", "a", "b", "b", "b", "a", "a", "b", "a"]  # as nginx 1.22.1 does
    assert routed(text, "http://x/w").action.kind == "undecided"
    assert routed(text, "http://x/w", client="203.0.113.9").action.to in {"a", "b"}


def test_what_was_decided_by_headers_of_the_client_is_told() -> None:
    text = f"""
    map $cookie_pool $pool {{ default 1; green 2; }}
    server {{ listen 80; if ($http_user_agent ~* bot) {{ return 403; }}
      location / {{ proxy_set_header X-Pool $cookie_a; proxy_pass http://127.0.0.1:$pool; }} location /b {{ {up(3)} }} }}
    """
    made = routed(text, "http://x/")
    assert target(made) == "proxy 127.0.0.1:1 /"
    assert made.steps == (
        "if ($http_user_agent ~* bot) is false (/etc/nginx/nginx.conf:5) for what this client sends",
        '$pool is "1" (/etc/nginx/nginx.conf:4) for what this client sends',
    )
    assert len(routed(text, "http://x/b").steps) == 1


def test_an_auth_request_that_nginx_answers_itself_decides() -> None:
    text = f"""
    server {{ listen 80; location = /yes {{ return 204; }} location = /no {{ internal; return 403; }}
      location /a {{ auth_request /yes; {up(1)} }}
      location /b {{ auth_request /no; {up(1)} }}
      location /c {{ auth_request /gone; {up(1)} }}
      location /d {{ auth_request /e; {up(1)} }}
      location /e {{ {up(2)} }}
      location /f {{ satisfy any; allow 10.0.0.0/8; deny all; auth_request /no; {up(1)} }}
    }}
    """
    known = {path: routed(text, f"http://x{path}", exists=lambda _: False) for path in ("/a", "/b", "/c", "/d", "/f")}
    assert [target(one) for one in known.values()][:4] == [
        "proxy 127.0.0.1:1 /a", "return 403", "return 500", "proxy 127.0.0.1:1 /d",
    ]  # fmt: skip
    assert known["/d"].steps == (
        "auth_request asks http://127.0.0.1:2, which may decide otherwise (/etc/nginx/nginx.conf:8)",
    )
    assert known["/f"].action.kind == "undecided"
