"""Configurations as they are found: each routed the way that its readers expect."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateways.nginx.memory import NGINX, loaded, target
from wizard.gateways.nginx.request import MAX_WALKS
from wizard.gateways.nginx.route import route
from wizard.gateways.nginx.samples import addresses_of, routes_of
from wizard.gateways.nginx.tree import Configuration
from wizard.model import Route

DEBIAN = """
user www-data;
worker_processes auto;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
include /etc/nginx/modules-enabled/*.conf;
events { worker_connections 768; # multi_accept on;
}
http {
    sendfile on; tcp_nopush on; types_hash_max_size 2048;
    include /etc/nginx/mime.types; default_type application/octet-stream;
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
    access_log /var/log/nginx/access.log;
    gzip on;
    include /etc/nginx/conf.d/*.conf;
    include /etc/nginx/sites-enabled/*;
}
"""
MIME = "types { text/html html htm; image/png png; }"
FASTCGI = """
fastcgi_param  SCRIPT_FILENAME    $document_root$fastcgi_script_name;
fastcgi_param  QUERY_STRING       $query_string;
fastcgi_param  REQUEST_URI        $request_uri;
"""


def site(text: str, **more: str) -> Configuration:
    files = {"mime.types": MIME, "fastcgi.conf": FASTCGI, "sites-enabled/site": text, **more}
    configuration = loaded(DEBIAN, **files)
    assert configuration.problems == ()
    return configuration


def go(configuration: Configuration, url: str, *files: str, **headers: str) -> Route:
    sent = {name.replace("_", "-"): value for name, value in headers.items()} or None
    made = route(configuration, NGINX, url, exists=lambda path: path in files, headers=sent)
    assert made is not None
    return made


WORDPRESS = """
server {
    listen 80; listen [::]:80;
    server_name blog.example www.blog.example;
    root /var/www/blog;
    index index.php index.html;
    location = /favicon.ico { log_not_found off; access_log off; }
    location / { try_files $uri $uri/ /index.php?$args; }
    location ~ \\.php$ {
        try_files $uri =404;
        fastcgi_split_path_info ^(.+\\.php)(/.+)$;
        include fastcgi.conf;
        fastcgi_pass unix:/run/php/php8.2-fpm.sock;
        fastcgi_read_timeout 300;
    }
    location ~* \\.(js|css|png)$ { expires max; }
    location ~ /\\.ht { deny all; }
}
"""


@pytest.mark.parametrize(
    ("path", "files", "expected"),
    [
        ("/", ("/var/www/blog/", "/var/www/blog/index.php"), "fastcgi unix:/run/php/php8.2-fpm.sock /"),
        ("/2024/hello/?p=1", ("/var/www/blog/index.php",), "fastcgi unix:/run/php/php8.2-fpm.sock /2024/hello/?p=1"),
        ("/wp-login.php", ("/var/www/blog/wp-login.php",), "fastcgi unix:/run/php/php8.2-fpm.sock /wp-login.php"),
        ("/gone.php", (), "static 404"),
        ("/a.CSS", ("/var/www/blog/a.CSS",), "static 200"),
        ("/.htaccess", (), "return 403"),
    ],
)
def test_wordpress_with_php_fpm(path: str, files: tuple[str, ...], expected: str) -> None:
    made = go(site(WORDPRESS), f"http://blog.example{path}", *files)
    assert target(made) == expected
    if made.proxying is not None:
        name = "wp-login" if "login" in path else "index"
        assert dict(made.proxying.params)["SCRIPT_FILENAME"] == f"/var/www/blog/{name}.php"
        assert made.proxying.read_timeout == 300.0


def test_wordpress_without_a_look_at_the_files() -> None:
    made = route(site(WORDPRESS), NGINX, "http://blog.example/2024/hello")
    assert made is not None
    assert made.action.kind == "fastcgi"
    assert made.undecided[0] == "whether /var/www/blog/2024/hello exists"


DJANGO = """
upstream django { server unix:/run/gunicorn.sock fail_timeout=0; }
server { listen 80 default_server; return 444; }
server {
    listen 80; server_name app.example; client_max_body_size 4G; keepalive_timeout 5;
    location /static/ { alias /srv/app/static/; }
    location /media/ { alias /srv/app/media/; }
    location / { try_files $uri @proxy; }
    root /srv/app/public;
    location @proxy {
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header Host $http_host; proxy_redirect off; proxy_pass http://django;
    }
    error_page 500 502 503 504 /500.html;
    location = /500.html { root /srv/app/static; }
}
"""


def test_django_with_gunicorn() -> None:
    configuration = site(DJANGO)
    made = go(configuration, "http://app.example/admin/?next=/")
    assert target(made) == "proxy unix:/run/gunicorn.sock /admin/?next=/"
    assert made.proxying is not None
    assert made.proxying.host == "app.example"
    assert made.upstream is not None
    assert (made.upstream.name, made.upstream.servers[0].fail_timeout) == ("django", 0.0)
    assert "on 500, 502" not in " ".join(made.steps)
    assert "on 502, 503, 504 error_page leads to /500.html" in made.steps
    assert target(go(configuration, "http://app.example/static/a.css", "/srv/app/static/a.css")) == "static 200"
    assert target(go(configuration, "http://203.0.113.9.example/")) == "return 444"


NODE = """
map $http_upgrade $connection_upgrade { default upgrade; '' close; }
upstream node { least_conn; server 127.0.0.1:3000; server 127.0.0.1:3001 backup; keepalive 64; }
server { listen 80; server_name chat.example; return 301 https://$host$request_uri; }
server {
    listen 443 ssl http2; server_name chat.example;
    ssl_certificate /c.pem; ssl_certificate_key /k.pem;
    location / {
        proxy_pass http://node; proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
        proxy_set_header Host $host; proxy_read_timeout 86400;
    }
    location ~* ^/socket\\.io/ { proxy_pass http://node; proxy_http_version 1.1; proxy_set_header Connection ""; }
}
"""


def test_node_with_web_sockets() -> None:
    configuration = site(NODE)
    assert target(go(configuration, "http://chat.example/x?y")) == "return 301 https://chat.example/x?y"
    made = go(configuration, "https://chat.example/live", Upgrade="websocket")
    assert target(made) == "proxy 127.0.0.1:3000,127.0.0.1:3001 /live"
    assert made.proxying is not None
    assert made.proxying.upgrade
    assert dict(made.proxying.headers) == {"Upgrade": "websocket", "Connection": "upgrade"}
    plain = go(configuration, "https://chat.example/live").proxying
    assert plain is not None
    assert dict(plain.headers) == {"Connection": "close"}
    polling = go(configuration, "https://chat.example/socket.io/?t=1").proxying
    assert polling is not None
    assert not polling.upgrade
    assert polling.headers == ()


NEXTCLOUD = """
upstream php-handler { server unix:/run/php/php8.2-fpm.sock; }
map $arg_v $asset_immutable { "" ""; default ", immutable"; }
server {
    listen 443 ssl; listen [::]:443 ssl; server_name cloud.example; root /var/www/nextcloud;
    index index.php index.html /index.php$request_uri;
    location = / { if ( $http_user_agent ~ ^DavClnt ) { return 302 /remote.php/webdav/$is_args$args; } }
    location = /robots.txt { allow all; log_not_found off; access_log off; }
    location ^~ /.well-known {
        location = /.well-known/carddav { return 301 /remote.php/dav/; }
        location /.well-known/acme-challenge { try_files $uri $uri/ =404; }
        return 301 /index.php$request_uri;
    }
    location ~ ^/(?:build|tests|config|lib|3rdparty|templates|data)(?:$|/) { return 404; }
    location ~ ^/(?:\\.|autotest|occ|issue|indie|db_|console) { return 404; }
    location ~ \\.php(?:$|/) {
        rewrite ^/(?!index|remote|public|cron|core\\/ajax\\/update|status|ocs\\/v[12]|updater\\/.+) /index.php$request_uri;
        fastcgi_split_path_info ^(.+?\\.php)(/.*)$;
        set $path_info $fastcgi_path_info;
        try_files $fastcgi_script_name =404;
        include fastcgi.conf;
        fastcgi_param PATH_INFO $path_info;
        fastcgi_pass php-handler;
    }
    location ~ \\.(?:css|js|svg)$ { try_files $uri /index.php$request_uri; add_header Cache-Control "x$asset_immutable"; }
    location /remote { return 301 /remote.php$request_uri; }
    location / { try_files $uri $uri/ /index.php$request_uri; }
}
"""


@pytest.mark.parametrize(
    ("path", "files", "expected"),
    [
        ("/", ("/var/www/nextcloud/", "/var/www/nextcloud/index.php"), "fastcgi unix:/run/php/php8.2-fpm.sock /"),
        (
            "/apps/files/?dir=/",
            ("/var/www/nextcloud/index.php",),
            "fastcgi unix:/run/php/php8.2-fpm.sock /apps/files/?dir=/",
        ),
        (
            "/remote.php/dav/a",
            ("/var/www/nextcloud/remote.php",),
            "fastcgi unix:/run/php/php8.2-fpm.sock /remote.php/dav/a",
        ),
        ("/.well-known/carddav", (), "return 301 /remote.php/dav/"),
        ("/.well-known/webfinger?r=1", (), "return 301 /index.php/.well-known/webfinger?r=1"),
        ("/data/x", (), "return 404"),
        ("/core/a.css", ("/var/www/nextcloud/core/a.css",), "static 200"),
        ("/remote/x", (), "return 301 /remote.php/remote/x"),
    ],
)
def test_nextcloud(path: str, files: tuple[str, ...], expected: str) -> None:
    assert target(go(site(NEXTCLOUD), f"https://cloud.example{path}", *files)) == expected


def test_nextcloud_tells_the_script_and_its_path_apart() -> None:
    made = go(site(NEXTCLOUD), "https://cloud.example/remote.php/dav/a", "/var/www/nextcloud/remote.php")
    assert made.proxying is not None
    params = dict(made.proxying.params)
    assert params["SCRIPT_FILENAME"] == "/var/www/nextcloud/remote.php"
    assert params["PATH_INFO"] == "/dav/a"


API = """
map $http_accept $api_version { default v1; "~application/vnd\\.shop\\.(?<asked>v\\d+)\\+json" $asked; }
map $cookie_release $pool { default app_blue; green app_green; ~*^canary-(?<n>\\d) app_canary; }
upstream app_blue { server 10.0.0.1:8080; }
upstream app_green { server 10.0.0.2:8080; }
upstream app_canary { server 10.0.0.3:8080; }
server {
    listen 80; server_name api.example;
    location ~ ^/api/(?<version>v[12])/(?<rest>.*)$ { proxy_pass http://127.0.0.1:900${version}/$rest$is_args$args; }
    location ~ ^/(v1|v2)/ { proxy_pass http://127.0.0.1:8001; }
    location /auto/ { rewrite ^/auto/(.*)$ /$api_version/$1 last; }
    location / { proxy_pass http://$pool; }
}
"""


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/v1/a", {}, "proxy 127.0.0.1:8001 /v1/a"),
        ("/auto/a?x", {}, "proxy 127.0.0.1:8001 /v1/a?x"),
        # The pattern of the map is tried when $api_version is wanted, and takes $1 over: a trap, and what nginx does.
        ("/auto/a", {"Accept": "application/vnd.shop.v2+json"}, "proxy 127.0.0.1:8001 /v2/v2"),
        ("/", {}, "proxy 10.0.0.1:8080 /"),
        ("/", {"Cookie": "release=green"}, "proxy 10.0.0.2:8080 /"),
        ("/", {"Cookie": "a=b; release=Canary-3"}, "proxy 10.0.0.3:8080 /"),
    ],
)
def test_versions_and_blue_green(path: str, headers: dict[str, str], expected: str) -> None:
    assert target(go(site(API), f"http://api.example{path}", **headers)) == expected


def test_a_target_that_is_none_is_an_error_of_nginx() -> None:
    assert target(go(site(API), "http://api.example/api/v1/users")) == "return 500"


LUA = """
init_by_lua_block { local t = { a = "}" } }
server {
    listen 80; server_name lua.example;
    set_by_lua_block $backend { if ngx.var.arg_x then return "b" end return "a" }
    access_by_lua_block { if not ngx.var.cookie_s then ngx.exit(403) end }
    location / { proxy_pass http://127.0.0.1:8000; }
    location /dynamic { proxy_pass http://$backend; }
    location /own { content_by_lua_block { ngx.say([[ } ]]) } }
}
"""


def test_lua() -> None:
    configuration = site(LUA)
    made = go(configuration, "http://lua.example/")
    assert target(made) == "proxy 127.0.0.1:8000 /"
    place = "/etc/nginx/sites-enabled/site:6"
    assert made.steps == (f"access_by_lua_block runs code that may decide otherwise ({place})",)
    dynamic = go(configuration, "http://lua.example/dynamic")
    setter = "which set_by_lua_block sets (/etc/nginx/sites-enabled/site:5)"
    assert dynamic.undecided == (f"the target at /etc/nginx/sites-enabled/site:8 depends on $backend, {setter}",)
    assert go(configuration, "http://lua.example/own").action.kind == "undecided"


def test_line_ends_of_another_system_make_no_difference() -> None:
    one = go(site(DJANGO), "http://app.example/x")
    other = go(site(DJANGO.replace("\n", "\r\n")), "http://app.example/x")
    assert target(one) == target(other)
    assert one.action.at == other.action.at


def test_a_broken_site_does_not_hide_the_others() -> None:
    files = {"mime.types": MIME, "sites-enabled/a": "server { listen 80\n }", "sites-enabled/b": DJANGO}
    configuration = loaded(DEBIAN, **files)
    assert [problem.what for problem in configuration.problems] == ['unexpected "}"']
    made = route(configuration, NGINX, "http://app.example/x", exists=lambda _: False)
    assert made is not None
    assert target(made) == "proxy unix:/run/gunicorn.sock /x"


NAMES = ["server", "location", "if", "set", "rewrite", "return", "proxy_pass", "try_files", "map", "geo", "upstream",
         "error_page", "listen", "server_name", "root", "alias", "index", "limit_except", "internal", "break", "include",
         "split_clients", "fastcgi_pass", "fastcgi_split_path_info", "proxy_set_header", "access_log", "error_log",
         "allow", "deny", "satisfy", "auth_request", "resolver", "log_format", "proxy_ssl_name", "merge_slashes"]  # fmt: skip
WORDS = ["/", "/a/", "~", "=", "^~", "^/(.*)$", "$1", "$x", "$a", "($a)", "($a", "~*", "b)", "http://a", "http://$a/", "80",
         "443", "ssl", "default_server", "*.a.test", "~^(?<n>.*)$", "@n", "@m", "=404", "404", "302", "/b?$args", "last",
         "break", "off", "on", "default", "10.0.0.0/8", "a b", "", "-f", "!-d", "unix:/x", "http://unix:/x:/y", "$uri",
         "[::]:80", "hostnames", "volatile", "x.conf", "50%", "*", "${a}", "$", "~(", "(a+)+$", "\\"]  # fmt: skip


def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    opened = st.tuples(
        st.sampled_from(NAMES), st.lists(st.sampled_from(WORDS), max_size=3), st.lists(inner, max_size=6)
    )
    return opened.map(lambda one: " ".join([one[0], *map(_quoted, one[1])]) + " {\n" + "\n".join(one[2]) + "\n}")


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\") + '"'


LINES = st.tuples(st.sampled_from(NAMES), st.lists(st.sampled_from(WORDS), max_size=4)).map(
    lambda one: " ".join([one[0], *map(_quoted, one[1])]) + ";"
)
URLS = ["http://a.test/", "http://a.test/a/b?x=1", "https://b.a.test/a", "http://[::1]/b", "http://a.test/%2e%2e/x"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.recursive(LINES, blocks, max_leaves=30), max_size=8), st.sampled_from(URLS))
def test_nonsense_is_routed_somewhere_or_nowhere(servers: list[str], url: str) -> None:
    body = "\n".join(servers)
    text = f"events {{}} http {{ {body}\nserver {{ listen 80; listen 443 ssl; {body} }} }}"
    configuration = loaded(text, **{"x.conf": "a b;"})
    made = route(configuration, NGINX, url)
    assert made is None or made.action.kind != "undecided" or made.undecided
    samples = routes_of(configuration, NGINX)
    assert all(sample.url or sample.reason for sample in samples)
    upstreams = [sample.route.upstream for sample in samples if sample.route is not None]
    routed_to = {server.address for one in upstreams if one is not None for server in one.servers}
    assert routed_to <= addresses_of(configuration, NGINX)


def test_questions_that_multiply_end_undecided() -> None:
    conditions = "".join(f"if (-f /f{n}) {{ set $p {n}; }}" for n in range(12))
    text = f"events {{}} http {{ server {{ listen 80; set $p x; location / {{ {conditions} proxy_pass http://127.0.0.1:80$p; }} }} }}"
    asked: list[str] = []
    made = route(loaded(text), NGINX, "http://a/", exists=asked.append)
    assert made is not None
    assert made.action.kind == "undecided"
    assert "there are more possibilities than were tried" in made.undecided
    assert len(asked) <= MAX_WALKS * 12


def test_values_that_grow_end_undecided() -> None:
    doubling = "set $v $v$v;" * 40
    text = f"events {{}} http {{ server {{ listen 80; location / {{ set $v x; {doubling} proxy_pass http://$v; }} }} }}"
    made = route(loaded(text), NGINX, "http://a/")
    assert made is not None
    assert "grows without end" in made.undecided[0]
    circle = "events {} http { map $a $b { default $b; } server { listen 80; location / { proxy_pass http://$b; } } }"
    made = route(loaded(circle), NGINX, "http://a/")
    assert made is not None
    assert "depends on itself" in made.undecided[0]
