"""What is measured on: configurations, logs and rules of a given size.

Owns their contents. May not know where they are put or what is measured. Everything is the same in every run, except
that a log ends now.
"""

from __future__ import annotations

import hashlib
import json
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
# One line of each kind that the twelve programs write, and of those that are none of theirs. `{iso}`, `{slash}`, `{ctime}`,
# `{clf}`, `{syslog}` and `{fpm}` are the time in the notation of a program; `{pid}`, `{client}`, `{n}`, `{ms}`, `{path}`, `{port}`, `{id}` vary.
MIXED = (
    '{slash} [error] {pid}#{pid}: *{n} connect() failed (111: Connection refused) while connecting to upstream, client: {client}, server: shop.example, request: "GET {path} HTTP/1.1", upstream: "http://127.0.0.1:{port}{path}", host: "shop.example"',
    '{slash} [error] {pid}#{pid}: *{n} upstream timed out (110: Connection timed out) while reading response header from upstream, client: {client}, server: shop.example, request: "POST {path} HTTP/2.0", upstream: "fastcgi://unix:/run/php/php8.2-fpm.sock:", host: "shop.example"',
    "{slash} [notice] {pid}#{pid}: signal 17 (SIGCHLD) received from {n}",
    "[{ctime}] [proxy:error] [pid {pid}:tid 1407{n}] (111)Connection refused: AH00957: HTTP: attempt to connect to 127.0.0.1:{port} (localhost) failed",
    "[{ctime}] [proxy_http:error] [pid {pid}:tid 1407{n}] (70007)The timeout specified has expired: [client {client}:{n}] AH01102: error reading status line from remote server 127.0.0.1:{port}",
    "[{ctime}] [authz_core:error] [pid {pid}:tid 1407{n}] [client {client}:{n}] AH01630: client denied by server configuration: /srv/www{path}",
    '{client}:{n} [{haproxy}] web~ app/app1 0/0/-1/-1/{ms} 503 217 - - SC-- 3/3/0/0/3 0/0 "GET {path} HTTP/1.1"',
    '{client}:{n} [{haproxy}] web~ app/app1 0/0/1/{ms}/{ms} 200 8112 - - ---- 3/3/0/0/0 0/0 "GET {path} HTTP/1.1"',
    '[WARNING]  ({pid}) : Server app/app1 is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: {ms}ms. 0 active and 0 backup servers left. 3 sessions active, 0 requeued, 0 remaining in queue.',
    '{{"level":"error","ts":{epoch}.{ms},"logger":"http.log.error","msg":"dial tcp 127.0.0.1:{port}: connect: connection refused","request":{{"remote_ip":"{client}","remote_port":"{n}","proto":"HTTP/2.0","method":"GET","host":"shop.example","uri":"{path}","headers":{{"User-Agent":["curl/7.88.1"]}}}},"duration":0.000{ms},"status":502,"err_id":"w7bsc{n}","err_trace":"reverseproxy.statusError (reverseproxy.go:1299)"}}',
    '{{"level":"info","ts":{epoch}.{ms},"logger":"http.log.access.log0","msg":"handled request","request":{{"remote_ip":"{client}","remote_port":"{n}","proto":"HTTP/2.0","method":"GET","host":"shop.example","uri":"{path}"}},"duration":0.000{ms},"size":812,"status":200}}',
    '{iso} DBG github.com/traefik/traefik/v3/pkg/proxy/httputil/proxy.go:117 > 502 Bad Gateway error="dial tcp 10.0.3.7:{port}: connect: connection refused"',
    'time="{iso}" level=debug msg="\'504 Gateway Timeout\' caused by: dial tcp 10.0.3.7:{port}: i/o timeout"',
    '[{iso}] "GET {path} HTTP/1.1" 503 UF,URX upstream_reset_before_response_started{{connection_failure,delayed_connect_error:_111}} - "delayed_connect_error:_111" 0 152 {ms} - "-" "curl/7.88.1" "{id:.8}-{id:.4}-4{id:.3}-8{id:.3}-{id:.12}" "shop.example" "10.0.3.7:{port}" outbound|{port}||shop.default.svc.cluster.local - 10.0.3.1:15001 10.0.3.2:{n} - default',
    '[{iso}] "GET {path} HTTP/1.1" 200 - via_upstream - "-" 0 812 {ms} 3 "-" "curl/7.88.1" "{id:.8}-{id:.4}-4{id:.3}-8{id:.3}-{id:.12}" "shop.example" "10.0.3.7:{port}" outbound|{port}||shop.default.svc.cluster.local 10.0.3.1:{n} 10.0.3.1:15001 10.0.3.2:{n} - default',
    "[{fpm}] WARNING: [pool www] server reached pm.max_children setting ({ms}), consider raising it",
    "[{fpm}] WARNING: [pool www] child {pid}, script '/srv/www/index.php' (request: \"GET /index.php\") execution timed out (31.{ms} sec), terminating",
    "[{dashed} +0000] [{pid}] [CRITICAL] WORKER TIMEOUT (pid:{n})",
    "[{dashed} +0000] [{pid}] [INFO] Booting worker with pid: {n}",
    '*** uWSGI listen queue of socket "127.0.0.1:{port}" (fd: 3) full !!! (101/100) ***',
    "[pid: {pid}|app: 0|req: {n}/{n}] {client} () {{44 vars in 761 bytes}} [{uwsgi}] GET {path} => generated 812 bytes in {ms} msecs (HTTP/1.1 200) 2 headers in 78 bytes (1 switches on core 0)",
    "{syslog} web-03 kernel: [{epoch}.{n}] Out of memory: Killed process {pid} (gunicorn) total-vm:{n}kB, anon-rss:{n}kB, file-rss:0kB, shmem-rss:0kB, UID:33 pgtables:1{ms}kB oom_score_adj:0",
    "{syslog} web-03 kernel: [{epoch}.{n}] nf_conntrack: nf_conntrack: table full, dropping packet",
    "{syslog} web-03 systemd[1]: shop.service: Main process exited, code=killed, status=9/KILL",
    "{syslog} web-03 systemd[1]: Started Session {n} of User deploy.",
    'time="{iso}" level=error msg="Handler for POST /v1.43/containers/{id}/start returned error: driver failed programming external connectivity on endpoint web: Bind for 0.0.0.0:{port} failed: port is already allocated"',
    '{client} - - [{clf}] "GET {path} HTTP/1.1" 200 8112 "-" "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"',
    '{{"level":"info","time":"{iso}","msg":"request handled","path":"{path}","status":200,"ms":{ms},"request_id":"{n}"}}',
    "{dashed},{ms} INFO [worker-{n}] com.shop.Cart: item {n} added for {client}",
    "{syslog} web-03 sshd[{pid}]: Accepted publickey for deploy from {client} port {n} ssh2",
)  # fmt: skip
# What stands around them: mostly nothing, else what compose, kubectl, the journal, Docker and containerd put there.
AROUND = (
    "{}", "{}", "{}", "{}",
    "web-1  | {}",
    "[pod/shop-6d5f/app] {}",
    "{iso} stderr F {}",
    "{syslog} web-03 app[{pid}]: {}",
    "json-file",
)  # fmt: skip
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


def mixed_lines(count: int, *, end: float, span: float = 900.0) -> Iterator[str]:
    """Lines of all programs in several wrappings, `count` in all, evenly over the `span` seconds before `end` (epoch)."""
    for n in range(count):
        at = end - span + span * (n + 1) / count
        moment = time.gmtime(at)
        iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", moment)
        values = {
            "iso": iso,
            "dashed": time.strftime("%Y-%m-%d %H:%M:%S", moment),
            "slash": time.strftime("%Y/%m/%d %H:%M:%S", moment),
            "ctime": time.strftime(f"%a %b %d %H:%M:%S.{n * 7919 % 1000000:06} %Y", moment),
            "uwsgi": time.strftime("%a %b %d %H:%M:%S %Y", moment),
            "clf": time.strftime("%d/%b/%Y:%H:%M:%S +0000", moment),
            "haproxy": time.strftime(f"%d/%b/%Y:%H:%M:%S.{n * 7919 % 1000:03}", moment),
            "fpm": time.strftime("%d-%b-%Y %H:%M:%S", moment),
            "syslog": time.strftime("%b %d %H:%M:%S", moment),
            "epoch": int(at),
            "pid": 900 + n * 31 % 64,
            "client": f"203.0.113.{n * 13 % 250}",
            "n": 10_000 + n,
            "ms": 100 + n * 7919 % 900,
            "path": f"/cart/{n * 17 % 977}",
            "port": 8000 + n % 4,
            "id": hashlib.sha256(str(n).encode()).hexdigest(),
        }
        line = MIXED[n % len(MIXED)].format(**values)
        around = AROUND[n // len(MIXED) % len(AROUND)]
        if around == "json-file":
            yield json.dumps({"log": f"{line}\n", "stream": "stderr", "time": iso}, separators=(",", ":")) + "\n"
        else:
            yield around.format(line, **values) + "\n"


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
