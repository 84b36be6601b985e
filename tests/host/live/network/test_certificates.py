from __future__ import annotations

import ssl
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.host.live.network.servers import Certificates
from wizard.host.live.network.certificates import ReadCertificate, carries_name, read_certificate
from wizard.host.live.network.tls import certificates_in
from wizard.host.questions import Certificate


def read(certificates: Certificates, name: str) -> ReadCertificate:
    found = read_certificate(certificates.der(name))
    assert found is not None
    return found


def test_reads_what_the_standard_library_reads(certificates: Certificates) -> None:
    for name in ("good", "expired", "notyet", "self", "plain"):
        expected = ssl._ssl._test_decode_cert(certificates.path(f"{name}.pem"))  # type: ignore[attr-defined]
        facts = read(certificates, name).facts
        assert facts.not_before == ssl.cert_time_to_seconds(expected["notBefore"])
        assert facts.not_after == ssl.cert_time_to_seconds(expected["notAfter"])
        assert facts.self_signed == (expected["subject"] == expected["issuer"])
        assert facts.subject == dict(part[0] for part in expected["subject"])["commonName"]
        assert facts.issuer == dict(part[0] for part in expected["issuer"])["commonName"]


def test_names_by_kind(certificates: Certificates) -> None:
    good = read(certificates, "good")
    assert good.dns_names == ("backend.test", "*.wild.test")
    assert good.ip_addresses == ("127.0.0.1", "::1")
    assert good.facts.names == ("backend.test", "*.wild.test", "127.0.0.1", "::1")
    assert read(certificates, "unnamed").facts.subject == "O=Nobody"


def test_every_root_of_the_system_can_be_read() -> None:
    context = ssl.create_default_context()
    roots = context.get_ca_certs(binary_form=True)
    if not roots:
        pytest.skip("no system store")
    assert all(read_certificate(der) is not None for der in roots)


def named(*dns: str, common: tuple[str, ...] = (), ips: tuple[str, ...] = ()) -> ReadCertificate:
    return ReadCertificate(Certificate("", "", (), 0, 0), dns, ips, common)


@pytest.mark.parametrize(
    ("names", "host", "fits"),
    [
        (("app.test",), "app.test", True),
        (("APP.test",), "app.TEST", True),
        (("*.app.test",), "a.app.test", True),
        (("*.app.test",), "app.test", False),
        (("*.app.test",), "a.b.app.test", False),
        (("*.test",), "app.test", False),
        (("*",), "app", False),
        (("a*.app.test",), "abc.app.test", True),
        (("a*.app.test",), "xbc.app.test", False),
        (("a*c.app.test",), "ac.app.test", True),
        (("ab*bc.app.test",), "abc.app.test", False),
        (("*.*.app.test",), "a.b.app.test", False),
        (("xn--*.app.test",), "xn--abc.app.test", False),
        (("x*.app.test",), "xn--abc.app.test", False),
        (("*.app.test",), "xn--abc.app.test", True),
        (("a.*.test",), "a.b.test", False),
    ],
)
def test_wildcards(names: tuple[str, ...], host: str, fits: bool) -> None:
    assert carries_name(named(*names), host) is fits


def test_the_common_name_counts_only_without_dns_names() -> None:
    assert carries_name(named(common=("app.test",)), "app.test")
    assert not carries_name(named("other.test", common=("app.test",)), "app.test")


def test_an_ip_address_is_never_matched_as_nginx_asks() -> None:
    assert not carries_name(named("app.test", ips=("10.0.0.5",)), "10.0.0.5")


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_not(data: bytes) -> None:
    found = read_certificate(data)
    assert found is None or isinstance(found, ReadCertificate)
    assert all(isinstance(der, bytes) for tls13 in (True, False) for der in certificates_in(data, tls13=tls13))


@given(data=st.data())
def test_a_damaged_certificate_is_read_or_not(data: st.DataObject) -> None:
    der = bytearray(CERTIFICATE)
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(der[: data.draw(st.integers(0, len(der)))])
    for damaged in (bytes(der), cut):
        found = read_certificate(damaged)
        assert found is None or isinstance(found.facts.subject, str)


def test_a_huge_certificate_takes_linear_time() -> None:
    name = b"\x82\x01a" * 300_000
    sequence = b"\x30\x83" + len(name).to_bytes(3, "big") + name
    begun = time.process_time()
    assert read_certificate(sequence) is None
    assert time.process_time() - begun < 10


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    length = len(content).to_bytes(2, "big")
    return bytes([tag, 0x82]) + length + content


def _name(text: bytes) -> bytes:
    return _der(0x30, _der(0x31, _der(0x30, b"\x06\x03\x55\x04\x03", _der(0x0C, text))))


CERTIFICATE = _der(
    0x30,
    _der(
        0x30,
        b"\xa0\x03\x02\x01\x02",
        b"\x02\x01\x05",
        b"\x30\x00",
        _name(b"issuer"),
        _der(0x30, _der(0x17, b"491231235959Z"), _der(0x18, b"99991231235959Z")),
        _name(b"subject"),
        b"\x30\x00",
        _der(
            0xA3, _der(0x30, _der(0x30, b"\x06\x03\x55\x1d\x11", b"\x01\x01\xff", _der(0x04, _der(0x30, b"\x82\x01a"))))
        ),
    ),
)


def test_times_and_names_of_a_handmade_certificate() -> None:
    found = read_certificate(CERTIFICATE)
    assert found is not None
    assert found.facts == Certificate("subject", "issuer", ("a",), 2524607999.0, 253402300799.0)
