"""What `generate.py` leaves out: forms that few configurations have, and that are easily read wrongly.

The same cases with an uncommon vocabulary mixed in, written down in uncommon ways: quoted, split over lines, with
comments and the line ends of another system. In the vocabulary, `<n>` stands for the number of the case, `<root>` for
its files, and `<echo>` for the port of one of its targets.
"""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

from tests.gateways.nginx.generate import Ask, Case, Generator
from wizard.gateways.nginx.syntax import parse
from wizard.gateways.nginx.tree import Directive

_NAMES = (
    "*.test", ".test", "a.*", r'"~^\w{1,2}\.test$"', r"~^(.+)\.cap\.test$", r"~^(?<Sub>[^.]+)\.(?<rest>.+)$", "x.a.test",
    "*.b.test", "www.a.*", "_a.test", "*.X.a.Test", r"~^(?i)MAIL\.", "~.", "foo.org", ".foo", "*.org",
)  # fmt: skip
_LOCATIONS = (
    "=/ab", "^~/img", '"/q q.txt"', "/A/", "/a/b/c", "/api/v1", "= /a/", "= /api/", "^~ /a/b", "/~u", '"/a;b"', "/..",
    "= /index.html", "/%", "= /42/", '"/a b/"', "^~ /only/",
)  # fmt: skip
_PATTERNS = (
    r"~\.php$", r"~*\.PNG$", '~ "^/.{2,3}$"', "~* ^/(?:API|V1)/", "~ ^/(?<Seg>[^/]+)/", "~ ^/a//b", "~ %", "~ ' '",
    "~ (.*)/(.*)$", r'"~ ^/x"', "~* /(a|only)$", r"~ \.html$", r"~ ^/a/.\.html$", r'~ "[^\x00-\x7f]"',
)  # fmt: skip
_TARGETS = (
    "//", "/a//b", "//a/b", "/a/.", "/a/..", "/a/./b/", "/%2e%2e/a", "/a/%2e", "/a%00", "/%", "/%4", "/%zz/", "/a/../../b",
    "/A/", "/a/b/c", "/api", "/api/v1", "/img", "/42/", "/q%20q.txt", "/a%2fb", "/%2f%2fa", "/x.php/info", "/a/x.php",
    "/a?", "/a??", "/a?x=1?y=2", "/a?x=%zz", "/%41", "/a%3Fb", "/a%23b", "/a/b.html/", "/only", "/only/", "/empty/",
    "/a/b/", "/img/p.png", "/index.html", "/50x.html", "/ab/..%2f..", "/a;b", "/a/...", "/a/b..", "/.a/b", "/a/..b",
    "/new/x?x=1&x=2", "/a%2Bb+c", "/%25zz", "/%c3%a4", "/a\\b", "/*", "/v1/42", "/api/v1/x.php?to=c", "/-",
)  # fmt: skip
_TABLES = (
    r"map $uri $Step<n> { default ''; ~*^/(?<Top<n>>[a-z]+)/ $top<n>; /a one; ~^/(.)(.)$ $2$1; \default d; }",
    "map '$arg_x|$http_x_env' $pair<n> { hostnames; 1|prod p; .b q; '2|' r; default $args; }",
    "geo $http_x_forwarded_for $geo<n> { default d; 10.0.0.0/8 ten; 10.9.0.0/16 nine; delete 10.0.0.0/8; }",
    "geo $via<n> { default d; proxy 127.0.0.0/8; proxy ::1; <recursive> 10.0.0.0/8 ten; 127.0.0.2 two; }",
    "geo $remote_addr $lap<n> { ranges; default d; 127.0.0.0-127.0.0.255 all; 127.0.0.2-127.0.0.2 two; }",
    "split_clients $arg_x$uri $part<n> { 10% a; 33.3% b; 0.5% c; <last>; }",
    "server { listen unix:/run/odd<n>.sock; set $Mix<n> ''; set $up<n> ''; server_name ~(?<Seg>x)(?<Top<n>>y); }",
    "upstream odd<n> { server 127.0.0.1:<echo> weight=3 max_fails=0; server 127.0.0.1:9 down; <balance>; }",
)
_SERVER_LINES = (
    "index b.html /x.php;", "autoindex on;", "absolute_redirect off;", "server_name_in_redirect on;", "try_files $uri @n1;",
    "try_files $uri/ $uri /b$uri;",
)  # fmt: skip
_REWRITES = (
    "rewrite ^/(.*)$ $1 break;", "rewrite ^/a/(.*) $1 last;", "rewrite ^/(a)(.*) /$2?q=$1&$args?;", "rewrite ^ /b$uri?;",
    "rewrite ^/api(/.*)?$ $1?;", "rewrite ^/A(.*) https://e.test$1? permanent;", "rewrite (?i)^/IMG/(.+)$ /img/$1 break;",
    "set $Mix<n> $uri; set $mIX<n> $mix<n>$1;", "rewrite ^/(.+)/$ /$1 permanent;", "rewrite ^/(.+[^/])$ /$1/ redirect;",
    r"rewrite ^/x\.php/(.*) /$1 last;", "rewrite ^/(?<Seg>[^/]*)/(.*)$ /$seg/$SEG/$2 break;", "set $args $args&z=1;",
    "rewrite ^/only(.*) /a$1?a=$http_x_id last;", "rewrite /b(.*) /only$1; rewrite /only(.*) /b$1 last;",
    "rewrite ^/v1 /api$uri$is_args$args;", "if ($uri ~* '^/(A|B)(.*)') { set $z<n> $2; }", "return 200 '$part<n>|$Step<n>|';",
    'return 200 "$pair<n>|$geo<n>|$via<n>|$lap<n>|$STEP<n>|$mix<n>";', "if ($http_cookie) { rewrite ^ /c?$cookie_V last; }",
)  # fmt: skip
_CONDITIONS = (
    " $uri", "$uri = /a", "-x <root>/a", "!-x <root>$uri", "!-e <root>$uri ", "$Uri ~ ^/([a-z]+)", '$uri ~ "^/[ab]{1,2}/?$"',
    "$uri !~* PHP", "$arg_X", "$Step<n>", "$part<n> = b", "$via<n> != two", '$request_uri ~ "[.]{2}"', "$pair<n> = p",
    "$HTTP_X_ID ~ (.)/(.)", "$lap<n> = two", r'$args ~ "x=(\d)"', "$is_args", r"-f <root>/q\ q.txt", '-f "<root>/q q.txt"',
    "$document_uri = $uri", "$server_port = 443", "$request_method ~ ^(GET|HEAD)$", "-d $document_root$uri",
)  # fmt: skip
_ACTIONS = (
    "proxy_pass http://odd<n>;", "try_files /$Step<n> $uri.html =404; error_page 404 = @n1;", "try_files '' $uri/ @n2;",
    "try_files $uri/index.html $uri =403;", "try_files $uri $uri/ /;", "try_files /a/ /b;", "return 301 $request_uri;",
    "return 302 $1/x;", "return 307 //e.test/;", "return 200;", "return 499;", "return 408;", "return 404 none;",
    "return 500 '$uri';", "empty_gif;", "stub_status;", "auth_request /let-in; index b.html;",
    "auth_request /none; error_page 500 = @n1;", "auth_request /a/b.html; proxy_pass http://odd<n>;",
    "auth_request /api/v1/; proxy_pass http://odd<n>;",
    "proxy_pass http://127.0.0.1:<echo>; proxy_method POST; proxy_set_header Host a-$Host; proxy_set_header X-A $Uri;",
    "mirror /let-in; proxy_pass http://odd<n>;", "error_page 405 =200 $uri; return 405;", "error_page 403 /a/b.html; deny all;",
    "error_page 404 =201 /b$is_args$args; error_page 404 @n1; return 404;", "error_page 418 = @n2; return 418;",
    "set $up<n> 127.0.0.1:<echo>; proxy_pass http://$Up<n>/p$uri;", "set $up<n> http://odd<n>; proxy_pass $UP<n>;",
    "set $up<n> odd<n>; proxy_pass http://$up<n>:80;", "set $up<n> odd<n>; proxy_pass $up<n>;", "root <root>/a;",
    "root <root>/;", "dav_methods PUT;", "fastcgi_index b.html; fastcgi_pass odd<n>;", "index $Step<n>.html b.html;",
    "auth_basic x; auth_basic_user_file /dev/null; satisfy any; allow all; proxy_pass http://odd<n>;", "grpc_pass grpc://odd<n>;",
    "if ($uri ~ ^/(.)) { set $s<n> a; } if ($s<n> = a) { proxy_pass http://odd<n>; } proxy_pass http://127.0.0.1:<echo>;",
    "if ($arg_x) { return 302 /$1?$arg_x; } if ($uri ~ b) { root <root>/a; } root <root>;", "uwsgi_pass uwsgi://127.0.0.1:<echo>;",
    "rewrite ^/(.*)$ /a/$1 break; error_page 404 @n1;", "memcached_pass 127.0.0.1:<echo>; set $memcached_key $uri;",
)  # fmt: skip
_LET_IN = "location = /let-in { return 204; }"
_BALANCES = ("least_conn", "ip_hash", "random two", "hash $uri consistent", "keepalive 4")
_LISTEN_OPTIONS = ("", "backlog=64", "reuseport", "so_keepalive=on", "rcvbuf=64k", "deferred", "fastopen=3")
_PLAIN = re.compile(r"""[^\s\\;{}"'#][^\s\\;{}"']*""")


class Odd(Generator):
    """Writes one case with forms that are seldom seen."""

    def case(self) -> Case:
        """The case that belongs to the number."""
        made = super().case()
        return replace(made, text=disguised(made.text, self.random), asks=tuple(map(self._odd_ask, made.asks)))

    @property
    def _unix(self) -> str:
        return f"unix:/run/front{self.number}.sock"

    def _filled(self, *options: str) -> str:
        """One of them, its blanks filled in."""
        blanks = {
            "n": str(self.number),
            "root": self.root,
            "echo": str(self._echo()),
            "recursive": self._any("proxy_recursive;", ""),
            "last": self._any("* d", "20% e"),
            "balance": self._any(*_BALANCES),
        }
        return re.sub(r"<([a-z]+)>", lambda blank: blanks.get(blank[1], blank[0]), self._any(*options))

    def _odd_ask(self, ask: Ask) -> Ask:
        if self._chance(0.5):
            ask = replace(ask, target=self._any(*_TARGETS))
        return replace(ask, address=self._unix) if self._chance(0.05) and not ask.tls else ask

    def _tables(self) -> list[str]:
        front = f"listen {self._unix}; listen 127.0.0.1:{self.port + 2}; server_name {self._any('a.test', '~^a')};"
        inside = (
            f"root {self.root}; {_LET_IN} location / {{ {self._pass(plain=False)} }} {self._location('', {'/'}, 1)}"
        )
        return [*super()._tables(), *map(self._filled, _TABLES), f"server {{ {front} {inside} }}"]

    def _server(self, index: int) -> str:
        text = super()._server(index)
        if index == 0:
            text = text.replace(f"listen {self.port};", f"listen {self.port} {self._any(*_LISTEN_OPTIONS)};", 1)
        extra = [_LET_IN]
        if self._chance(0.4):
            extra.append(f"server_name {' '.join(self.random.sample(_NAMES, self.random.randint(1, 3)))};")
        if self._chance(0.1):
            then = self._any("break;", "return 302 /x/$host;", "")
            extra.append(f"if ({self._condition()}) {{ set $S{self.number} $1; {then} }}")
        if self._chance(0.1):
            extra.append(self._any(*_SERVER_LINES))
        taken = {word.strip('"') for word in text.split()}
        heads = [*_PATTERNS, *(head for head in _LOCATIONS if head.strip('=^~ "') not in taken)]
        extra += [self._odd_location(head) for head in self.random.sample(heads, self.random.choice((0, 1, 2)))]
        return "\n".join([text[: text.rindex("}")], *extra, "}"])

    def _odd_location(self, head: str, depth: int = 0) -> str:
        regex = head in _PATTERNS
        body = self._body(regex=regex, depth=2, taken=set(), name="/x/", exact=head.startswith("="))
        if regex and depth < 2 and self._chance(0.4):
            body += self._odd_location(self._any(*_PATTERNS), depth + 1)
        return f"location {head} {{ {body} }}"

    def _rewrite_line(self) -> str:
        if self._chance(0.5):
            return super()._rewrite_line()
        if self._chance(0.05):
            return f"if ({self._condition()}) {{ set $s{self.number} '$1'; rewrite ^/(.)(.*) /$2$1; }}"
        return self._filled(*_REWRITES)

    def _condition(self) -> str:
        return super()._condition() if self._chance(0.5) else self._filled(*_CONDITIONS)

    def _action(self, *, named: bool, regex: bool = False, name: str = "") -> str:
        if self._chance(0.7):
            return super()._action(named=named, regex=regex, name=name)
        return self._filled(*_ACTIONS)


def disguised(text: str, random: Random) -> str:
    """The same configuration, written in another way."""
    written = "\n".join(_written(one, random) for one in parse(text.encode(), "case").directives)
    return written.replace("\n", "\r\n") if random.random() < 0.3 else written


def _written(directive: Directive, random: Random) -> str:
    words = [_word(word, random) for word in (directive.name, *directive.args)]
    gap = " " if directive.name == "if" else random.choice((" ", " ", " ", "\t", "\n", "  # ; } \" '\n"))
    line = gap.join(words)
    if directive.block is None:
        return f"{line}{random.choice(('', '', ' ', chr(10)))};{random.choice(('', '', '', ' # comment {'))}"
    inside = "\n".join(_written(one, random) for one in directive.block)
    return f"{line} {{{random.choice((' ', chr(10), ' # }' + chr(10)))}{inside}\n}}"


def _word(word: str, random: Random) -> str:
    if _PLAIN.fullmatch(word) and random.random() < 0.8:
        return word
    quote = random.choice("\"'")
    return quote + "".join("\\" + char if char in ("\\", quote) else char for char in word) + quote
