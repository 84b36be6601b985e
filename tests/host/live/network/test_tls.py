from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import warnings
from pathlib import Path

import pytest

from tests.host.live.network.servers import Certificates, Serve, replying
from wizard.host.live.network import answer_request, answer_tls
from wizard.host.questions import (
    NotAnswered,
    NotReplied,
    Replied,
    Request,
    TlsFailed,
    TlsHandshake,
    TlsSettings,
    TlsShaken,
    Why,
)


def shake(
    endpoint: str, settings: TlsSettings | None = None, seconds: float = 3.0
) -> TlsShaken | TlsFailed | NotAnswered:
    return asyncio.run(answer_tls(TlsHandshake(endpoint, settings or TlsSettings(), seconds=seconds)))


def shaken(endpoint: str, settings: TlsSettings | None = None) -> TlsShaken:
    answer = shake(endpoint, settings)
    assert isinstance(answer, TlsShaken), answer
    return answer


def failed(endpoint: str, settings: TlsSettings | None = None, seconds: float = 3.0) -> TlsFailed:
    answer = shake(endpoint, settings, seconds)
    assert isinstance(answer, TlsFailed), answer
    return answer


def drain(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while connection.recv(4096):
            pass


def test_facts_of_a_handshake(serve: Serve, certificates: Certificates) -> None:
    server = certificates.server("good")
    server.set_alpn_protocols(["http/1.1"])
    answer = shaken(serve(drain, tls=server), TlsSettings("backend.test", alpn=("h2", "http/1.1")))
    assert (answer.version, answer.alpn) == ("TLSv1.3", "http/1.1")
    assert answer.cipher.startswith("TLS_")
    assert [c.subject for c in answer.chain] == ["backend.test"]
    assert answer.chain[0].issuer == "Lab CA"
    assert not answer.client_certificate_wanted
    assert answer.verify_error is None


def test_the_whole_chain_is_seen(serve: Serve, certificates: Certificates) -> None:
    parts = [Path(certificates.path(name)).read_text() for name in ("good.pem", "ca.pem")]
    Path(certificates.path("chain.pem")).write_text("".join(parts))
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(certificates.path("chain.pem"), certificates.path("good.key"))
        server.minimum_version = server.maximum_version = version
        answer = shaken(serve(drain, tls=server))
        assert [(c.subject, c.self_signed) for c in answer.chain] == [("backend.test", False), ("Lab CA", True)]


@pytest.mark.parametrize(
    ("name", "verify_name", "code", "text"),
    [
        ("good", "backend.test", 0, None),
        ("good", "a.wild.test", 0, None),
        ("good", "other.test", 62, "hostname mismatch"),
        ("good", "127.0.0.1", 62, "hostname mismatch"),
        ("good", None, 0, None),
        ("expired", "other.test", 10, "certificate has expired"),
        ("notyet", "backend.test", 9, "certificate is not yet valid"),
        ("self", "backend.test", 18, "self-signed certificate"),
        ("plain", "only-cn.test", 0, None),
    ],
)
def test_what_verification_would_say(
    serve: Serve, certificates: Certificates, name: str, verify_name: str | None, code: int, text: str | None
) -> None:
    settings = TlsSettings(verify=True, verify_name=verify_name, trusted=certificates.path("ca.pem"))
    answer = shaken(serve(drain, tls=certificates.server(name)), settings)
    assert (answer.verify_code, answer.verify_error) == (code, text)
    assert len(answer.chain) == 1


def test_a_foreign_authority(serve: Serve, certificates: Certificates) -> None:
    endpoint = serve(drain, tls=certificates.server("good"))
    assert shaken(endpoint, TlsSettings(verify=True, trusted=certificates.path("self.pem"))).verify_code in {19, 20, 21}
    assert shaken(endpoint, TlsSettings(verify=True)).verify_code in {19, 20, 21}


def test_files_that_cannot_be_used_are_told(serve: Serve, certificates: Certificates) -> None:
    endpoint = serve(drain, tls=certificates.server("good"))
    missing = shake(endpoint, TlsSettings(verify=True, trusted=certificates.path("nowhere.pem")))
    assert isinstance(missing, NotAnswered)
    assert missing.why is Why.MISSING
    for settings in (
        TlsSettings(verify=True, trusted=certificates.path("good.key")),
        TlsSettings(client_certificate=certificates.path("good.pem"), client_key=certificates.path("self.key")),
        TlsSettings(ciphers="NO-SUCH-CIPHER"),
    ):
        answer = shake(endpoint, settings)
        assert isinstance(answer, NotAnswered)
        assert answer.why is Why.FAILED


@pytest.mark.parametrize("name", ["", ".app.test", "a..b", "x" * 70 + ".test", "a\0b", "\ud800"])
def test_a_name_that_cannot_be_sent(serve: Serve, certificates: Certificates, name: str) -> None:
    answer = shake(serve(drain, tls=certificates.server("good")), TlsSettings(name))
    assert isinstance(answer, NotAnswered | TlsShaken)


def test_server_name_is_sent_only_where_set(serve: Serve, certificates: Certificates) -> None:
    names: list[str | None] = []

    def pick(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> int | None:
        names.append(name)
        return None if name else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    server = certificates.server("good")
    server.sni_callback = pick
    endpoint = serve(drain, tls=server)
    shaken(endpoint, TlsSettings("backend.test"))
    shaken(endpoint, TlsSettings("with_underscore.test"))
    answer = failed(endpoint)
    assert (answer.phase, answer.alert) == ("handshaking", 112)
    failed(endpoint, TlsSettings("127.0.0.1"))
    assert names == ["backend.test", "with_underscore.test", None, None]


def test_no_common_version(serve: Serve, certificates: Certificates) -> None:
    server = certificates.server("good")
    server.minimum_version = ssl.TLSVersion.TLSv1_3
    answer = failed(serve(drain, tls=server), TlsSettings(protocols=("TLSv1.2",)))
    assert answer.alert == 70
    assert "PROTOCOL_VERSION" in answer.reason
    assert answer.received[:1] == b"\x15"


def test_no_common_cipher(serve: Serve, certificates: Certificates) -> None:
    server = certificates.server("good")
    settings = TlsSettings(protocols=("TLSv1.2",), ciphers="ECDHE-RSA-AES128-GCM-SHA256")
    answer = failed(serve(drain, tls=server), settings)
    assert (answer.alert, answer.client_certificate_wanted) == (40, False)


def test_old_versions_need_the_security_level_that_allows_them(serve: Serve, certificates: Certificates) -> None:
    server = certificates.server("good")
    server.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server.minimum_version = ssl.TLSVersion.TLSv1
        server.maximum_version = ssl.TLSVersion.TLSv1_1
    endpoint = serve(drain, tls=server)
    protocols = ("TLSv1", "TLSv1.1")
    assert shaken(endpoint, TlsSettings(protocols=protocols, ciphers="DEFAULT:@SECLEVEL=0")).version == "TLSv1.1"
    failed(endpoint, TlsSettings(protocols=protocols))
    failed(endpoint)


def test_holes_between_versions_stay_holes(serve: Serve, certificates: Certificates) -> None:
    server = certificates.server("good")
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    settings = TlsSettings(protocols=("TLSv1.1", "TLSv1.3"), ciphers="DEFAULT:@SECLEVEL=0")
    failed(serve(drain, tls=server), settings)


def test_a_version_that_nobody_speaks() -> None:
    answer = shake("127.0.0.1:1", TlsSettings(protocols=("SSLv3",)))
    assert isinstance(answer, TlsFailed | NotAnswered)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_client_certificates(serve: Serve, certificates: Certificates, version: ssl.TLSVersion) -> None:
    def server(mode: ssl.VerifyMode) -> str:
        context = certificates.server("good")
        context.minimum_version = context.maximum_version = version
        context.verify_mode = mode
        context.load_verify_locations(certificates.path("ca.pem"))
        endpoint: str = serve(drain, tls=context)
        return endpoint

    ours = TlsSettings(client_certificate=certificates.path("good.pem"), client_key=certificates.path("good.key"))
    assert shaken(server(ssl.CERT_OPTIONAL)).client_certificate_wanted
    assert shaken(server(ssl.CERT_REQUIRED), ours).client_certificate_wanted
    refused = failed(server(ssl.CERT_REQUIRED))
    assert refused.client_certificate_wanted
    assert refused.alert == (40 if version == ssl.TLSVersion.TLSv1_2 else 116)


def test_a_peer_that_speaks_http(serve: Serve) -> None:
    def bad_request(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    answer = failed(serve(bad_request))
    assert answer.received.startswith(b"HTTP/1.1 400")
    assert answer.reason in {"WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"}
    assert answer.alert is None


def test_a_peer_that_closes_resets_or_waits(serve: Serve) -> None:
    def close(connection: socket.socket) -> None:
        connection.recv(4096)

    def reset(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert failed(serve(close)).reason == "CLOSED"
    broken = failed(serve(reset))
    assert (broken.reason, broken.errno) == ("ECONNRESET", 104)
    silent = failed(serve(drain), seconds=0.3)
    assert (silent.reason, silent.errno, silent.received) == ("TIMED_OUT", None, b"")


def test_nobody_listens() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        endpoint = "{}:{}".format(*sock.getsockname())
    answer = failed(endpoint)
    assert (answer.phase, answer.errno, answer.reason) == ("connecting", 111, "ECONNREFUSED")


def request(endpoint: str, settings: TlsSettings) -> Replied | NotReplied | NotAnswered:
    return asyncio.run(answer_request(Request(endpoint, "/", (("Host", "app.test"),), tls=settings)))


def test_a_request_over_tls(serve: Serve, certificates: Certificates) -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300000
    endpoint = serve(replying(reply), tls=certificates.server("good"))
    settings = TlsSettings(verify=True, verify_name="backend.test", trusted=certificates.path("ca.pem"))
    answer = asyncio.run(answer_request(Request(endpoint, "/", tls=settings, max_bytes=1 << 20)))
    assert isinstance(answer, Replied)
    assert (answer.status, answer.body_bytes, answer.ending) == (200, 300000, "complete")


def test_nothing_is_sent_to_a_peer_that_is_not_accepted(serve: Serve, certificates: Certificates) -> None:
    seen: list[bytes] = []
    endpoint = serve(replying(b"HTTP/1.1 200 OK\r\n\r\n", seen), tls=certificates.server("expired"))
    answer = request(endpoint, TlsSettings(verify=True, trusted=certificates.path("ca.pem")))
    assert isinstance(answer, NotReplied)
    assert (answer.phase, answer.ending) == ("handshaking", "tls")
    assert "10: certificate has expired" in answer.detail
    assert seen in ([], [b""])


def test_a_refused_client_certificate_ends_the_reading(serve: Serve, certificates: Certificates) -> None:
    server = certificates.server("good")
    server.verify_mode = ssl.CERT_REQUIRED
    server.minimum_version = ssl.TLSVersion.TLSv1_3
    server.load_verify_locations(certificates.path("ca.pem"))
    answer = request(serve(drain, tls=server), TlsSettings())
    assert isinstance(answer, NotReplied)
    assert answer.ending == "tls"
    assert "alert 116" in answer.detail


def test_the_end_without_close_notify_is_an_end(serve: Serve, certificates: Certificates) -> None:
    def cut(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        socket.socket(fileno=connection.detach()).close()

    answer = request(serve(cut, tls=certificates.server("good")), TlsSettings())
    assert isinstance(answer, Replied)
    assert (answer.body, answer.ending) == (b"abc", "closed")


def test_an_encrypted_key_never_asks_on_the_terminal(serve: Serve, certificates: Certificates) -> None:
    key = certificates.path("locked.key")
    certificates._run("ec", "-in", "good.key", "-aes256", "-passout", "pass:secret", "-out", "locked.key")
    settings = TlsSettings(client_certificate=certificates.path("good.pem"), client_key=key)
    answer = shake(serve(drain, tls=certificates.server("good")), settings)
    assert isinstance(answer, NotAnswered)
    assert answer.why is Why.FAILED
