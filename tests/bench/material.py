"""What is measured on: configurations, logs and rules of a given size.

Owns their contents. May not know where they are put or what is measured. Everything is the same in every run, except
that a log ends now.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

MAIN = """user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    default_type text/html;
    server_names_hash_max_size 16384;
    server_names_hash_bucket_size 128;
    include {folder}/*.conf;
}}
"""
SITE = """upstream app_{name} {{
    server {first};
    server {second} max_fails=3 fail_timeout=5s;
    keepalive 16;
}}
server {{
    listen {port};
    server_name {name} www.{name};
    root /var/www/html;
    client_max_body_size 20m;
    add_header X-Frame-Options "SAMEORIGIN" always;
    location / {{
        proxy_pass http://app_{name};
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_read_timeout 30s;
    }}
    location /static/ {{ alias /srv/{name}/static/; expires 7d; }}
    location ~* \\.(?:png|jpe?g|gif|ico)$ {{ access_log off; try_files $uri =404; }}
}}
"""
MESSAGES = (
    "[error] 912#912: *{n} connect() failed (111: Connection refused) while connecting to upstream",
    "[error] 912#912: *{n} upstream timed out (110: Connection timed out) while reading response header from upstream",
    "[error] 912#912: *{n} recv() failed (104: Connection reset by peer) while reading response header from upstream",
    "[error] 912#912: *{n} upstream prematurely closed connection while reading response header from upstream",
    "[error] 912#912: *{n} no live upstreams while connecting to upstream",
    (
        "[warn] 912#912: *{n} an upstream response is buffered to a temporary file /var/lib/nginx/proxy/1/02 while"
        " reading upstream"
    ),
    '[error] 912#912: *{n} open() "/var/www/html/robots.txt" failed (2: No such file or directory)',
    "[error] 912#912: *{n} connect() to unix:/run/app.sock failed (13: Permission denied) while connecting to upstream",
    (
        "[crit] 912#912: *{n} SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while"
        " SSL handshaking to upstream"
    ),
    "[error] 912#912: *{n} upstream sent too big header while reading response header from upstream",
    "[error] 912#912: *{n} access forbidden by rule",
    (
        "[info] 912#912: *{n} client prematurely closed connection, so upstream connection is closed too while sending"
        " request to upstream"
    ),
)
DAY = 86400.0
BLOCK = 4096  # lines that are put together before they are written


def names(sites: int) -> list[str]:
    """The host names of that many sites."""
    return [f"site{number:04}.example" for number in range(sites)]


def addresses(site: int) -> tuple[str, str]:
    """The two servers of a site."""
    host = f"127.1.{site // 200}.{site % 200 + 1}"
    return f"{host}:9001", f"{host}:9002"


def write_configuration(root: Path, folder: str, *, sites: int, port: int = 80) -> None:
    """A main file `/etc/nginx/nginx.conf` and one file for each site in `folder`, all below `root`."""
    main = root / "etc/nginx/nginx.conf"
    main.parent.mkdir(parents=True, exist_ok=True)
    main.write_text(MAIN.format(folder=folder))
    place = root / folder.lstrip("/")
    place.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names(sites)):
        first, second = addresses(number)
        (place / f"{name}.conf").write_text(SITE.format(name=name, first=first, second=second, port=port))


def error_lines(count: int, *, end: float, span: float, sites: int = 5) -> Iterator[str]:
    """Lines of nginx's error log in blocks, `count` in all, evenly over the `span` seconds before `end` (epoch)."""
    block: list[str] = []
    known: tuple[int, str] = (0, "")
    for n in range(count):
        at = int(end - span + span * (n + 1) / count)
        if at != known[0]:
            known = (at, time.strftime("%Y/%m/%d %H:%M:%S", time.localtime(at)))
        number = n % sites
        host = f"site{number:04}.example"
        message = MESSAGES[n % 12 if n % 7 == 0 else 0].replace("{n}", str(n))
        block.append(
            f"{known[1]} {message}, client: 203.0.113.{n % 250}, server: {host},"
            f' request: "GET /cart/{n % 977} HTTP/1.1", upstream: "http://127.1.0.{number + 1}:900{n % 2 + 1}/cart/{n % 977}",'
            f' host: "{host}"\n'
        )
        if len(block) == BLOCK:
            yield "".join(block)
            block = []
    yield "".join(block)


def write_error_log(path: Path, *, size: int, span: float = DAY) -> int:
    """An error log of about `size` bytes that ends now. Returns how many lines are of its last 15 minutes."""
    sample = "".join(error_lines(BLOCK, end=time.time(), span=span))
    count = size * BLOCK // len(sample)
    with path.open("w") as stream:
        stream.writelines(error_lines(count, end=time.time(), span=span))
    return int(count * 900 / span)


def rules(count: int) -> str:
    """An nftables ruleset of that many rules: blocked networks, and the usual services let in."""
    blocked = "".join(
        f"    ip saddr 198.{number // 250 % 250}.{number % 250}.0/24 tcp dport {8000 + number % 500} counter drop\n"
        for number in range(count - 3)
    )
    return (
        "table inet filter {\n  chain input {\n    type filter hook input priority 0; policy accept;\n"
        f"    ct state established,related accept\n    iifname lo accept\n{blocked}"
        "    tcp dport { 22, 80, 443 } accept\n  }\n}\n"
    )
