"""Lines of other programs are not claimed, and lines that are no failure name no cause."""

from __future__ import annotations

import pytest

from wizard.logs.recognise import explain_line

FOREIGN = """
Nov 23 14:07:31 web-03 sshd[812]: Failed password for root from 10.0.0.1 port 22 ssh2
2026-11-23 10:00:00.123 UTC [1234] ERROR:  relation "upstream" does not exist at character 15
2026-11-23 10:00:00.123 UTC [1234] FATAL:  password authentication failed for user "app"
2026-11-23T10:00:00.123456Z 8 [Warning] [MY-010055] [Server] IP address '10.0.0.1' could not be resolved: Name or service not known
2026-11-23T10:00:00.123456Z 0 [ERROR] [MY-010262] [Server] Can't start server: Bind on TCP/IP port: Address already in use
1:M 23 Nov 2026 10:00:00.123 # Warning: Could not create server TCP listening socket *:6379: bind: Address already in use
The nginx upstream is down again, please check
we get 502 from nginx since 10:00, upstream timed out I think
Connection refused
connection refused
502 Bad Gateway
dial tcp 127.0.0.1:5432: connect: connection refused
ERROR:root:requests.exceptions.ConnectionError: HTTPConnectionPool(host='api', port=80): Max retries exceeded
Traceback (most recent call last):
  File "/app/main.py", line 12, in <module>
psycopg2.OperationalError: could not connect to server: Connection refused
{"level":"info","time":"2026-11-23T10:00:00Z","msg":"request handled","status":502}
{"level":"error","ts":1700000000.1,"caller":"server/main.go:12","msg":"dial tcp 10.0.0.1:5432: connect: connection refused"}
{"severity":"ERROR","message":"upstream service failed"}
time="2026-11-23T10:00:00Z" level=error msg="failed to connect" error="dial tcp 10.0.0.1:5432: connect: connection refused"
127.0.0.1 - - [22/Nov/2026:09:28:09 +0000] "GET / HTTP/1.1" 200 2 "-" "-"
127.0.0.1 - - [22/Nov/2026:09:28:09 +0000] "GET / HTTP/1.1" 502 157 "-" "-"
[2026-11-23 10:00:00,123] ERROR in app: Exception on /cart [GET]
2026-11-23 10:00:00,123 ERROR upstream error while connecting to upstream
[error] something failed
Error: connect ECONNREFUSED 127.0.0.1:5432
    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1595:16)
npm ERR! code ELIFECYCLE
INFO:     127.0.0.1:39078 - "GET / HTTP/1.0" 200 OK
Nov 23 14:07:31 web-03 sudo: root : TTY=pts/0 ; COMMAND=/usr/bin/grep connect() failed (111: Connection refused) while connecting to upstream /var/log/nginx/error.log
Nov 23 14:07:31 web-03 CRON[99]: (root) CMD (run-parts /etc/cron.hourly)
Nov 23 14:07:31 web-03 systemd[1]: Started app.service - Lab gunicorn app.
Nov 23 14:07:31 web-03 systemd[1]: Reached target Network.
Nov 23 14:07:31 web-03 kernel: eth0: link up
Nov 23 14:07:31 web-03 dockerd[1]: time="2026-11-23T10:00:00Z" level=info msg="API listen on /var/run/docker.sock"
server { listen 80; proxy_pass http://127.0.0.1:9001; }
upstream app { server 127.0.0.1:9001; }
$ curl -v http://127.0.0.1/
* connect to 127.0.0.1 port 9001 failed: Connection refused
curl: (7) Failed to connect to 127.0.0.1 port 9001: Connection refused
==> /var/log/nginx/error.log <==
--
-- Boot 5f2 --
-- Logs begin at Mon --
Worker 3 finished job 17
worker timeout reached, retrying
INFO worker exited with code 0
The server is DOWN, reason: maintenance
Backend has no server available
child 5 exited
memory usage high
no upstreams
config loading done
address in use: 5
level=info msg="container started"
java.lang.OutOfMemoryError: Java heap space
[INFO] proxy: listening
proxy: error
"""

NO_FAILURE = """
2026/11/22 09:28:09 [notice] 1#1: signal process started
2026/11/22 09:28:09 [info] 7#7: *3 client 1.2.3.4 closed keepalive connection
2026/11/22 09:28:09 [notice] 1#1: start worker processes
2026/11/22 09:28:09 [warn] 1#1: the "user" directive makes sense only if the master process runs with super-user privileges, ignored in /etc/nginx/nginx.conf:2
2026/11/22 09:28:09 [warn] 1#1: *3 an upstream response is buffered to a temporary file /var/cache/nginx/proxy_temp/1/00/0000000001 while reading upstream, client: 1.2.3.4, server: x, request: "GET / HTTP/1.1", upstream: "http://127.0.0.1:9001/", host: "x"
2026/11/22 09:28:09 [error] 1#1: *3 open() "/usr/share/nginx/html/favicon.ico" failed (2: No such file or directory), client: 1.2.3.4, server: x, request: "GET /favicon.ico HTTP/1.1", host: "x"
2026/11/22 09:28:09 [error] 1#1: *3 directory index of "/var/www/" is forbidden, client: 1.2.3.4, server: x, request: "GET / HTTP/1.1", host: "x"
2026/11/22 09:28:09 [crit] 1#1: *3 SSL_do_handshake() failed (SSL: error:0A00006C:SSL routines::bad key share) while SSL handshaking, client: 1.2.3.4, server: 0.0.0.0:443
2026/11/22 09:28:09 [info] 1#1: *3 recv() failed (104: Connection reset by peer) while sending to client, client: 1.2.3.4, server: x, request: "GET / HTTP/1.1", upstream: "http://127.0.0.1:9001/", host: "x"
2026/11/22 09:28:09 [error] 1#1: *3 access forbidden by rule, client: 1.2.3.4, server: x, request: "GET / HTTP/1.1", host: "x"
nginx: the configuration file /etc/nginx/nginx.conf syntax is ok
nginx: configuration file /etc/nginx/nginx.conf test is successful
[Sun Nov 22 09:30:07.916452 2026] [mpm_event:notice] [pid 152:tid 152] AH00489: Apache/2.4.71 (Debian) configured -- resuming normal operations
[Sun Nov 22 09:30:07.916452 2026] [ssl:error] [pid 152:tid 152] [client 1.2.3.4:55] AH02039: Certificate Verification: Error (10): certificate has expired
[Sun Nov 22 09:30:07 2026] [error] [client 1.2.3.4] File does not exist: /var/www/favicon.ico
[22-Nov-2026 09:30:07] NOTICE: fpm is running, pid 136
[22-Nov-2026 09:50:45] NOTICE: [pool www] child 12 exited with code 0 after 1.2 seconds from start
*** Starting uWSGI 2.0.21-debian (64bit) on [Sun Nov 22 09:30:06 2026] ***
[2026-11-22 09:31:32 +0000] [267] [INFO] Handling signal: term
[NOTICE]   (4) : New worker (6) forked
Server be/s1 is UP, reason: Layer7 check passed, code: 200, check duration: 1ms. 1 active and 0 backup servers online.
[WARNING]  (8) : Health check for server be/s1 succeeded, reason: Layer7 check passed, code: 200, check duration: 0ms, status: 3/3 UP.
app.service: Main process exited, code=exited, status=0/SUCCESS
type=AVC msg=audit(1795339689.123:456): avc:  denied  { name_connect } for  pid=1234 comm="php-fpm" dest=3306 scontext=x tcontext=y tclass=tcp_socket permissive=0
app.service: Deactivated successfully.
"""


@pytest.mark.parametrize("line", [line for line in FOREIGN.splitlines() if line])
def test_other_programs_are_not_claimed(line: str) -> None:
    assert explain_line(line, zone_offset=0, year_hint=1795340000.0) is None


@pytest.mark.parametrize("line", [line for line in NO_FAILURE.splitlines() if line])
def test_no_failure_names_no_cause(line: str) -> None:
    event = explain_line(line, zone_offset=0)
    assert event is None or event.causes == ()


def test_a_quoted_command_is_not_the_gateways_word() -> None:
    said = "connect() failed (111: Connection refused) while connecting to upstream"
    assert explain_line(f"Nov 23 14:07:31 web sudo: root : COMMAND=/usr/bin/grep {said}") is None
    assert explain_line(f"Nov 23 14:07:31 web app[1]: {said}") is not None


def test_clients_words_cannot_name_an_upstream() -> None:
    line = (
        "2026/11/22 09:28:09 [error] 1#1: *3 connect() failed (111: Connection refused) while connecting to upstream, "
        'client: 192.0.2.7, server: x, request: "GET / HTTP/1.1", upstream: "http://127.0.0.1:9001/", host: "x", '
        'referrer: "http://e/", upstream: "http://203.0.113.1:1/"'
    )
    event = explain_line(line)
    assert event is not None
    assert event.upstream == "127.0.0.1:9001"
