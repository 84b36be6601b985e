"""TLS to the application again: chains, names, ciphers, client certificates, gRPC, and certificates that nobody verifies."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.guest import Guest
from tests.lab.scenario import Repair, scenario
from tests.lab.scenarios.tls import NAMED, SITE, VERIFY, served
from tests.lab.stack import app, edit, end, proxy, reload_nginx, site, start_nginx

KEYS = "ssl_certificate /opt/shop/tls/{name}.crt;\n    ssl_certificate_key /opt/shop/tls/app.key;"
INNER = """server {{
    listen 127.0.0.1:8000 {listen};
    server_name {name};
    {keys}
    location / {{
        return 200;
    }}
}}
"""
CHAIN = """set -e
cd /opt/shop/tls
printf 'basicConstraints=critical,CA:true\\nkeyUsage=keyCertSign,cRLSign\\n' > ca.ext
issuer=authority
for step in one two; do
    openssl req -newkey rsa:2048 -nodes -keyout $step.key -out $step.csr -subj "/CN=Lab intermediate $step"
    openssl x509 -req -in $step.csr -CA $issuer.crt -CAkey $issuer.key -CAcreateserial -days 300 -extfile ca.ext -out $step.crt
    issuer=$step
done
printf 'subjectAltName=DNS:app.internal\\n' > names
openssl x509 -req -in app.csr -CA two.crt -CAkey two.key -CAcreateserial -days 30 -extfile names -out by-two.crt
cat by-two.crt two.crt one.crt > chain-two.crt
"""


def chained(guest: Guest) -> None:
    """Makes two intermediate authorities, and a certificate with both behind it."""
    served(guest)
    guest.run(f"({CHAIN}) >/tmp/chain.log 2>&1")


def inner(guest: Guest, *more_lines: str, listen: str = "ssl", names: tuple[str, ...] = ("app.internal",)) -> None:
    """An inner gateway on port 8000, which speaks TLS for these names."""
    servers = []
    for name in names:
        keys = KEYS.format(name=name) if "ssl" in listen else ""
        servers.append(INNER.format(listen=listen, name=name, keys="\n    ".join([keys, *more_lines])))
    guest.write("/etc/nginx/conf.d/inner.conf", "".join(servers))


def grpc(target: str) -> str:
    """The inside of a location that passes gRPC on."""
    return f"grpc_pass {target};\n        grpc_connect_timeout 2s;\n        grpc_read_timeout 2s;"


@scenario("tls-cert-untrusted", twin=True)
def chain_too_long(guest: Guest) -> Iterator[None]:
    """Two intermediates, and proxy_ssl_verify_depth went back to its default of 1."""
    chained(guest)
    app(guest, served(guest, "chain-two"))
    site(guest, proxy("https://127.0.0.1:8000", *VERIFY, *NAMED, "proxy_ssl_verify_depth 3;"))
    start_nginx(guest)
    yield
    edit(guest, SITE, "proxy_ssl_verify_depth 3;", "")
    reload_nginx(guest)


@scenario("tls-sni-missing")
def pool_name_as_server_name(guest: Guest) -> Iterator[None]:
    """The server name is sent, but it is the name of the upstream block."""
    app(guest, served(guest, more="--only-name app.internal"))
    site(guest, proxy("https://shop_app", *VERIFY, *NAMED), before="upstream shop_app {\n    server 127.0.0.1:8000;\n}")
    start_nginx(guest)
    yield
    edit(guest, SITE, "proxy_ssl_name app.internal;", "")
    edit(guest, SITE, "proxy_set_header Host $host;", "proxy_set_header Host app.internal;")
    reload_nginx(guest)


@scenario("tls-sni-missing")
def default_certificate_of_another_site(guest: Guest) -> Iterator[None]:
    """The inner nginx has two sites: who sends no name gets the first one's certificate."""
    served(guest)
    inner(guest, names=("other.internal", "app.internal"))
    site(guest, proxy("https://127.0.0.1:8000", *VERIFY, *NAMED))
    start_nginx(guest)
    yield
    edit(guest, SITE, "proxy_ssl_server_name on;", "")
    reload_nginx(guest)


@scenario("tls-version-or-cipher-mismatch")
def no_cipher_in_common(guest: Guest) -> Iterator[None]:
    """Both speak TLS 1.2, and have no cipher in common."""
    served(guest)
    inner(guest, "ssl_protocols TLSv1.2;", "ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;")
    site(guest, proxy("https://127.0.0.1:8000", "proxy_ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;"))
    start_nginx(guest)
    yield
    edit(
        guest, SITE, "proxy_ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;", "proxy_ssl_ciphers ECDHE-RSA-AES256-GCM-SHA384;"
    )
    reload_nginx(guest)


@scenario("tls-client-cert-required", status=(400, 502), repair=Repair.OPEN)
def nginx_wants_a_client_certificate(guest: Guest) -> Iterator[None]:
    """The inner nginx verifies clients: it answers 400 where none is shown."""
    served(guest)
    inner(guest, "ssl_client_certificate /opt/shop/tls/authority.crt;", "ssl_verify_client off;")
    site(guest, proxy("https://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    edit(guest, "/etc/nginx/conf.d/inner.conf", "ssl_verify_client off", "ssl_verify_client on")
    reload_nginx(guest)


@scenario("tls-plain-http-to-https", status=(400, 502))
def grpc_without_tls(guest: Guest) -> Iterator[None]:
    """grpc:// to a port that speaks TLS."""
    served(guest)
    inner(guest, listen="ssl http2")
    site(guest, grpc("grpcs://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    edit(guest, SITE, "grpcs://", "grpc://")
    reload_nginx(guest)


@scenario("tls-https-to-plain-http", status=(502, 504))
def scheme_in_a_variable(guest: Guest) -> Iterator[None]:
    """The scheme stands in a variable."""
    app(guest)
    site(guest, proxy("$scheme_of_app://127.0.0.1:8000"), inside="set $scheme_of_app http;")
    start_nginx(guest)
    yield
    edit(guest, SITE, "set $scheme_of_app http;", "set $scheme_of_app https;")
    reload_nginx(guest)


@scenario("tls-plain-http-to-https", twin=True, status=(400, 502))
def expired_and_not_verified(guest: Guest) -> Iterator[None]:
    """The certificate expired years ago and nobody verifies it; then somebody drops the s of https."""
    app(guest, served(guest, "expired"))
    site(guest, proxy("https://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    edit(guest, SITE, "https://", "http://")
    reload_nginx(guest)


@scenario(
    "upstream-not-listening",
    repair=Repair.NONE,
    twin=True,
    url="https://shop.example/",
    synonyms=("upstream-service-stopped",),
)
def visitors_certificate_expired(guest: Guest) -> Iterator[None]:
    """The site's own certificate expired: a browser's matter; then the application ends."""
    served(guest)
    pid = app(guest)
    site(guest, proxy("http://127.0.0.1:8000"), listen="443 ssl", inside=KEYS.format(name="expired"))
    start_nginx(guest)
    yield
    end(guest, pid)
