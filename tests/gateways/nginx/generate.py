"""Random nginx configurations and the requests to try on them, from a seed.

Each case has a port of its own, so that one nginx runs many. Every target is an echo server on a port of its own, so
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

_SEGMENTS = ("a", "b", "ab", "api", "img", "x.php", "a.php", "p.png", "P.PNG", "v1", "42", "only", "empty", "q%20q.txt",
             "%61", "a+b", "a;b", "~u", "b.html", "index.html", "@n1", "%e4", "a%2Fb", "%3F", "%25", "..", ".", "%2e%2e")  # fmt: skip
_PREFIXES = ("/", "/a", "/a/", "/ab", "/a/b", "/a/b/", "/api", "/api/", "/api/v1/", "/img/", "/b", "/x.php", "/only/", "/v1/",
             "/a+b", "/~u", "/42")  # fmt: skip
_REGEXES = (
    r"\.php$", r"\.(png|html)$", r"^/a/(.*)$", r"^/(?<seg>[^/]+)/(\d+)$", r"^/b", r"/$", r"^/api/(v\d+)/", r"^/(a|ab)(/|$)",
    r"^/(?<rest>.*)$", r"\.PHP$", r"^/x[.]php", r"^(/.+\.php)(/.*)?$", r"[[:digit:]]+$", r"(?i)\.png$", r"^/\w+/\w+$",
)  # fmt: skip
_NAMES = ("a.test", "b.test", "*.a.test", ".b.test", "www.*", "mail.a.*", r"~^(?<sub>\w+)\.re\.test$", r"~^v(\d+)\.test$",
          "_", "A.c.Test", "*.x.a.test", '""', r"~\.org$", "c.test.", "[::1]", "127.0.0.1")  # fmt: skip
HOSTS = ("a.test", "A.TEST", "x.a.test", "y.x.a.test", "b.test", "z.b.test", "www.foo", "www.foo.org", "foo.re.test", "v12.test",
         "a.test.", "a.test:8080", "nowhere", "[::1]", "127.0.0.1", "a.c.test", "mail.a.org", "c.test", "a..test", "x/y",
         "mail.a.test", ".a.test", "[::1]:99", "foo.org")  # fmt: skip
_HEADERS = (
    ("Cookie", "v=blue; w=2"),
    ("X-Env", "prod"),
    ("X-Env", "Green"),
    ("User-Agent", "Mobile x"),
    ("X-Id", "a/b"),
)
_ARGS = ("", "", "", "?", "?x=1", "?x=2&y=a%20b", "?X=9", "?a=b?c", "?to=b")


@dataclass(frozen=True)
class Ask:
    """One request of a case: where it goes and what is sent."""

    address: str
    port: int
    tls: bool
    host: str
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
        self.port = 10000 + number
        self.upstreams = self.random.sample(ECHO_PORTS, 4)

    def case(self) -> Case:
        pick = self.random
        servers = [self._server(index) for index in range(pick.randint(1, 4))]
        # Some variable names have to be known wherever they are used.
        known = (
            f"server {{ listen unix:/run/known{self.number}.sock; set $z{self.number} ''; set $s{self.number} '';"
            r" server_name ~^(?<seg>x)(?<rest>y)(?<sub>z)(?<col>c)$; }"
        )
        text = "\n".join([known, *self._tables(), *self._groups(), *servers])
        return Case(self.number, text, tuple(self._ask() for _ in range(24)))

    def _ask(self) -> Ask:
        pick = self.random
        segments = [pick.choice(_SEGMENTS) for _ in range(pick.choice((0, 1, 1, 2, 2, 3)))]
        path = "/" + pick.choice(("/", "//", "/")).join(segments) + pick.choice(("", "", "/"))
        if pick.random() < 0.4:
            path = pick.choice(_PREFIXES) + pick.choice(("", "", "/", "b", "x.php", "/v1/42"))
        if path.startswith("//"):
            path = path[1:]
        headers = tuple(one for one in _HEADERS if pick.random() < 0.2)
        method = pick.choice(("GET",) * 8 + ("POST", "HEAD"))
        address = pick.choice(("127.0.0.1",) * 4 + ("127.0.0.2", "::1"))
        return Ask(address, self.port, False, pick.choice(HOSTS), path + pick.choice(_ARGS), method, headers)

    def _tables(self) -> list[str]:
        n, pick = self.number, self.random
        return [
            f"map $http_x_env $env{n} {{ default {self._echo()}; prod {self._echo()}; ~*^gr(?<col>\\w+) {self._echo()}; }}",
            f"map $host $byhost{n} {{ hostnames; default d; *.a.test wild; .b.test dot; a.* tail; ~^(v)(\\d+) re$2; }}",
            f"map $arg_x $byarg{n} {{ {pick.choice(('volatile;', ''))} default ''; 1 one; \\~2 x; '' none; 2 $uri; }}",
            f"geo $near{n} {{ default far; 127.0.0.0/8 near; 127.0.0.2/32 two; ::1/128 six; }}",
        ]

    def _echo(self) -> int:
        return self.random.choice(self.upstreams)

    def _groups(self) -> list[str]:
        return [f"upstream grp{self.number} {{ server 127.0.0.1:{self._echo()}; }}"]

    def _server(self, index: int) -> str:
        pick = self.random
        listen = pick.choice((f"listen {self.port};",) * 4 + (
            f"listen 127.0.0.2:{self.port};", f"listen 127.0.0.1:{self.port}; listen [::1]:{self.port};",
            f"listen *:{self.port}; listen [::]:{self.port};"))  # fmt: skip
        if index == 0:
            listen = f"listen {self.port}; listen [::]:{self.port};"
        elif index == 1 and pick.random() < 0.5:
            listen = f"listen {self.port} default_server;"
        names = pick.sample(_NAMES, pick.randint(0, 3))
        lines = [f"server {{ {listen}"]
        lines += [f"server_name {' '.join(names)};"] if names else []
        lines += [f"root {self.root};"]
        lines += ["merge_slashes off;"] if pick.random() < 0.2 else []
        lines += ["recursive_error_pages on;"] if pick.random() < 0.2 else []
        lines += (
            [f"error_page {pick.choice(('404', '403 404', '405', '500', '404 410'))} {self._error_to()};"]
            if pick.random() < 0.4
            else []
        )
        for _ in range(pick.choice((0, 0, 1, 2))):
            lines.append(self._rewrite_line(in_server=True))
        taken: set[str] = set()
        for _ in range(pick.randint(1, 6)):
            lines.append(self._location("", taken, depth=0))
        lines.append(f"location @n1 {{ {self._action(named=True)} }}")
        lines.append(f"location @n2 {{ {self._rewrite_line()} {self._action(named=True)} }}")
        return "\n".join([*filter(None, lines), "}"])

    def _error_to(self) -> str:
        pick = self.random
        return pick.choice(("/50x.html", "@n1", "=200 /a/b.html", "= @n2", "=301 http://e.test/", "/api/v1/err", "@none", "/$seg",
                            "=202 @n1", "http://e.test$uri"))  # fmt: skip

    def _location(self, outer: str, taken: set[str], depth: int, *, regex: bool = False) -> str:
        pick = self.random
        if regex or pick.random() < 0.35:
            pattern = pick.choice(_REGEXES)
            head = f'location {pick.choice(("~", "~*"))} "{pattern}"'
            return f"{head} {{ {self._body(regex=True, depth=depth, taken=set(), name='')} }}"
        candidates = [one for one in _PREFIXES if one.startswith(outer)]
        mark, name = pick.choice(("", "", "", "= ", "^~ ")), pick.choice(candidates)
        key = ("=" if mark == "= " else "") + name
        if key in taken:
            return ""
        taken.add(key)
        inner = self._body(regex=False, depth=depth, taken=set(), name="" if mark == "= " else name)
        return f"location {mark}{name} {{ {inner} }}"

    def _body(self, *, regex: bool, depth: int, taken: set[str], name: str) -> str:
        pick = self.random
        lines = []
        if pick.random() < 0.08:
            lines.append("internal;")
        if pick.random() < 0.1:
            lines.append(f"error_page {pick.choice(('404', '403', '405'))} {self._error_to()};")
        for _ in range(pick.choice((0, 0, 0, 1, 2))):
            lines.append(self._rewrite_line())
        if pick.random() < 0.15:
            lines.append(f"if ({self._condition()}) {{ {self._if_body()} }}")
        if pick.random() < 0.06:
            lines.append(
                f"limit_except {pick.choice(('GET', 'POST'))} {{ {pick.choice(('deny all;', self._pass(plain=True)))} }}"
            )
        if pick.random() < 0.06:
            lines.append(
                pick.choice(
                    ("deny all;", "allow 127.0.0.1; deny all;", "deny 127.0.0.2;", "allow ::1; deny all; satisfy all;")
                )
            )
        lines.append(self._action(named=False, regex=regex, name=name))
        if depth < 2 and (name or regex) and pick.random() < 0.3:
            for _ in range(pick.randint(1, 2)):
                lines.append(self._location(name, taken, depth + 1, regex=regex))
        return " ".join(filter(None, lines))

    def _if_body(self) -> str:
        pick = self.random
        return pick.choice((self._pass(plain=True), self._pass(plain=True), f"set $z{self.number} {self._echo()};", "return 403;",
                            "break;", "rewrite ^ /api/v1/x last;", "return 204;", f"rewrite ^/(.)(.*)$ /b$2 break; {self._pass(plain=True)}"))  # fmt: skip

    def _action(self, *, named: bool, regex: bool = False, name: str = "") -> str:
        pick = self.random
        roll = pick.random()
        if roll < 0.55:
            return self._pass(plain=named or regex)
        if roll < 0.65:
            return f"return {pick.choice(('200 ok', '404', '403', '301 /a/$1', '302 http://e.test$request_uri', '410', '418 teapot', 'http://e.test/', '444', '500', '503'))};"
        if roll < 0.8:
            last = pick.choice(
                (
                    "@n1",
                    "@n2",
                    "=404",
                    "/index.html",
                    "/api/v1/?u=$uri",
                    "/a/b.html",
                    "=410",
                    "/b$uri",
                    "@none",
                    "/x.php$is_args$args",
                )
            )
            files = pick.sample(("$uri", "$uri/", "/only/here.txt", "$uri.html", "/nothing", "/a/"), pick.randint(1, 2))
            return f"try_files {' '.join(files)} {last};" + (self._pass(plain=True) if pick.random() < 0.3 else "")
        if roll < 0.86 and not named:
            folder = pick.choice(("a", "only", "img", ""))
            if regex:
                return f"alias {self.root}/{folder}/$1;"
            return f"alias {self.root}/{folder}{'/' if name.endswith('/') else ''};"
        if roll < 0.92:
            return f"index {pick.choice(('index.html', 'nothing.html b.html', '/api/v1/index', 'index.html /b.html'))}; autoindex {pick.choice(('on', 'off'))};"
        return ""

    def _pass(self, *, plain: bool) -> str:
        pick, n = self.random, self.number
        variable = (f"http://127.0.0.1:$env{n}", f"http://127.0.0.1:{self._echo()}/$byhost{n}/$1", f"http://grp{n}$request_uri",
                    f"http://127.0.0.1:{self._echo()}$uri$is_args$args", f"http://grp{n}/$byarg{n}$near{n}",
                    f"http://127.0.0.1:$http_x_none")  # fmt: skip
        if pick.random() < 0.2:
            return f"proxy_pass {pick.choice(variable)};"
        base = pick.choice(
            (
                f"http://127.0.0.1:{self._echo()}",
                f"http://grp{n}",
                f"http://unix:/run/echo{self.random.randint(0, 3)}.sock",
            )
        )
        if plain:
            return f"proxy_pass {base};"
        uri = pick.choice(("", "", "/", "/new", "/new/", "/n?z=1"))
        return f"proxy_pass {base}{':' if 'unix:' in base and uri else ''}{uri};" + pick.choice(
            ("", "", f"proxy_set_header Host $host;", "proxy_set_header Host $http_host;", "proxy_set_header X-A b;")
        )

    def _condition(self) -> str:
        pick = self.random
        return pick.choice(('$request_method = POST', '$arg_x', '$arg_x = 1', '$http_x_env != prod', '$http_user_agent ~* mobile',
                            '$uri ~ "^/a/(.*)$"', '$host !~ ^a', f'-f {self.root}$uri', f'!-d {self.root}$uri', f'-e $request_filename',
                            '$cookie_v ~ bl(.)e', '$http_x_id', f'$near{self.number} = two', '$args = ""', f'!-f $document_root/b.html',
                            f'$byhost{self.number} ~ ^re(\\d)', '$query_string !~* X', '$scheme = http', f'$z{self.number}'))  # fmt: skip

    def _rewrite_line(self, *, in_server: bool = False) -> str:
        pick = self.random
        return pick.choice((
            r"rewrite ^/a/(.*)$ /api/$1 last;", r"rewrite ^/api/(.*)$ /b/$1;", r"rewrite ^/(.*)\.php$ /$1?p=$1 break;",
            r"rewrite ^/v(\d+)/(.*)$ /$2?v=$1? last;", r"rewrite ^/old /new redirect;", r"rewrite ^/b(.*)$ http://e.test$1;",
            r"rewrite ^/42$ /x.php permanent;", r"rewrite ^(/[^/]+)/(.*)$ $1-$2 break;", r"rewrite ^/ab$ /a?;",
            f"set $s{self.number} $1;", f"set $s{self.number} /pre$uri;", r"rewrite ^/img/(.*)$ /img/$1 last;", "break;",
            f"if ({self._condition()}) {{ return {pick.choice(('403', '503', '301 /moved', '204'))}; }}",
            f"if ({self._condition()}) {{ rewrite ^/(.*)$ /q/$1 {pick.choice(('last', 'break'))}; }}",
            f"if ({self._condition()}) {{ set $s{self.number} if; break; }}", "set $args y=2;", f"set $z{self.number} $arg_x;",
            r'rewrite "^/(.{1,2})/" /two/$1/$host;', r"rewrite ^/~u(.*)$ $scheme://$host/u$1 permanent;",
        ))  # fmt: skip
