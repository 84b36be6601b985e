"""TLS between the gateway and the application."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.guest import Guest
from tests.lab.scenario import Repair, scenario
from tests.lab.stack import app, edit, end, proxy, reload_nginx, site, start_nginx

SITE = "/etc/nginx/sites-available/shop"
AUTHORITY = "/etc/nginx/tls/authority.crt"
VERIFY = ("proxy_ssl_verify on;", f"proxy_ssl_trusted_certificate {AUTHORITY};")
NAMED = ("proxy_ssl_name app.internal;", "proxy_ssl_server_name on;")
MAKE = """set -e
mkdir -p /etc/nginx/tls /opt/shop/tls; cd /opt/shop/tls
openssl req -x509 -newkey rsa:2048 -nodes -keyout authority.key -out authority.crt -days 900 -subj '/CN=Lab authority'
openssl req -newkey rsa:2048 -nodes -keyout app.key -out app.csr -subj '/CN=app.internal'
for wanted in app.internal other.internal; do
    printf 'subjectAltName=DNS:%s\\n' $wanted > names
    openssl x509 -req -in app.csr -CA authority.crt -CAkey authority.key -days 30 -extfile names -out $wanted.crt
done
printf 'subjectAltName=DNS:app.internal\\n' > names
openssl req -x509 -key app.key -out self-signed.crt -days 30 -subj '/CN=app.internal' -addext 'subjectAltName=DNS:app.internal'
mkdir -p issued; : > index; echo 01 > serial
printf '[ca]\\ndefault_ca=a\\n[a]\\ndatabase=index\\nserial=serial\\nnew_certs_dir=issued\\ndefault_md=sha256\\npolicy=p\\n[p]\\ncommonName=supplied\\n' > ca.conf
openssl ca -batch -config ca.conf -cert authority.crt -keyfile authority.key -in app.csr -extfile names -out expired.crt -notext -startdate 20230101000000Z -enddate 20240101000000Z
cp authority.crt /etc/nginx/tls/; chmod 644 *.key
"""


def served(guest: Guest, certificate: str = "app.internal", more: str = "") -> str:
    """The options that make the application speak TLS with one of the lab's certificates."""
    if not guest.exists(AUTHORITY):
        guest.run(f"({MAKE}) >/dev/null 2>/tmp/openssl.log")
    return f"--cert /opt/shop/tls/{certificate}.crt --key /opt/shop/tls/app.key {more}".strip()


def shop(guest: Guest, *lines: str, more: str = "") -> int:
    """nginx in front of an application that speaks TLS."""
    pid = app(guest, served(guest, more=more))
    site(guest, proxy("https://127.0.0.1:8000", *lines))
    start_nginx(guest)
    return pid


def swap(guest: Guest, pid: int, options: str) -> None:
    """The application with other options."""
    end(guest, pid)
    app(guest, options)


@scenario("tls-cert-expired", repair=Repair.NONE, twin=True)
def expired(guest: Guest) -> Iterator[None]:
    """The application's certificate expired, and the gateway verifies."""
    pid = shop(guest, *VERIFY, *NAMED)
    yield
    swap(guest, pid, served(guest, "expired"))


@scenario("tls-cert-untrusted", repair=Repair.OPEN)
def self_signed(guest: Guest) -> Iterator[None]:
    """The application got a self-signed certificate, and the gateway verifies."""
    pid = shop(guest, *VERIFY, *NAMED)
    yield
    swap(guest, pid, served(guest, "self-signed"))


@scenario("tls-cert-name-mismatch", repair=Repair.OPEN)
def other_name(guest: Guest) -> Iterator[None]:
    """The certificate is for another name than the gateway asks for."""
    pid = shop(guest, *VERIFY, *NAMED)
    yield
    swap(guest, pid, served(guest, "other.internal"))


@scenario("tls-cert-name-mismatch")
def name_not_set(guest: Guest) -> Iterator[None]:
    """proxy_ssl_name was taken out: nginx compares the certificate with the address."""
    shop(guest, *VERIFY, *NAMED)
    yield
    edit(guest, SITE, "proxy_ssl_name app.internal;", "")
    reload_nginx(guest)


@scenario("tls-sni-missing", twin=True)
def sni_off(guest: Guest) -> Iterator[None]:
    """The application needs the name in the handshake, and nginx sends none by default."""
    shop(guest, *NAMED, more="--only-name app.internal")
    yield
    edit(guest, SITE, "proxy_ssl_server_name on;", "")
    reload_nginx(guest)


@scenario("tls-plain-http-to-https", status=(400, 502), twin=True)
def plain_to_tls(guest: Guest) -> Iterator[None]:
    """The gateway speaks plain HTTP to a TLS port."""
    shop(guest)
    yield
    edit(guest, SITE, "proxy_pass https://", "proxy_pass http://")
    reload_nginx(guest)


@scenario("tls-https-to-plain-http", twin=True)
def tls_to_plain(guest: Guest) -> Iterator[None]:
    """The gateway speaks TLS to a plain HTTP port."""
    app(guest)
    site(guest, proxy("http://127.0.0.1:8000"))
    start_nginx(guest)
    yield
    edit(guest, SITE, "proxy_pass http://", "proxy_pass https://")
    reload_nginx(guest)


@scenario("tls-https-to-plain-http", systemd=True)
def application_lost_its_tls(guest: Guest) -> Iterator[None]:
    """The application was redeployed without TLS."""
    options = served(guest)
    shop(guest)
    yield
    edit(guest, "/etc/systemd/system/shop.service", options, "")
    guest.run("systemctl daemon-reload; systemctl restart shop")
    guest.await_listener("8000")


@scenario("tls-client-cert-required", status=(400, 502), repair=Repair.OPEN)
def client_certificate(guest: Guest) -> Iterator[None]:
    """The application asks for a client certificate, and the gateway has none."""
    pid = shop(guest)
    yield
    swap(guest, pid, served(guest, more="--client-ca /opt/shop/tls/authority.crt"))


@scenario("tls-version-or-cipher-mismatch", repair=Repair.OPEN)
def only_newer_tls_spoken(guest: Guest) -> Iterator[None]:
    """The application speaks TLS 1.2 at most, and the gateway was told to speak 1.3 only."""
    shop(guest, "proxy_ssl_protocols TLSv1.2 TLSv1.3;", more="--newest-tls TLSv1_2")
    yield
    edit(guest, SITE, "TLSv1.2 TLSv1.3", "TLSv1.3")
    reload_nginx(guest)
