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
2026-11-22 09:28:09.123 UTC [1234] LOG:  could not receive data from client: Connection reset by peer
2026-11-22 09:28:09.123 UTC [1234] FATAL:  sorry, too many clients already
2026-11-22 09:28:09.123 UTC [1234] LOG:  database system is ready to accept connections
2026-11-22 09:28:09.123 UTC [1234] ERROR:  canceling statement due to statement timeout
2026-11-22T09:28:09.123456Z 0 [Note] InnoDB: Buffer pool(s) load completed
2026-11-22T09:28:09.123456Z 12 [Warning] Aborted connection 12 to db: 'shop' user: 'app' host: '10.0.0.1' (Got timeout reading communication packets)
1:M 22 Nov 2026 09:28:09.123 * Ready to accept connections
1:S 22 Nov 2026 09:28:09.123 # Error condition on socket for SYNC: Connection refused
[2026-11-22 09:28:09,123: ERROR/MainProcess] consumer: Cannot connect to redis://redis:6379/0: Error 111 connecting to redis:6379. Connection refused..
2026-11-22 09:28:09,123 ERROR [http-nio-8080-exec-1] o.a.c.c.C.[.[.[/].[dispatcherServlet] Servlet.service() for servlet [dispatcherServlet] threw exception java.net.ConnectException: Connection refused
2026-11-22 09:28:09.123  INFO 1 --- [           main] o.s.b.w.embedded.tomcat.TomcatWebServer  : Tomcat started on port(s): 8080 (http)
22-Nov-2026 09:28:09.123 SEVERE [main] org.apache.catalina.core.StandardService.initInternal Failed to initialize connector [Connector["http-nio-8080"]]
java.net.BindException: Address already in use (Bind failed)
Caused by: java.net.SocketTimeoutException: Read timed out
Error: listen EADDRINUSE: address already in use :::3000
Error: connect ETIMEDOUT 10.0.0.5:443
(node:812) UnhandledPromiseRejectionWarning: Error: connect ECONNREFUSED 127.0.0.1:5432
FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory
[nest] 812  - 11/22/2026, 9:28:09 AM   ERROR [ExceptionsHandler] connect ECONNREFUSED 127.0.0.1:5432
{"level":50,"time":1795339689123,"pid":812,"hostname":"web","msg":"upstream timeout","err":{"type":"Error","message":"connect ECONNREFUSED 127.0.0.1:5432"}}
{"level":"error","message":"connect ECONNREFUSED 127.0.0.1:5432","timestamp":"2026-11-22T09:28:09.123Z"}
{"timestamp":"2026-11-22T09:28:09.123Z","level":"ERROR","logger":"com.shop.Cart","message":"upstream returned 502 Bad Gateway","thread":"main"}
{"level":"warn","ts":"2026-11-22T09:28:09.123Z","caller":"etcdserver/util.go:170","msg":"apply request took too long","took":"123ms"}
{"level":"warn","ts":"2026-11-22T09:28:09.123Z","logger":"etcd-client","caller":"v3/retry_interceptor.go:62","msg":"retrying of unary invoker failed","target":"etcd-endpoints://0xc000/127.0.0.1:2379","attempt":0,"error":"rpc error: code = DeadlineExceeded desc = latest balancer error: last connection error: connection error: desc = \\"transport: Error while dialing dial tcp 127.0.0.1:2379: connect: connection refused\\""}
E1122 09:28:09.123456       1 reflector.go:138] k8s.io/client-go/informers/factory.go:134: Failed to watch *v1.Pod: failed to list *v1.Pod: Get "https://10.96.0.1:443/api/v1/pods": dial tcp 10.96.0.1:443: connect: connection refused
W1122 09:28:09.123456       7 controller.go:1106] Service "default/web" does not have any active Endpoint.
time="2026-11-22T09:28:09Z" level=error msg="Error response from registry" error="dial tcp 1.2.3.4:443: i/o timeout" component=puller
ts=2026-11-22T09:28:09.123Z caller=scrape.go:1234 level=warn component="scrape manager" msg="Append failed" err="context deadline exceeded"
level=info ts=2026-11-22T09:28:09.123Z caller=main.go:1 msg="Server is ready to receive web requests."
Nov 22 09:28:09 web sshd[812]: Connection closed by 10.0.0.1 port 4711 [preauth]
Nov 22 09:28:09 web sshd[812]: error: kex_exchange_identification: Connection closed by remote host
Nov 22 09:28:09 web fail2ban.filter[812]: INFO [nginx-http-auth] Found 10.0.0.1 - 2026-11-22 09:28:09
Nov 22 09:28:09 web fail2ban-server[812]: 2026/11/22 09:28:09 [error] 1#1: *3 connect() failed (111: Connection refused) while connecting to upstream
2026-11-22 09:28:09,123 fail2ban.actions [812]: NOTICE [nginx-limit-req] Ban 10.0.0.1
Nov 22 09:28:09 web ansible-command[812]: Invoked with _raw_params=grep 'upstream timed out (110: Connection timed out)' /var/log/nginx/error.log
Nov 22 09:28:09 web sudo[812]: deploy : TTY=pts/0 ; PWD=/home/deploy ; USER=root ; COMMAND=/usr/bin/grep upstream prematurely closed connection /var/log/nginx/error.log
Nov 22 09:28:09 web postfix/smtp[812]: connect to mail.example[1.2.3.4]:25: Connection timed out
Nov 22 09:28:09 web postfix/smtpd[812]: warning: hostname x does not resolve to address 1.2.3.4: Name or service not known
Nov 22 09:28:09 web named[812]: client @0x7f 10.0.0.1#4711 (app): query failed (SERVFAIL) for app/IN/A at query.c:1
Nov 22 09:28:09 web dhclient[812]: DHCPREQUEST for 10.0.0.5 on eth0 to 10.0.0.1 port 67
Nov 22 09:28:09 web CRON[812]: (www-data) CMD (php /srv/cron.php > /dev/null 2>&1)
Nov 22 09:28:09 web dbus-daemon[812]: [system] Activating via systemd: service name='org.freedesktop.hostname1' unit='dbus-org.freedesktop.hostname1.service' requested by ':1.12'
Nov 22 09:28:09 web NetworkManager[812]: <info>  [1795339689.1234] device (eth0): state change: activated -> failed
Nov 22 09:28:09 web kernel: [12345.678901] eth0: renamed from veth1
Nov 22 09:28:09 web kernel: [12345.678901] docker0: port 1(veth1) entered disabled state
Nov 22 09:28:09 web kernel: [12345.678901] perf: interrupt took too long (2501 > 2500), lowering kernel.perf_event_max_sample_rate to 79750
Nov 22 09:28:09 web systemd[1]: Starting Daily apt download activities...
Nov 22 09:28:09 web systemd[1]: Started shop.service - The shop.
Nov 22 09:28:09 web systemd[1]: Stopping nginx.service - A high performance web server and a reverse proxy server...
Nov 22 09:28:09 web systemd[1]: Reloaded nginx.service - A high performance web server.
Nov 22 09:28:09 web systemd[1]: session-3.scope: Deactivated successfully.
Nov 22 09:28:09 web systemd-resolved[812]: Using degraded feature set UDP instead of UDP+EDNS0 for DNS server 10.0.0.2.
Nov 22 09:28:09 web systemd-networkd[812]: eth0: Lost carrier
Nov 22 09:28:09 web containerd[812]: time="2026-11-22T09:28:09.123Z" level=info msg="loading plugin \\"io.containerd.snapshotter.v1.aufs\\"..." type=io.containerd.snapshotter.v1
Nov 22 09:28:09 web dockerd[812]: time="2026-11-22T09:28:09.123Z" level=info msg="Loading containers: done."
10.0.0.9 - - [22/Nov/2026:09:28:09 +0000] "GET / HTTP/1.1" 200 612 "-" "curl/7.88.1"
10.0.0.9 - - [22/Nov/2026:09:28:09 +0000] "GET /upstream/connect()/failed HTTP/1.1" 404 153 "-" "curl/7.88.1"
10.0.0.9 - - [22/Nov/2026:09:28:09 +0000] "GET / HTTP/1.1" 502 157 "-" "curl/7.88.1" rt=0.001 uct="-" uht="-" urt="0.001" ua="127.0.0.1:3000" us="502"
127.0.0.1:45678 - "GET / HTTP/1.1" 200
INFO:     Application startup complete.
INFO:     Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)
ERROR:    [Errno 98] error while attempting to bind on address ('127.0.0.1', 8000): address already in use
WARNING:  Invalid HTTP request received.
 * Running on http://127.0.0.1:5000/ (Press CTRL+C to quit)
ConnectionRefusedError: [Errno 111] Connection refused
requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='api', port=443): Read timed out. (read timeout=5)
psycopg2.OperationalError: connection to server at "127.0.0.1", port 5432 failed: Connection refused
django.db.utils.OperationalError: (2003, "Can't connect to MySQL server on 'db' (111)")
Puma starting in single mode...
=> Booting Puma
[812] - Worker 0 (PID: 815) booted in 1.2s, phase: 0
[812] ! Terminating timed out worker (worker failed to check in within 60 seconds): 815
I, [2026-11-22T09:28:09.123456 #812]  INFO -- : worker=0 ready
E, [2026-11-22T09:28:09.123456 #812] ERROR -- : worker=0 PID:815 timeout (61s > 60s), killing
panic: runtime error: invalid memory address or nil pointer dereference
2026/11/22 09:28:09 http: panic serving 10.0.0.1:4711: runtime error
2026/11/22 09:28:09 http: proxy error: dial tcp 127.0.0.1:3000: connect: connection refused
2026/11/22 09:28:09 listening on :8080
2026/11/22 09:28:09 main.go:12: upstream timed out
2026/11/22 09:28:09 [INFO] agent: Synced service "web"
2026/11/22 09:28:09 [error] something else wrote this
2026-11-22T09:28:09.123Z [WARN]  agent: Check missed TTL, is now critical: check=service:web
curl: (28) Connection timed out after 5001 milliseconds
curl: (56) Recv failure: Connection reset by peer
wget: can't connect to remote host (127.0.0.1): Connection refused
ssh: connect to host web port 22: Connection refused
dial tcp 10.0.0.5:443: i/o timeout
Get "https://registry-1.docker.io/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)
error: failed to push some refs to 'git@github.com:x/y.git'
proxy_pass http://127.0.0.1:3000;
    upstream backend { server 10.0.0.1:8080 max_fails=3; }
backend be
    server s1 10.0.0.1:8080 check inter 2s
grep -c 'upstream timed out' /var/log/nginx/error.log
HTTP/1.1 502 Bad Gateway
< HTTP/1.1 504 Gateway Time-out
<center><h1>502 Bad Gateway</h1></center>
We see 'upstream timed out' every night, can somebody look at nginx?
Memory usage: 91%
OOM score adjusted
worker 3 timed out
server is down
Backend web has no server
child process exited
MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.
[core] ERROR: proxy: HTTP: nothing
[error] connect failed
pool www is busy
the service "web" does not exist
Error response: 500
ERROR: for web  Cannot start service web: driver failed programming external connectivity
docker-compose up -d
[pid: 12] hello
Back-off restarting failed container
Readiness probe failed: HTTP probe failed with statuscode: 502
Liveness probe failed: Get "http://10.0.3.7:8080/health": dial tcp 10.0.3.7:8080: connect: connection refused
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
