"""Random nginx configurations and the requests to try on them, from a seed.

Each case has ports of its own, so that one nginx runs many. Every target is an echo server on a port of its own, so
that what was chosen can be seen from outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

ECHO_PORTS = range(9000, 9060)
FILES = (
    "index.html",
    "a/index.html",
    "a/b.html",
    "a/x.php",
    "img/p.png",
    "only/here.txt",
    "50x.html",
    "b.html",
    "q q.txt",
)
DIRS = ("a", "img", "only", "empty", "a/b")

_SEGMENTS = (
    "a", "b", "ab", "api", "img", "x.php", "a.php", "p.png", "P.PNG", "v1", "42", "only", "empty", "q%20q.txt", "%61",
    "a+b", "a;b", "~u", "b.html", "index.html", "@n1", "%e4", "a%2Fb", "%3F", "%25", "..", ".", "%2e%2e",
)  # fmt: skip
_PREFIXES = (
    "/", "/a", "/a/", "/ab", "/a/b", "/a/b/", "/api", "/api/", "/api/v1/", "/img/", "/b", "/x.php", "/only/", "/v1/",
    "/a+b", "/~u", "/42",
)  # fmt: skip
_REGEXES = (
    r"\.php$", r"\.(png|html)$", r"^/a/(.*)$", r"^/(?<seg>[^/]+)/(\d+)$", r"^/b", r"/$", r"^/api/(v\d+)/",
    r"^/(a|ab)(/|$)", r"^/(?<rest>.*)$", r"\.PHP$", r"^/x[.]php", r"^(/.+\.php)(/.*)?$", r"[[:digit:]]+$",
    r"(?i)\.png$", r"^/\w+/\w+$", r"^/(?>a+)b", r"\x61\Q.p\Ehp$", r"^/a(?=/b)", r"^/([^/]*+)/(?<seg>.)",
)  # fmt: skip
_NAMES = (
    "a.test", "b.test", "*.a.test", ".b.test", "www.*", "mail.a.*", r"~^(?<sub>\w+)\.re\.test$", r"~^v(\d+)\.test$",
    "_", "A.c.Test", "*.x.a.test", '""', r"~\.org$", "c.test.", "[::1]", "127.0.0.1", r"~^(WWW)\.",
)  # fmt: skip
_HOSTS = (
    "a.test", "A.TEST", "x.a.test", "y.x.a.test", "b.test", "z.b.test", "www.foo", "www.foo.org", "foo.re.test",
    "v12.test", "a.test.", "a.test:8080", "nowhere", "[::1]", "127.0.0.1", "a.c.test", "mail.a.org", "c.test", "a..test",
    "x/y", "mail.a.test", ".a.test", "[::1]:99", "foo.org",
)  # fmt: skip
_HEADERS = (
    ("Cookie", "v=blue; w=2"), ("X-Env", "prod"), ("X-Env", "Green"), ("User-Agent", "Mobile x"), ("X-Id", "a/b"),
    ("X-Forwarded-For", "10.9.9.9, 127.0.0.2"), ("Authorization", "Basic am9lOng="),
)  # fmt: skip
_ARGS = ("", "", "", "?", "?x=1", "?x=2&y=a%20b", "?X=9", "?a=b?c", "?to=b", "?nox=1&x=3", "?x")
_VALUES = (
    "uri", "args", "is_args", "host", "http_host", "request_uri", "document_root", "request_filename", "arg_x", "arg_to",
    "cookie_v", "cookie_W", "1", "2", "seg", "rest", "sub", "scheme", "server_name", "server_port", "server_addr",
    "remote_addr", "query_string", "request_method", "http_x_env", "proxy_add_x_forwarded_for", "https", "remote_user",
    "document_uri", "request", "server_protocol", "http_x_forwarded_for", "http_none",
    "near{n}", "byhost{n}", "byarg{n}", "env{n}", "span{n}", "far{n}", "both{n}", "s{n}", "z{n}",
)  # fmt: skip


@dataclass(frozen=True)
class Ask:
    """One request of a case: where it goes and what is sent."""

    address: str
    port: int
    tls: bool
    name: str  # the host of the URL: what the TLS handshake names
    host: str  # the Host header
    target: str
    method: str
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Case:
    """The text of one case (inside `http`), and the requests to try on it."""

    number: int
    text: str
    asks: tuple[Ask, ...]


class Generator:
    """Writes one case."""

    def __init__(self, number: int, root: str) -> None:
        self.random = Random(number)
        self.number = number
        self.root = root
        self.port = 10000 + 4 * number
        self.upstreams = self.random.sample(ECHO_PORTS, 4)

    def case(self) -> Case:
        """The case that belongs to the number."""
        servers = [self._server(index) for index in range(self.random.randint(1, 4))]
        # Some variable names have to be known wherever they are used.
        n = self.number
        known = (
            f"server {{ listen unix:/run/known{n}.sock; set $z{n} ''; set $s{n} '';"
            r" server_name ~^(?<seg>x)(?<rest>y)(?<sub>z)(?<col>c)$; }"
        )
        text = "\n".join([known, *self._tables(), f"upstream grp{n} {{ server 127.0.0.1:{self._echo()}; }}", *servers])
        return Case(n, text, tuple(self._ask() for _ in range(24)))

    def _any(self, *options: str) -> str:
        return self.random.choice(options)

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _echo(self) -> int:
        return self.random.choice(self.upstreams)

    def _ask(self) -> Ask:
        pick = self.random
        segments = [pick.choice(_SEGMENTS) for _ in range(pick.choice((0, 1, 1, 2, 2, 3)))]
        path = "/" + self._any("/", "//", "/").join(segments) + self._any("", "", "/")
        if self._chance(0.4):
            path = pick.choice(_PREFIXES) + self._any("", "", "/", "b", "x.php", "/v1/42")
        path = path[1:] if path.startswith("//") else path
        tls = self._chance(0.2)
        port = self.port + (1 if tls else pick.choice((0, 0, 0, 0, 2, 3)))
        if self._chance(0.02):
            port = self.port + 1
        host = pick.choice(_HOSTS)
        same = host.replace(".", "").isalnum() and ".." not in host and not self._chance(0.2)
        return Ask(
            address=self._any("127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.2", "::1"),
            port=port,
            tls=tls,
            name=host
            if same and not host.startswith(".") and host[-1] not in ".1"
            else self._any("x.a.test", "url.test"),
            host=host,
            target=path + pick.choice(_ARGS),
            method=self._any(*("GET",) * 8, "POST", "HEAD", "PUT"),
            headers=tuple(one for one in _HEADERS if self._chance(0.2)),
        )

    def _tables(self) -> list[str]:
        n = self.number
        echoes = [str(self._echo()) for _ in range(3)]
        return [
            f"map $http_x_env $env{n} {{ default {echoes[0]}; prod {echoes[1]}; ~*^gr(?<col>\\w+) {echoes[2]}; }}",
            f"map $host $byhost{n} {{ hostnames; default d; *.a.test wild; .b.test dot; a.* tail; ~^(v)(\\d+) re$2; }}",
            f"map $arg_x $byarg{n} {{ {self._any('volatile;', '')} default ''; 1 one; \\~2 x; '' none; 2 $uri; }}",
            f"map $byhost{n}:$near{n} $both{n} {{ default $near{n}; d:near DN; ~^(?<col>.*):far$ $col; 'WILD:two' w; }}",
            f"geo $near{n} {{ default far; 127.0.0.0/8 near; 127.0.0.2/32 two; ::1/128 six; }}",
            f"geo $arg_x $far{n} {{ default none; 127.0.0.1 one; 0.0.0.0/8 zero; }}",
            f"geo $span{n} {{ ranges; default none; 127.0.0.0-127.0.0.1 low; 127.0.0.2-127.255.255.255 high; }}",
        ]

    def _server(self, index: int) -> str:
        p = self.port
        listen = self._any(
            *(f"listen {p};",) * 4, f"listen 127.0.0.2:{p};", f"listen 127.0.0.1:{p}; listen [::1]:{p};",
            f"listen *:{p}; listen [::]:{p};", f"listen {p + 2}-{p + 3};", f"listen {p + 1} ssl;",
            f"listen [::]:{p + 1} ssl; listen {p};",
        )  # fmt: skip
        if index == 0:
            listen = f"listen {p}; listen [::]:{p}; listen {p + 1} ssl; listen {p + 3}; listen [::1]:{p + 1} ssl;"
        elif index == 1 and self._chance(0.5):
            listen = f"listen {p} default_server; listen {p + 1} ssl default_server;"
        names = self.random.sample(_NAMES, self.random.randint(0, 3))
        lines = [f"server {{ {listen}", f"server_name {' '.join(names)};" if names else "", f"root {self.root};"]
        lines.append("merge_slashes off;" if self._chance(0.2) else "")
        lines.append("recursive_error_pages on;" if self._chance(0.2) else "")
        lines.append("ssl_reject_handshake on;" if self._chance(0.04) else "")
        lines.append("proxy_set_header X-A server-$uri;" if self._chance(0.2) else "")
        if self._chance(0.4):
            codes = self._any("404", "403 404", "405", "500", "404 410", "400", "497 404")
            lines.append(f"error_page {codes} {self._error_to()};")
        lines += [self._rewrite_line() for _ in range(self.random.choice((0, 0, 1, 2)))]
        taken: set[str] = set()
        lines += [self._location("", taken, depth=0) for _ in range(self.random.randint(1, 6))]
        lines.append(f"location @n1 {{ {self._action(named=True)} }}")
        lines.append(f"location @n2 {{ {self._rewrite_line()} {self._action(named=True)} }}")
        return "\n".join([*filter(None, lines), "}"])

    def _error_to(self) -> str:
        return self._any(
            "/50x.html", "@n1", "=200 /a/b.html", "= @n2", "=301 http://e.test/", "/api/v1/err", "@none", "/$seg",
            "=202 @n1", "http://e.test$uri", "/b?$args",
        )  # fmt: skip

    def _location(self, outer: str, taken: set[str], depth: int, *, regex: bool = False) -> str:
        pick = self.random
        if regex or self._chance(0.35):
            body = self._body(regex=True, depth=depth, taken=set(), name="")
            return f'location {self._any("~", "~*")} "{pick.choice(_REGEXES)}" {{ {body} }}'
        mark, name = (
            self._any("", "", "", "= ", "^~ "),
            pick.choice([one for one in _PREFIXES if one.startswith(outer)]),
        )
        key = ("=" if mark == "= " else "") + name
        if key in taken:
            return ""
        taken.add(key)
        inner = self._body(regex=False, depth=depth, taken=set(), name=name, exact=mark == "= ")
        return f"location {mark}{name} {{ {inner} }}"

    def _body(self, *, regex: bool, depth: int, taken: set[str], name: str, exact: bool = False) -> str:
        lines = []
        if self._chance(0.08):
            lines.append("internal;")
        if self._chance(0.1):
            lines.append(f"error_page {self._any('404', '403', '405')} {self._error_to()};")
        lines += [self._rewrite_line() for _ in range(self.random.choice((0, 0, 0, 1, 2)))]
        if self._chance(0.15):
            lines.append(f"if ({self._condition()}) {{ {self._if_body()} }}")
        if self._chance(0.06):
            inside = self._any("deny all;", "deny 127.0.0.2;", self._pass(plain=True, proxy=True))
            lines.append(f"limit_except {self._any('GET', 'POST')} {{ {inside} }}")
        if self._chance(0.08):
            lines.append(self._any(
                "deny all;", "allow 127.0.0.1; deny all;", "deny 127.0.0.2;", "allow ::1; deny all; satisfy all;",
                "satisfy any; deny all;", "satisfy any; allow 127.0.0.1; deny all;", "allow all; deny all;",
                "deny ::1; deny 127.0.0.0/31;",
            ))  # fmt: skip
        lines.append(self._action(named=False, regex=regex, name=name))
        if depth < 2 and not exact and self._chance(0.3):
            for _ in range(self.random.randint(1, 2)):
                lines.append(self._location(name, taken, depth + 1, regex=regex))
        return " ".join(filter(None, lines))

    def _if_body(self) -> str:
        n = self.number
        return self._any(
            self._pass(plain=True), self._pass(plain=True), f"set $z{n} {self._echo()};", "return 403;", "break;",
            "rewrite ^ /api/v1/x last;", "return 204;", f"rewrite ^/(.)(.*)$ /b$2 break; {self._pass(plain=True)}",
            f"set $s{n} $1-$2;",
        )  # fmt: skip

    def _action(self, *, named: bool, regex: bool = False, name: str = "") -> str:
        plain = named or regex
        roll = self.random.random()
        if roll < 0.5:
            return self._pass(plain=plain)
        if roll < 0.6:
            return f"return {self._returned()};"
        if roll < 0.67:
            shown = "|".join(f"${{{one}}}" if not one.isdigit() else f"${one}" for one in self._values())
            return f'return 200 "{shown}";'
        if roll < 0.8:
            last = self._any(
                "@n1", "@n2", "=404", "/index.html", "/api/v1/?u=$uri", "/a/b.html", "=410", "/b$uri", "@none",
                "/x.php$is_args$args",
            )  # fmt: skip
            files = self.random.sample(("$uri", "$uri/", "/only/here.txt", "$uri.html", "/nothing", "/a/"), 2)
            return f"try_files {' '.join(files)} {last};" + (self._pass(plain=True) if self._chance(0.3) else "")
        if roll < 0.86 and not named:
            folder = self._any("a", "only", "img", "")
            return f"alias {self.root}/{folder}{'/$1' if regex else '/' if name.endswith('/') else ''};"
        if roll < 0.92:
            index = self._any(
                "index.html", "nothing.html b.html", "/api/v1/index", "index.html /b.html", "$arg_x.html b.html"
            )
            return f"index {index}; autoindex {self._any('on', 'off')};"
        return ""

    def _values(self) -> list[str]:
        return [one.format(n=self.number) for one in self.random.sample(_VALUES, 12)]

    def _returned(self) -> str:
        return self._any(
            "200 ok", "404", "403", "301 /a/$1", "302 http://e.test$request_uri", "410", "418 teapot", "http://e.test/",
            "444", "500", "503", "308 $scheme://$host$uri", "204", "404 ''",
        )  # fmt: skip

    def _pass(self, *, plain: bool, proxy: bool = False) -> str:
        n = self.number
        if not proxy and self._chance(0.08):
            kind = self._any("fastcgi", "uwsgi", "scgi", "grpc")
            return f"{kind}_pass {self._any(f'127.0.0.1:{self._echo()}', f'grp{n}', f'127.0.0.1:$env{n}')};"
        if self._chance(0.2):
            variable = self._any(
                f"http://127.0.0.1:$env{n}", f"http://127.0.0.1:{self._echo()}/$byhost{n}/$1",
                f"http://grp{n}$request_uri", f"http://127.0.0.1:{self._echo()}$uri$is_args$args",
                f"http://grp{n}/$byarg{n}$near{n}", "http://127.0.0.1:$http_x_none", f"http://GRP{n}/$both{n}?$span{n}",
            )  # fmt: skip
            return f"proxy_pass {variable};"
        base = self._any(
            f"http://127.0.0.1:{self._echo()}",
            f"http://grp{n}",
            f"http://unix:/run/echo{self.random.randint(0, 3)}.sock",
        )
        if plain:
            return f"proxy_pass {base};"
        uri = self._any("", "", "/", "/new", "/new/", "/n?z=1", "?z=2")
        header = self._any(
            "", "", "proxy_set_header Host $host;", "proxy_set_header Host $http_host;", "proxy_set_header X-A b-$1;"
        )
        uri = "" if "unix:" in base and uri.startswith("?") else uri
        return f"proxy_pass {base}{':' if 'unix:' in base and uri else ''}{uri};{header}"

    def _condition(self) -> str:
        n = self.number
        return self._any(
            "$request_method = POST", "$arg_x", "$arg_x = 1", "$http_x_env != prod", "$http_user_agent ~* mobile",
            '$uri ~ "^/a/(.*)$"', "$host !~ ^a", f"-f {self.root}$uri", f"!-d {self.root}$uri", "-e $request_filename",
            "$cookie_v ~ bl(.)e", "$http_x_id", f"$near{n} = two", '$args = ""', "!-f $document_root/b.html",
            f"$byhost{n} ~ ^re(\\d)", "$query_string !~* X", "$scheme = http", f"$z{n}", "$is_args != '?'",
            f"$s{n} ~ (.)$", "$uri = $request_uri", f"$both{n} = DN",
        )  # fmt: skip

    def _rewrite_line(self) -> str:
        n = self.number
        return self._any(
            r"rewrite ^/a/(.*)$ /api/$1 last;", r"rewrite ^/api/(.*)$ /b/$1;", r"rewrite ^/(.*)\.php$ /$1?p=$1 break;",
            r"rewrite ^/v(\d+)/(.*)$ /$2?v=$1? last;", r"rewrite ^/old /new redirect;", r"rewrite ^/b(.*)$ http://e.test$1;",
            r"rewrite ^/42$ /x.php permanent;", r"rewrite ^(/[^/]+)/(.*)$ $1-$2 break;", r"rewrite ^/ab$ /a?;",
            f"set $s{n} $1;", f"set $s{n} /pre$uri;", r"rewrite ^/img/(.*)$ /img/$1 last;", "break;",
            f"if ({self._condition()}) {{ return {self._any('403', '503', '301 /moved', '204')}; }}",
            f"if ({self._condition()}) {{ rewrite ^/(.*)$ /q/$1 {self._any('last', 'break')}; }}",
            f"if ({self._condition()}) {{ set $s{n} if; break; }}", "set $args y=2;", f"set $z{n} $arg_x;",
            r'rewrite "^/(.{1,2})/" /two/$1/$host;', r"rewrite ^/~u(.*)$ $scheme://$host/u$1 permanent;",
            f"set $s{n} $both{n}$1;", r"rewrite ^/(?<seg>ab?)/ /$seg;", r"rewrite ^(.*)/only(.*)$ $2?$1;",
        )  # fmt: skip
